"""Worlds: the sets of actions that models tell apart. The index of a label is the class."""

from __future__ import annotations

from .. import paths
from ..puppets import ACTIONS

PUPPETS = "puppets"
"""The bundled world: drawn figures, of which clips can be made at will (see `puppets.render_clip`)."""


def listed(name: str) -> tuple[str, ...]:
    """The class names in a file of `paths.LABELS`, one per line: those of a world, or of a checkpoint with an order of its
    own."""
    return tuple((paths.LABELS / f"{name}.txt").read_text("utf-8").splitlines())


WORLDS: dict[str, tuple[str, ...]] = {PUPPETS: ACTIONS} | {name: listed(name) for name in ("kinetics400", "ssv2", "imagenet1k")}
"""The labels of the worlds that are known from the start."""
