"""The bundled models: narrow networks that know the world of the puppets, trained by `leaps_core.training`.

Their rows of λ_1, λ_L and r were found by `leaps study grid` (docs/results.md); X3D's and the clean twin's are those of the
published networks of their families in Table S1.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .. import paths
from .registry import register
from .spec import ModelSpec, PaperRow
from .worlds import PUPPETS, WORLDS

if TYPE_CHECKING:
    from torch import nn

CLASSES = len(WORLDS[PUPPETS])
_BLOCKS: dict[str, Any] = {"taps": r"blocks\.0|blocks\.\d+\.res_blocks\.\d+", "embedding_layer": "blocks.4"}


def _architectures() -> Any:
    from . import architectures  # torch: only when a network is built

    return architectures


def _record(key: str, name: str, family: str, **facts: Any) -> ModelSpec:
    shared: dict[str, Any] = {"world": PUPPETS, "frames": 16, "size": 112, "licence": "Apache-2.0", "robust": True}
    return ModelSpec(key=key, name=name, family=family, weights=paths.WEIGHTS / f"{key}.safetensors", **shared | facts)


_MODELS: tuple[tuple[ModelSpec, Callable[[], nn.Module]], ...] = (
    (
        _record(
            "puppet_csn",
            "Puppet CSN",
            "CSN",
            **_BLOCKS,
            paper=PaperRow(0.75, 0.2, 1e-3),
            about="Channel-separated network: space-time and channels are mixed in separate convolutions.",
        ),
        lambda: _architectures().csn(CLASSES, 16, depths=(1, 1, 1, 1)),
    ),
    (
        _record(
            "puppet_r50",
            "Puppet 3D ResNet",
            "3D ResNet",
            **_BLOCKS,
            paper=PaperRow(0.5, 0.3, 1e-3),
            about="The classic: a ResNet, one bottleneck per stage, whose convolutions also look along time.",
        ),
        lambda: _architectures().resnet3d(CLASSES, 16, depths=(1, 1, 1, 1)),
    ),
    (
        _record(
            "puppet_r2plus1d",
            "Puppet (2+1)D ResNet",
            "(2+1)D ResNet",
            **_BLOCKS,
            paper=PaperRow(0.625, 0.5, 1e-3),
            about="Convolves space first, then time.",
        ),
        lambda: _architectures().r2plus1d(CLASSES, 16, depths=(1, 1, 1, 1)),
    ),
    (
        _record(
            "puppet_x3d",
            "Puppet X3D",
            "X3D",
            **_BLOCKS,
            paper=PaperRow(0.75, 0.1, 1e-3),
            about="A lean network, expanded from a 2-D one axis at a time.",
        ),
        lambda: _architectures().x3d(CLASSES, 12, depths=(1, 1, 2, 2)),
    ),
    (
        _record(
            "puppet_mvit",
            "Puppet MViT",
            "MViT",
            taps=r"network\.pos_encoding|network\.blocks\.\d+",
            embedding_layer="network.blocks.3",
            layout="time_major",
            tubelet=2,
            batch_norm=False,
            paper=PaperRow(0.5, 0.5, 1e-3),
            about="A multiscale vision transformer: attention over tokens of space-time. No batch norm.",
        ),
        lambda: _architectures().small_mvit(CLASSES, 48),
    ),
    (
        _record(
            "puppet_r50_clean",
            "Puppet 3D ResNet, clean twin",
            "3D ResNet",
            **_BLOCKS,
            robust=False,
            paper=PaperRow(1.0, 0.3, 7.5e-3),
            about="The same network as Puppet 3D ResNet, trained without noise and adversary. It recognises real clips "
            "as well, but its inversions can't be read: compare the two.",
        ),
        lambda: _architectures().resnet3d(CLASSES, 16, depths=(1, 1, 1, 1)),
    ),
    (
        _record(
            "puppet_judge",
            "Puppet judge",
            "C3D",
            role="judge",
            taps="2|6|10|13|16",
            embedding_layer="16",
            about="Only scores finished clips; it never takes part in an optimisation.",
        ),
        lambda: _architectures().c3d(CLASSES, 16),
    ),
)
RECORDS = {record.key: record for record, _ in _MODELS}
"""The bundled models by key, whether their weights are there or not; without what was measured of the weights."""
BUILDERS = dict(zip(RECORDS, (build for _, build in _MODELS), strict=True))
"""What builds each network, without weights."""


def provide() -> list[str]:
    """Registers those whose weights are there, with what was measured of them."""
    for key, record in RECORDS.items():
        if record.weights is not None and record.weights.exists():
            measured = _metadata(record.weights)
            complete = replace(
                record, params=int(measured["params"]), accuracy=float(measured["accuracy"]), step_ms=float(measured["step_ms"])
            )
            register(complete, BUILDERS[key])
    return []


def _metadata(path: Path) -> dict[str, Any]:
    """The metadata in a safetensors file's header, read without loading its tensors."""
    with path.open("rb") as file:
        header: dict[str, Any] = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    return dict(header["__metadata__"])
