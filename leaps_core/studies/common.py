"""One inversion, kept on disk: what the studies of quality, sliders and embeddings are made of."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .. import files, models
from ..config import SynthesisConfig
from ..inversion.loop import synthesize
from ..inversion.plan import make_plan


@dataclass(frozen=True)
class Inversion:
    """A finished clip, uint8 (T, H, W, 3), and the final scores of its run."""

    frames: np.ndarray
    scores: dict[str, Any]


def invert(config: SynthesisConfig, cache: Path) -> Inversion:
    """Run a config to its end, or take the result of an earlier call with the same config and weights from `cache`."""
    plan = make_plan(config)
    weights = [models.fingerprint(spec) for spec in plan.cast.networks.values()]
    name = hashlib.sha256((config.model_dump_json() + "".join(weights)).encode()).hexdigest()[:20]
    path = cache / f"{name}.npz"
    if not path.exists():
        *_, last = synthesize(plan)
        assert last.final is not None
        cache.mkdir(parents=True, exist_ok=True)
        files.write_arrays(path, frames=last.frames, scores=json.dumps(last.final))
    with np.load(path) as saved:
        return Inversion(saved["frames"], json.loads(str(saved["scores"])))
