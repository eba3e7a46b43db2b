"""Records to networks with weights: frozen, read once per device, shared by all runs of a process."""

from __future__ import annotations

import copy
import hashlib
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from .. import files, machine
from ..errors import ModelError
from . import registry, weights
from .shards import shards
from .spec import ModelSpec

if TYPE_CHECKING:
    from torch import Tensor

    from .adapter import VideoModel

_loaded: dict[tuple[str, str, str], tuple[object, VideoModel]] = {}
"""By key, device and precision: what was loaded, to tell whether that is still what is wanted, and the model."""
_lock = files.ThreadLock()


def state(spec: ModelSpec) -> str:
    """Where a model's weights are: "bundled" (shipped), "local" (given by hand), "cached" (downloaded before) or
    "download" (not on this machine)."""
    return weights.find(spec)[0]


def load(key: str, device: str = "auto", precision: str = "float32") -> VideoModel:
    """A frozen model in eval mode, ready for one run. Nothing is downloaded. precision: float32, bfloat16, or auto, what this
    machine is fast at; a network that can't do with bfloat16 stays as it is. Raises `ModelError`, which says how to get weights
    that are not on this machine.

    Weights are read once per device and shared; each call gives modules of its own, so that the hooks of two runs in
    one process never meet.
    """
    from . import formats
    from .adapter import VideoModel

    record, place = registry.spec(key), machine.pick_device(device)
    precision = machine.pick_precision(precision, device)
    with _lock:
        path = weights.path(record)
        changed = tuple(part.stat().st_mtime_ns for part in shards(path) if part.exists()) if path else None
        wanted = (record, registry.builder(key), path, changed)
        known, model = _loaded.get((key, str(place), precision), (None, None))
        if model is None or known != wanted:  # or the file, or the network, is another one by now
            model = plain = VideoModel(record, registry.network(key), path).to(place)
            known_well = record.sources or state(record) == "bundled"
            if not known_well:
                model = copy.deepcopy(plain)
            formats.lay_out(model, precision)
            if not known_well and not formats.agree(model, plain):
                model = plain
            _loaded[key, str(place), precision] = wanted, model
        return model.fork()


def fingerprint(spec: ModelSpec) -> str:
    """Which weights a model has: 16 hexadecimal digits of the SHA-256 of its file (of several, of their digits); of its tensors
    where it has no file, which builds it unless it is loaded already. Raises `ModelError` for missing weights."""
    file = weights.path(spec)
    if file is None:
        with _lock:
            wanted = (registry.spec(spec.key), registry.builder(spec.key), None, None)
            there = next((model.network for known, model in _loaded.values() if known == wanted and not model.rounded), None)
            state = (there or registry.network(spec.key)).state_dict()
        parts = [part for name in sorted(state) for part in (name.encode(), _bytes(state[name]))]
        return hashlib.sha256(b"".join(parts)).hexdigest()[:16]
    try:
        hashes = [_file_hash(part, part.stat().st_mtime_ns, part.stat().st_size) for part in shards(file)]
    except OSError:
        raise ModelError(f"“{spec.key}”: its weights {file.name} are missing.") from None
    return hashes[0] if len(hashes) == 1 else hashlib.sha256("".join(hashes).encode()).hexdigest()[:16]


def _bytes(tensor: Tensor) -> bytes:
    """The numbers of a tensor of any type, NumPy's or not."""
    import torch

    return tensor.detach().cpu().reshape(-1).view(torch.uint8).numpy().tobytes()


@lru_cache(maxsize=64)
def _file_hash(path: Path, changed: int, size: int) -> str:
    return files.sha256_of(path)[:16]
