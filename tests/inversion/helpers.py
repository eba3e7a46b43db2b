"""Short runs of networks of a few thousand parameters."""

from __future__ import annotations

from leaps_core.config import SynthesisConfig
from leaps_core.inversion.control import Control
from leaps_core.inversion.loop import synthesize
from leaps_core.inversion.step import Step


def config(**settings: object) -> SynthesisConfig:
    return SynthesisConfig(
        **{
            "model": "tiny",
            "action": "bowling",
            "verifier": "tiny_verifier",
            "judge": "tiny_judge",
            "steps": 6,
            "device": "cpu",
            **settings,
        }
    )


def run(control: Control | None = None, **settings: object) -> list[Step]:
    return list(synthesize(config(**settings), control))
