"""A bank of made-up embeddings."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from leaps_core import banks
from tests.banks.helpers import FACTS

CLASSES, EACH, DIM = 4, 60, 32


def clusters(count: int, seed: int) -> np.ndarray:
    """Made-up embeddings (count, DIM) of CLASSES classes in turn, all positive."""
    centres = np.random.default_rng(99).random((CLASSES, DIM)) * 4
    return np.abs(centres[np.arange(count) % CLASSES] + np.random.default_rng(seed).normal(0, 0.4, (count, DIM)))


def make_bank(path: Path, vectors: np.ndarray) -> banks.Bank:
    numbers = range(len(vectors))
    columns = {
        "label": [f"class {i % CLASSES}" for i in numbers],
        "source": [f"{i}.mp4" for i in numbers],
        "embedding": vectors,
    }
    return banks.assemble(
        path,
        FACTS,
        len(vectors),
        lambda numbers: ({name: values[numbers.start : numbers.stop] for name, values in columns.items()}, []),
    )
