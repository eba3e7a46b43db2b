"""What the records of published models share: addresses, normalisations, costs, and how a record is made."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from ..spec import ModelSpec, Source
from ..worlds import WORLDS

if TYPE_CHECKING:
    from torch import nn

Build = Callable[[Any, int], "nn.Module"]
"""Given the module `architectures` and the number of classes, builds a network with random weights."""
Entry = tuple[ModelSpec, Callable[[], "nn.Module"]]
"""A record, and what builds its network."""
IMAGENET = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}
TORCHVISION = {"mean": (0.43216, 0.394666, 0.37645), "std": (0.22803, 0.22145, 0.216989)}
HALF = {"mean": (0.5,) * 3, "std": (0.5,) * 3}
MB = 10**6
NC = "CC-BY-NC-4.0"
MVIT_TAPS = r"network\.pos_encoding|network\.blocks\.\d+"
PTV = "https://dl.fbaipublicfiles.com/pytorchvideo/"
SLOWFAST = "https://dl.fbaipublicfiles.com/pyslowfast/"
TV = "https://download.pytorch.org/models/"
MM = "https://download.openmmlab.com/mmaction/v1.0/recognition/"
SWIN = "https://github.com/SwinTransformer/storage/releases/download/v1.0.4/"
COST: dict[str, tuple[float, float]] = {
    "x3d_xs": (50, 0.9),
    "x3d_s": (210, 1.3),
    "x3d_m": (650, 2.0),
    "s3d": (650, 1.7),
    "i3d": (460, 1.6),
    "efficientnet_lite0": (560, 2.7),
    "x3d_l": (2180, 4.6),
    "r2plus1d_18": (660, 1.6),
    "r3d_18": (600, 1.2),
    "slow_r50": (760, 2.1),
    "csn_r50": (2420, 3.8),
    "mc3_18": (600, 1.2),
    "csn_r101": (3050, 4.3),
    "r2plus1d_r50": (1650, 3.2),
    "rev_mvit_b": (2090, 1.6),
    "mvitv2_s": (2090, 2.7),
    "mvit_v1_b": (1900, 2.5),
    "swin_t": (3180, 4.1),
    "hiera_b": (2520, 3.1),
    "uniformerv2_b16_8": (2320, 2.5),
    "swin_s": (5300, 5.6),
    "videomae_b": (3340, 2.4),
    "timesformer": (2950, 2.7),
    "mvitv2_b": (14240, 3.0),
    "swin_b": (12300, 3.3),
    "vivit_b": (14800, 2.2),
    "uniformerv2_l14_8": (14390, 3.4),
    "vjepa2_l_ssv2": (22680, 4.9),
    "uniformerv2_l14_16": (31090, 6.2),
}
"""Milliseconds of a forward and backward pass, and GiB of the process that makes a step, at native size on two cores: from
`python -m benchmarks.zoo`, less what a step does besides (`inversion.estimate.VIEW_MS`, `OBSERVED`)."""


def add(
    models: list[Entry],
    key: str,
    name: str,
    family: str,
    clip: tuple[int, int, int],
    build: Build,
    taps: str,
    embedding: str,
    sources: tuple[Source, ...],
    **facts: Any,
) -> None:
    """Append a record to `models`. `clip`: frames, stride, size. `facts`: all other fields of `ModelSpec`."""
    facts = {"world": "kinetics400", "licence": "Apache-2.0"} | dict(zip(("step_ms", "memory"), COST.get(key, ()))) | facts
    spec = ModelSpec(
        key=key,
        name=name,
        family=family,
        frames=clip[0],
        stride=clip[1],
        size=clip[2],
        taps=taps,
        embedding_layer=embedding,
        sources=sources,
        **facts,
    )
    models.append((spec, partial(_built, build, spec.world)))


def torchvision(nets: Any, classes: int, name: str) -> nn.Module:
    """A network of torchvision by its name."""
    network: nn.Module = nets.torchvision(classes, name=name)
    return network


def _built(build: Build, world: str) -> nn.Module:
    from .. import architectures  # torch: only when a network is built

    return build(architectures, len(WORLDS[world]))
