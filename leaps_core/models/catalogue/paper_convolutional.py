"""The paper's convolutional models (Table S1), and their siblings.

Sources of the facts: the named repositories and their model zoos; accuracies are top-1 as published, of several views per
video.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from ..spec import PaperRow, Source
from .common import IMAGENET, MB, MM, PTV, Entry, add

if TYPE_CHECKING:
    from torch import nn

MODELS: list[Entry] = []
_add = partial(add, MODELS)


def _x3d(nets: Any, classes: int, deep: float) -> nn.Module:
    network: nn.Module = nets.x3d(classes, strides=(1, 1, 1, 1), deep=deep, head=2048)
    return network


_BLOCKS = r"blocks\.0|blocks\.\d+\.res_blocks\.\d+"


def _ptv(file: str) -> tuple[Source, ...]:
    return (
        Source(f"{PTV}model_zoo/kinetics/{file}", "pytorchvideo"),
        Source(f"{PTV}pysf_model_zoo/kinetics/{file}", "pytorchvideo"),
    )


_add(
    "slow_r50",
    "3D ResNet-50 (Slow 8×8)",
    "3D ResNet",
    (8, 8, 224),
    lambda nets, classes: nets.resnet3d(classes, temporal=(1, 1, 3, 3), strides=(1, 1, 1, 1)),
    _BLOCKS,
    "blocks.4.res_blocks.2.branch2.conv_c",
    _ptv("SLOW_8x8_R50.pyth"),
    size_step=32,
    download=130 * MB,
    paper=PaperRow(1.0, 0.3, 7.5e-3),
    params=32_454_096,
    accuracy=0.7458,
    gmacs=41.9,
    about="A ResNet-50 whose last two stages also look along time; it never shortens time.",
)
_add(
    "r2plus1d_r50",
    "(2+1)D ResNet-50 16×4",
    "(2+1)D ResNet",
    (16, 4, 224),
    lambda nets, classes: nets.r2plus1d(classes),
    _BLOCKS,
    "blocks.4.res_blocks.2.branch2.conv_c",
    _ptv("R2PLUS1D_16x4_R50.pyth"),
    size_step=32,
    download=225 * MB,
    paper=PaperRow(0.75, 0.1, 5e-3),
    params=28_107_600,
    accuracy=0.7601,
    gmacs=57.9,
    about="Convolves space first, then time.",
)
_add(
    "csn_r50",
    "CSN ResNet-50 32×2",
    "CSN",
    (32, 2, 224),
    lambda nets, classes: nets.csn(classes, strides=(1, 2, 2, 2), eps=0.001),
    _BLOCKS,
    "blocks.4.res_blocks.2.branch2.conv_c",
    (
        Source(
            f"{MM}csn/ircsn_ig65m-pretrained-r50-bnfrozen_8xb12-32x2x1-58e_kinetics400-rgb/"
            "ircsn_ig65m-pretrained-r50-bnfrozen_8xb12-32x2x1-58e_kinetics400-rgb_20220811-44395bae.pth",
            "mmaction_csn",
        ),
    ),
    **IMAGENET,
    size_step=32,
    download=53 * MB,
    paper=PaperRow(1.0, 0.2, 5e-3),
    params=13_131_152,
    accuracy=0.7944,
    gmacs=42.8,
    about="Channel-separated network, pretrained on 65 million social-media videos; its batch-norm "
    "statistics are theirs, not those of Kinetics.",
)
_add(
    "csn_r101",
    "CSN ResNet-101 32×2",
    "CSN",
    (32, 2, 224),
    lambda nets, classes: nets.csn(classes, strides=(1, 2, 2, 2), layers=101),
    _BLOCKS,
    "blocks.4.res_blocks.2.branch2.conv_c",
    _ptv("CSN_32x2_R101.pyth"),
    size_step=32,
    download=178 * MB,
    paper=PaperRow(1.0, 0.2, 5e-3),
    params=22_213_776,
    accuracy=0.77,
    gmacs=57.0,
    about="Channel-separated network: space-time and channels are mixed in separate convolutions. The paper's code loads "
    "this one for its CSN R50.",
)
for _key, _name, _clip, _deep, _accuracy, _gmacs, _params, _last, _row in (
    ("xs", "X3D-XS 4×12", (4, 12, 160), 2.2, 0.6912, 0.63, 3_794_274, 6, PaperRow(1.0, 0.2, 1e-3)),
    ("s", "X3D-S 13×6", (13, 6, 160), 2.2, 0.7333, 2.03, 3_794_274, 6, PaperRow(1.0, 0.1, 1e-3)),
    ("m", "X3D-M 16×5", (16, 5, 224), 2.2, 0.7594, 4.90, 3_794_274, 6, PaperRow(0.75, 0.1, 1e-3)),
    ("l", "X3D-L 16×5", (16, 5, 312), 5.0, 0.7744, 18.9, 6_153_384, 14, PaperRow(0.75, 0.1, 1e-3)),
):
    _add(
        f"x3d_{_key}",
        _name,
        "X3D",
        _clip,
        partial(_x3d, deep=_deep),
        _BLOCKS,
        f"blocks.4.res_blocks.{_last}.branch2.conv_c",
        _ptv(f"X3D_{_key.upper()}.pyth"),
        size_step=32,
        download=round(_params * 8.1),
        paper=_row,
        params=_params,
        accuracy=_accuracy,
        gmacs=_gmacs,
        about="A lean network, expanded from a 2-D one axis at a time.",
    )
