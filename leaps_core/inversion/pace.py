"""How fast this machine is beside those on which the models' step times were measured: learnt from the runs it has done."""

from __future__ import annotations

import json
import math
from contextlib import suppress
from pathlib import Path

from .. import files, paths
from ..config import SynthesisConfig

LEAST = 2.0
"""Seconds; shorter runs say little."""
RANGE = (0.02, 50.0)
"""What is believed."""


def pace(config: SynthesisConfig) -> float:
    """Seconds that runs of a config's model in its number format took here, by those reckoned from the records; of a model that
    was never run, as those that were; 1 where there were none."""
    known = _known()
    own = [known[f"{config.model} {name}"] for name in _formats(config) if f"{config.model} {name}" in known]
    like = [value for key, value in known.items() if key.rpartition(" ")[2] in _formats(config)]
    return own[0] if own else math.exp(sum(map(math.log, like)) / len(like)) if like else 1.0


def learn(config: SynthesisConfig, reckoned: float, took: float) -> None:
    """Note what a whole run took; the newest counts for half. What can't be written is left."""
    if took < LEAST or reckoned <= 0:
        return
    known, key = _known(), f"{config.model} {config.precision}"
    share = min(max(took / reckoned, RANGE[0]), RANGE[1])
    known[key] = math.sqrt(known.get(key, share) * share)
    with suppress(OSError):
        files.write(_file(), json.dumps(known, indent=1))


def _formats(config: SynthesisConfig) -> tuple[str, ...]:
    """The number formats that a run may have, the likelier first; which one it is, only PyTorch would know."""
    return ("bfloat16", "float32") if config.precision == "auto" else (config.precision,)


def _file() -> Path:
    return paths.home() / "pace.json"


def _known() -> dict[str, float]:
    try:
        found = json.loads(_file().read_text("utf-8"))
        return {str(key): float(value) for key, value in found.items() if RANGE[0] <= float(value) <= RANGE[1]}
    except (OSError, ValueError, TypeError, AttributeError):  # there is none, or somebody wrote something else
        return {}
