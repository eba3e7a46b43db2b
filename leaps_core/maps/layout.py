"""Maps: a bank's embeddings laid out in two or three dimensions, by UMAP or by PCA; fitted once, and kept beside the bank.

Importing this module imports none of umap-learn, scikit-learn and torch.
"""

from __future__ import annotations

import json
import re
import warnings
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from .. import files, paths
from ..banks import Bank
from ..errors import BankError
from ..files import Progress

Method = Literal["umap", "pca"]
Metric = Literal["cosine", "euclidean"]
METHODS: tuple[Method, ...] = get_args(Method)
METRICS: tuple[Metric, ...] = get_args(Metric)
DIMS = (2, 3)
"""What a map can be made by: methods, distances, dimensions."""
MOST = 20_000
"""Most clips on a map; of a larger bank, a random sample is fitted and shown."""
VERSION = 1
MOST_BYTES = 2**28
"""Bytes of the largest map's arrays, with room to spare."""


@dataclass(frozen=True)
class Recipe:
    """How a map is made. UMAP: McInnes et al. 2018, with its usual `neighbours` (2 or more) and `min_dist`; same seed (0 to
    2³² − 1), same map. Raises `BankError` for what can't be."""

    method: Method = "umap"
    metric: Metric = "cosine"
    dims: int = 2
    neighbours: int = 15
    min_dist: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        if self.method not in METHODS or self.metric not in METRICS or self.dims not in DIMS:
            raise BankError(
                f"There is no map by {self.method}, {self.metric}, in {self.dims} dimensions. Choose of "
                f"{' and '.join(METHODS)}, {' and '.join(METRICS)}, {' and '.join(map(str, DIMS))}."
            )
        if self.neighbours < 2 or not 0 <= self.seed < 2**32:
            raise BankError(
                f"There is no map of {self.neighbours} neighbours by the seed {self.seed}. "
                f"Expected: 2 neighbours or more, a seed from 0 to {2**32 - 1}."
            )

    @property
    def name(self) -> str:
        """Part of a file's name."""
        return f"{self.method}-{self.metric}-{self.dims}d"


@dataclass(frozen=True)
class Map:
    """A fitted map. `numbers` (M,): which clips of the bank are on it; `positions` float32 (M, d).

    PCA has `centre` (D,), `axes` (D, d) and `explained` (d,), the share of the variance along each.
    """

    recipe: Recipe
    numbers: np.ndarray
    positions: np.ndarray
    centre: np.ndarray | None = None
    axes: np.ndarray | None = None
    explained: np.ndarray | None = None


def prepare(vectors: np.ndarray, metric: Metric) -> np.ndarray:
    """Vectors whose Euclidean distances order points as the metric does: of length 1 for cosine."""
    vectors = np.asarray(vectors, np.float32)
    if metric == "euclidean":
        return vectors
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)


def load_or_fit(bank: Bank, recipe: Recipe, progress: Progress | None = None) -> Map:
    """The bank's stored map, or a new one, which is then stored. Raises `BankError` for too few clips."""
    found = stored(bank, recipe)
    if found is None:
        found = fit(bank, recipe, progress)
        store(found, bank)
    return found


def stored(bank: Bank, recipe: Recipe) -> Map | None:
    """The bank's map if it was fitted before, of this very bank; None: not yet."""
    for path in _paths(bank, recipe):
        with suppress(OSError, ValueError, KeyError):  # missing, damaged or of an earlier bank: it is fitted anew
            with files.arrays(path, MOST_BYTES) as saved:
                if json.loads(str(saved["facts"])) == _facts(bank, recipe):
                    optional = (saved[name] if name in saved else None for name in ("centre", "axes", "explained"))
                    found = Map(recipe, saved["numbers"], saved["places"], *optional)
                    if _can_be(found, bank):
                        return replace(found, positions=_lying(found.positions)) if recipe.method == "umap" else found
    return None


def _can_be(found: Map, bank: Bank) -> bool:
    """Whether a map that was read is one of this bank's clips, all of it numbers, in the shapes that `Map` has."""
    numbers, width, dims = found.numbers, bank.facts["dim"], found.recipe.dims
    shapes: list[tuple[np.ndarray | None, tuple[int, ...]]] = [(found.positions, (len(bank.sample(MOST)), dims))]
    if found.recipe.method == "pca":
        shapes += [(found.centre, (width,)), (found.axes, (width, dims)), (found.explained, (dims,))]
    for array, shape in shapes:
        if array is None or array.shape != shape or array.dtype.kind != "f" or not np.isfinite(array).all():
            return False
    there = numbers.dtype.kind in "iu" and numbers.shape == found.positions.shape[:1]
    return there and bool((numbers >= 0).all() and (numbers < len(bank)).all())


