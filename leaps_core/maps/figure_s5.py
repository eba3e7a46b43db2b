"""What the paper's Figure S5 compares: LEAPS, and LEAPS without feature diversity (R_feat)."""

from __future__ import annotations

from ..config import SynthesisConfig
from ..inversion.terms import has_diversity

LEAPS, WITHOUT = "LEAPS", "without R_feat"
ARMS = {WITHOUT: 0.0, LEAPS: 1.0}
"""The two arms, and the share that each has of the config's feature diversity."""
COLOURS = {"real": "#4c78c8", "stimuli": "#8a94a6", WITHOUT: "#f58518", LEAPS: "#d62728"}
"""As in the paper's figure: real clips blue, LEAPS without R_feat orange, LEAPS red."""


def arm(config: SynthesisConfig) -> str:
    """Which arm a run belongs to, by the settings that it began with."""
    return LEAPS if has_diversity(config) else WITHOUT
