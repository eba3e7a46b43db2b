"""The bundled models: how each is built and trained (`Recipe`), and the record that the registry shows (`ModelSpec`)."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ..models.spec import Layout, ModelSpec, PaperRow
from .render import ACTIONS

if TYPE_CHECKING:
    from torch import nn

    from ..models.builders import Depths

FOLDER = Path(__file__).parents[2] / "assets" / "models"
"""Where the bundled weights lie."""

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
_CONV_TAPS = r"blocks\.0|blocks\.\d+\.res_blocks\.\d+"


@dataclass(frozen=True)
class Recipe:
    """How one bundled network is made.

    `rate` is the peak learning rate of AdamW; `muon`, where it is not 0, that of Muon for the matrices of attention.
    Training has phases, mostly small clips and then full-size ones, each with a cycle of the learning rate and a seed
    of its own. A phase has stages: (frames, size, clips, steps of the adversary, strength
    of the noise).
    """

    key: str
    name: str
    family: str
    builder: str
    width: int
    seed: int
    depths: Depths | None = None
    phases: tuple[Stages, ...] = _PHASES
    rate: float = 3e-3
    muon: float = 0.0
    robust: bool = True
    role: Literal["model", "judge"] = "model"
    taps: str = _CONV_TAPS
    embedding_layer: str = "blocks.4"
    layout: Layout = "channels_first"
    batch_norm: bool = True
    size_step: int = 16
    tubelet: int = 1
    batch: int = 16
    paper: PaperRow | None = None
    about: str = ""


RECIPES = {
    recipe.key: recipe
    for recipe in (
        Recipe(
            "puppet_csn",
            "Puppet CSN",
            "CSN",
            "csn",
            16,
            11,
            depths=(1, 1, 1, 1),
            rate=5e-3,
            paper=PaperRow(1.0, 0.2, 5e-3),
            about="Channel-separated network: space-time and channels are mixed in separate convolutions.",
        ),
        Recipe(
            "puppet_r50",
            "Puppet 3D ResNet",
            "3D ResNet",
            "resnet3d",
            16,
            12,
            depths=(1, 1, 1, 1),
            phases=(*_PHASES, _MOTION),
            paper=PaperRow(1.0, 0.3, 7.5e-3),
            about="The classic: a ResNet, one bottleneck a stage, whose convolutions also look along time.",
        ),
        Recipe(
            "puppet_r2plus1d",
            "Puppet (2+1)D ResNet",
            "(2+1)D ResNet",
            "r2plus1d",
            16,
            13,
            depths=(1, 1, 1, 1),
            paper=PaperRow(0.75, 0.1, 5e-3),
            about="Convolves space first, then time.",
        ),
        Recipe(
            "puppet_x3d",
            "Puppet X3D",
            "X3D",
            "x3d",
            12,
            14,
            depths=(1, 1, 2, 2),
            rate=4e-3,
            phases=(*_PHASES, _MOTION, _MOTION, _STEADY),
            paper=PaperRow(0.75, 0.1, 1e-3),
            about="A lean network, expanded from a 2-D one axis at a time.",
        ),
        Recipe(
            "puppet_mvit",
            "Puppet MViT",
            "MViT",
            "mvit",
            48,
            15,
            rate=1.5e-3,
            muon=0.02,
            batch=8,
            phases=(
                ((8, 64, 72_000, 0, 0.3),),
                ((8, 64, 9_600, 1, 0.3), (16, 112, 4_800, 0, 0.3)),
                ((16, 112, 2_400, 1, 0.3),),
                ((8, 64, 16_000, 2, 0.3), (16, 112, 1_600, 2, 0.3)),
            ),
            taps=r"network\.pos_encoding|network\.blocks\.\d+",
            embedding_layer="network.blocks.3",
            layout="time_major",
            tubelet=2,
            batch_norm=False,
            paper=PaperRow(0.75, 0.1, 2.5e-3),
            about="A multiscale vision transformer: attention over tokens of space-time. No batch norm.",
        ),
        Recipe(
            "puppet_r50_clean",
            "Puppet 3D ResNet, clean twin",
            "3D ResNet",
            "resnet3d",
            16,
            12,
            robust=False,
            depths=(1, 1, 1, 1),
            phases=(((8, 64, 24_000, 0, 0.0),), ((16, 112, 3_200, 0, 0.0),)),
            paper=PaperRow(1.0, 0.3, 7.5e-3),
            about="The same network as Puppet 3D ResNet, trained without noise and adversary. It recognises real clips "
            "as well, but its inversions can't be read: compare the two.",
        ),
        Recipe(
            "puppet_judge",
            "Puppet judge",
            "C3D",
            "c3d",
            16,
            77,
            role="judge",
            rate=4e-3,
            batch=32,
            taps="2|6|10|13|16",
            embedding_layer="16",
            about="Only scores finished clips; it never takes part in an optimisation.",
        ),
    )
}
"""The bundled networks by key."""


def specs() -> tuple[ModelSpec, ...]:
    """Records of the bundled models whose weights are there."""
    return tuple(_spec(recipe) for recipe in RECIPES.values() if (FOLDER / f"{recipe.key}.safetensors").exists())


def builder(key: str) -> Callable[[], nn.Module]:
    """What builds the network of a recipe, without weights."""
    return lambda: build(RECIPES[key])


def build(recipe: Recipe) -> nn.Module:
    """The network of a recipe, without weights."""
    from ..models.builders import BUILDERS

    settings: dict[str, Any] = {"depths": recipe.depths} if recipe.depths else {}
    return BUILDERS[recipe.builder](len(ACTIONS), recipe.width, **settings)


def _spec(recipe: Recipe) -> ModelSpec:
    path = FOLDER / f"{recipe.key}.safetensors"
    figures = _metadata(path)
    return ModelSpec(
        key=recipe.key,
        name=recipe.name,
        family=recipe.family,
        world="puppets",
        frames=16,
        size=112,
        taps=recipe.taps,
        embedding_layer=recipe.embedding_layer,
        mean=(0.45,) * 3,
        std=(0.225,) * 3,
        layout=recipe.layout,
        tubelet=recipe.tubelet,
        size_step=recipe.size_step,
        batch_norm=recipe.batch_norm,
        role=recipe.role,
        robust=recipe.robust,
        paper=recipe.paper,
        licence="Apache-2.0",
        about=recipe.about,
        weights=path,
        params=int(figures["params"]),
        accuracy=float(figures["accuracy"]),
        step_ms=float(figures["step_ms"]),
    )


def _metadata(path: Path) -> dict[str, str]:
    """The figures in a safetensors file's header, read without loading its tensors."""
    with path.open("rb") as file:
        return json.loads(file.read(int.from_bytes(file.read(8), "little")))["__metadata__"]