def store(found: Map, bank: Bank, beside: bool | None = None) -> None:
    """Keep a map. beside: next to its bank (None: unless the bank is a shipped one), else in LEAPS_HOME/maps. A folder that
    can't be written is passed over: the map is then fitted again next time."""
    optional = {"centre": found.centre, "axes": found.axes, "explained": found.explained}
    arrays = {"numbers": found.numbers, "places": found.positions}  # as the file calls them
    arrays |= {name: value for name, value in optional.items() if value is not None}
    if beside is None:
        beside = bank.path.resolve().parent != paths.BANKS.resolve()
    for path in _paths(bank, found.recipe)[0 if beside else 1 :]:
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            files.write_arrays(path, facts=json.dumps(_facts(bank, found.recipe)), **arrays)
            return


def fit(bank: Bank, recipe: Recipe, progress: Progress | None = None) -> Map:
    """Fit a map of the bank, or of a sample of `MOST` of its clips. `progress` is told how many of how many
    epochs are done.

    Raises `BankError` where there are fewer clips than the method needs.
    """
    numbers = bank.sample(MOST, recipe.seed)
    needed = max(recipe.neighbours, recipe.dims + 1) if recipe.method == "umap" else recipe.dims
    if len(numbers) <= needed:
        raise BankError(
            f"The bank {bank.name} has {len(numbers)} clips; {recipe.method} needs more than {needed}. "
            "Add clips" + (", or ask for fewer neighbours." if needed == recipe.neighbours else ".")
        )
    vectors = prepare(bank.rows(numbers), recipe.metric)
    if recipe.method == "pca":
        from sklearn.decomposition import PCA

        found = PCA(recipe.dims, svd_solver="covariance_eigh").fit(vectors)
        axes = found.components_.T.astype(np.float32)
        return Map(recipe, numbers, (vectors - found.mean_) @ axes, found.mean_, axes, found.explained_variance_ratio_)
    return Map(recipe, numbers, _umap(vectors, recipe, progress))


def lay_out(vectors: np.ndarray, recipe: Recipe) -> np.ndarray:
    """Positions (n, d) of vectors (n, D) on a map of their own, which is not kept."""
    prepared = prepare(vectors, recipe.metric)
    if recipe.method == "umap":
        return _umap(prepared, recipe)
    from sklearn.decomposition import PCA

    return PCA(recipe.dims, svd_solver="covariance_eigh").fit_transform(prepared)


class _Epochs:
    """What umap-learn's progress bar writes to."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress

    def write(self, text: str) -> None:
        if counted := re.search(r"(\d+) of (\d+)", text):
            self.progress(int(counted[1]), int(counted[2]))

    def flush(self) -> None:
        pass


def _lying(positions: np.ndarray) -> np.ndarray:
    """The widest direction of a UMAP first, as a screen is wider than high: which one is which, UMAP leaves to chance."""
    return positions[:, np.argsort(-np.ptp(positions, 0), kind="stable")]


def _umap(vectors: np.ndarray, recipe: Recipe, progress: Progress | None = None) -> np.ndarray:
    """Positions float32 (n, d) by UMAP."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a seed means one thread, and what numba thinks of umap-learn
        import umap
        from threadpoolctl import threadpool_limits

        bar = {"file": _Epochs(progress), "bar_format": "{n} of {total}", "disable": False} if progress else {"disable": True}
        found = umap.UMAP(
            n_neighbors=min(recipe.neighbours, len(vectors) - 1),
            min_dist=recipe.min_dist,
            n_components=recipe.dims,
            metric=recipe.metric,
            random_state=recipe.seed,
            n_jobs=1,
            tqdm_kwds=bar,
        )
        with threadpool_limits({}):  # numba would leave PyTorch another number of threads, which changes a run's last bits
            found.fit(vectors)
    return _lying(np.asarray(found.embedding_, np.float32))


def _facts(bank: Bank, recipe: Recipe) -> dict[str, Any]:
    return {"version": VERSION, "digest": bank.facts["digest"], **asdict(recipe)}


def _paths(bank: Bank, recipe: Recipe) -> list[Path]:
    """Where a bank's map may lie: beside it; and of a bank that is shipped, or can't be written beside, in LEAPS_HOME/maps."""
    return [
        bank.path.with_name(f"{bank.name}.{recipe.name}.npz"),
        paths.own_maps() / f"{bank.facts['digest']}.{recipe.name}.npz",
    ]
