"""The rule that made the parity fixtures in tests/data/parity: weights from names and shapes alone, and an input.

Each fixture holds the logits that a published implementation gave for these weights and this clip, in float32 on a CPU.
`RandomState` is NumPy's frozen generator, so the values are the same under every NumPy release.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterable, Mapping

import numpy as np
import torch
from torch import Tensor

UNTOUCHED = frozenset({"num_batches_tracked", "relative_position_index"})
"""Last name components of integer buffers, which a network makes itself."""
EMBEDDINGS = frozenset(
    {
        "cls_token",
        "class_embedding",
        "temporal_cls_token",
        "pos_embed",
        "positional_embedding",
        "time_embed",
        "pos_embed_spatial",
        "pos_embed_temporal",
    }
)


def fill_tensor(name: str, shape: Iterable[int]) -> np.ndarray:
    """The values of one tensor, float32. Raises `ValueError` for a name without a rule."""
    shape, leaf = tuple(shape), name.rpartition(".")[2]
    v = np.random.RandomState(zlib.crc32(name.encode())).standard_normal(shape).astype(np.float32)  # noqa: NPY002
    if leaf == "running_mean":
        return v * np.float32(0.1)
    if leaf == "running_var":
        return np.float32(1.0) + np.float32(0.1) * np.abs(v)
    if leaf in EMBEDDINGS:
        return v * np.float32(0.02)
    if leaf == "balance":
        return v
    if len(shape) >= 2:
        return v * np.float32(1.0 / math.sqrt(math.prod(shape[1:])))
    if len(shape) == 1 and leaf == "weight":
        return np.float32(1.0) + np.float32(0.1) * v
    if len(shape) == 1 and leaf.endswith("bias"):
        return v * np.float32(0.1)
    raise ValueError(f"no rule for {name} of shape {shape}")


def fill_state_dict(shapes: Mapping[str, Iterable[int]]) -> dict[str, Tensor]:
    """Tensors by name, without the integer buffers."""
    return {
        name: torch.from_numpy(fill_tensor(name, shape))
        for name, shape in shapes.items()
        if name.rpartition(".")[2] not in UNTOUCHED
    }


def make_input(shape: Iterable[int]) -> Tensor:
    """A fixture's clip (1, 3, T, H, W), standard normal."""
    return torch.from_numpy(np.random.RandomState(0).standard_normal(tuple(shape)).astype(np.float32))  # noqa: NPY002
