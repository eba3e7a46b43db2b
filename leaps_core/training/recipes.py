"""How each bundled model is trained: the schedule of clips, sizes, noise and adversaries."""

from __future__ import annotations

from dataclasses import dataclass

Stages = tuple[tuple[int, int, int, int, float], ...]
_PHASES: tuple[Stages, ...] = (
    ((8, 64, 16_000, 0, 1.0), (8, 64, 8_000, 0, 0.3), (16, 112, 1_600, 0, 0.3)),
    ((8, 64, 4_800, 1, 1.0), (8, 64, 9_600, 2, 0.3), (16, 112, 1_600, 2, 0.3)),
)
_MOTION: Stages = ((8, 64, 9_600, 0, 0.3), (8, 64, 4_800, 1, 0.3), (16, 112, 1_200, 1, 0.3))
"""Under much noise or a strong adversary, networks learn poses but hardly the direction of a motion, which little of both
lets them learn."""
_STEADY: Stages = ((8, 64, 9_600, 2, 0.3), (16, 112, 1_200, 2, 0.3))
"""The strong adversary again, for a network that `_MOTION` left less steady."""


@dataclass(frozen=True)
class Recipe:
    """How the bundled network of a key is trained.

    `rate` is the peak learning rate of AdamW; `muon`, where it is not 0, that of Muon for the matrices of attention.
    Training has phases, mostly small clips and then full-size ones, each with a cycle of the learning rate and a seed
    of its own. A phase has stages: (frames, size, clips, steps of the adversary, strength of the noise).
    """

    key: str
    seed: int
    phases: tuple[Stages, ...] = _PHASES
    rate: float = 3e-3
    muon: float = 0.0
    batch: int = 16


RECIPES = {
    recipe.key: recipe
    for recipe in (
        Recipe("puppet_csn", 11, rate=5e-3),
        Recipe("puppet_r50", 12, phases=(*_PHASES, _MOTION)),
        Recipe("puppet_r2plus1d", 13),
        Recipe("puppet_x3d", 14, phases=(*_PHASES, _MOTION, _MOTION, _STEADY), rate=4e-3),
        Recipe(
            "puppet_mvit",
            15,
            phases=(
                ((8, 64, 72_000, 0, 0.3),),
                ((8, 64, 9_600, 1, 0.3), (16, 112, 4_800, 0, 0.3)),
                ((16, 112, 2_400, 1, 0.3),),
                ((8, 64, 16_000, 2, 0.3), (16, 112, 1_600, 2, 0.3)),
            ),
            rate=1.5e-3,
            muon=0.02,
            batch=8,
        ),
        Recipe("puppet_r50_clean", 12, phases=(((8, 64, 24_000, 0, 0.0),), ((16, 112, 3_200, 0, 0.0),))),
        Recipe("puppet_judge", 77, rate=4e-3, batch=32),
    )
}
"""The bundled networks' recipes by key."""
