"""Maps: where clips lie, as a model sees them.

    layout.py    UMAP and PCA of a bank, fitted once          atlas.py     a bank with its map: where new points lie
    process.py   fitting in a process of its own              metrics.py   distances, spread, coverage in the original space

Importing this package imports none of umap-learn, scikit-learn and torch.
"""

from .atlas import Atlas, Point, write_csv
from .layout import DIMS, METHODS, METRICS, Map, Method, Metric, Recipe, fit, lay_out, load_or_fit, prepare, store, stored

__all__ = [
    "DIMS",
    "METHODS",
    "METRICS",
    "Atlas",
    "Map",
    "Method",
    "Metric",
    "Point",
    "Recipe",
    "fit",
    "lay_out",
    "load_or_fit",
    "prepare",
    "store",
    "stored",
    "write_csv",
]
