"""The published models: the paper's (Table S1) and others, each with all of its facts and what builds it.

Importing this doesn't import torch; a builder does when it is called. Sources of the facts: the named repositories and
their model zoos; accuracies are top-1 on Kinetics-400, as published, of several views a video.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .spec import ModelSpec, PaperRow, Source

if TYPE_CHECKING:
    from torch import nn

LABELS = Path(__file__).parents[2] / "assets" / "labels"
"""Class names, one a line, in the order of the classes: of each world, and of checkpoints with an order of their own."""
WORLDS = {"kinetics400": 400, "ssv2": 174}
"""The worlds of published models, and how many actions they have."""

_N45 = {"mean": (0.45,) * 3, "std": (0.225,) * 3}
_IMAGENET = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}
_TORCHVISION = {"mean": (0.43216, 0.394666, 0.37645), "std": (0.22803, 0.22145, 0.216989)}
_HALF = {"mean": (0.5,) * 3, "std": (0.5,) * 3}
_MB = 10**6
_NC = "CC-BY-NC-4.0"

_PTV = "https://dl.fbaipublicfiles.com/pytorchvideo/"
_SLOWFAST = "https://dl.fbaipublicfiles.com/pyslowfast/"
_TV = "https://download.pytorch.org/models/"
_MM = "https://download.openmmlab.com/mmaction/v1.0/recognition/"
_SWIN = "https://github.com/SwinTransformer/storage/releases/download/v1.0.4/"


def labels(name: str) -> tuple[str, ...]:
    """The class names in a file of `LABELS`."""
    return tuple((LABELS / f"{name}.txt").read_text("utf-8").splitlines())


def _build(module: str, builder: str, world: str, settings: dict[str, Any]) -> nn.Module:
    network: nn.Module = getattr(import_module(f".{module}", __package__), builder)(WORLDS[world], **settings)
    return network


_COST: dict[str, tuple[float, float]] = {
    "x3d_xs": (50, 0.9),
    "x3d_s": (210, 1.3),
    "x3d_m": (650, 2.0),
    "s3d": (650, 1.7),
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
`python -m benchmarks.zoo`, less what a step does besides (`synthesis.VIEW_MS`, `OBSERVED`)."""


_models: list[tuple[ModelSpec, Callable[[], nn.Module]]] = []


def _add(
    key: str,
    name: str,
    family: str,
    clip: tuple[int, int, int],
    build: tuple[str, str, dict[str, Any]],
    taps: str,
    embedding: str,
    sources: tuple[Source, ...],
    **facts: Any,
) -> None:
    """`clip`: frames, stride, size. `build`: module, function and settings of the builder."""
    facts = {"world": "kinetics400", "licence": "Apache-2.0"} | dict(zip(("step_ms", "memory"), _COST.get(key, ()))) | facts
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
    _models.append((spec, partial(_build, build[0], build[1], spec.world, build[2])))


# ------------------------------------------------------------------------------------ convolutional, of pytorchvideo

_BLOCKS = r"blocks\.0|blocks\.\d+\.res_blocks\.\d+"


def _ptv(file: str) -> tuple[Source, ...]:
    return (
        Source(f"{_PTV}model_zoo/kinetics/{file}", "pytorchvideo"),
        Source(f"{_PTV}pysf_model_zoo/kinetics/{file}", "pytorchvideo"),
    )


_add(
    "slow_r50",
    "3D ResNet-50 (Slow 8×8)",
    "3D ResNet",
    (8, 8, 224),
    ("builders", "resnet3d", {"temporal": (1, 1, 3, 3), "strides": (1, 1, 1, 1)}),
    _BLOCKS,
    "blocks.4.res_blocks.2.branch2.conv_c",
    _ptv("SLOW_8x8_R50.pyth"),
    **_N45,
    size_step=32,
    download=130 * _MB,
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
    ("builders", "r2plus1d", {}),
    _BLOCKS,
    "blocks.4.res_blocks.2.branch2.conv_c",
    _ptv("R2PLUS1D_16x4_R50.pyth"),
    **_N45,
    size_step=32,
    download=225 * _MB,
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
    ("builders", "csn", {"strides": (1, 2, 2, 2), "eps": 1e-3}),
    _BLOCKS,
    "blocks.4.res_blocks.2.branch2.conv_c",
    (
        Source(
            f"{_MM}csn/ircsn_ig65m-pretrained-r50-bnfrozen_8xb12-32x2x1-58e_kinetics400-rgb/"
            "ircsn_ig65m-pretrained-r50-bnfrozen_8xb12-32x2x1-58e_kinetics400-rgb_20220811-44395bae.pth",
            "mmaction_csn",
        ),
    ),
    **_IMAGENET,
    size_step=32,
    download=53 * _MB,
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
    ("builders", "csn", {"strides": (1, 2, 2, 2), "layers": 101}),
    _BLOCKS,
    "blocks.4.res_blocks.2.branch2.conv_c",
    _ptv("CSN_32x2_R101.pyth"),
    **_N45,
    size_step=32,
    download=178 * _MB,
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
        ("builders", "x3d", {"strides": (1, 1, 1, 1), "deep": _deep, "head": 2048}),
        _BLOCKS,
        f"blocks.4.res_blocks.{_last}.branch2.conv_c",
        _ptv(f"X3D_{_key.upper()}.pyth"),
        **_N45,
        size_step=32,
        download=round(_params * 8.1),
        paper=_row,
        params=_params,
        accuracy=_accuracy,
        gmacs=_gmacs,
        about="A lean network, expanded from a 2-D one axis at a time.",
    )

# ----------------------------------------------------------------------------------------------- attention, the paper's

_add(
    "timesformer",
    "TimeSformer 8×32",
    "TimeSformer",
    (8, 32, 224),
    ("builders", "timesformer", {}),
    r"network\.timesformer\.embeddings|network\.timesformer\.encoder\.layer\.\d+",
    "network.timesformer.layernorm",
    (
        Source("hub:facebook/timesformer-base-finetuned-k400/pytorch_model.bin", "transformers"),
        Source("https://www.dropbox.com/s/g5t24we9gl5yk88/TimeSformer_divST_8x32_224_K400.pyth?dl=1", "timesformer"),
    ),
    **_N45,
    layout="space_major",
    batch_norm=False,
    licence=_NC,
    download=486 * _MB,
    paper=PaperRow(1.0, 0.2, 2.5e-3),
    params=121_566_352,
    accuracy=0.779,
    gmacs=195.8,
    about="Divided attention: each patch looks along time, then over its frame.",
)
for _key, _name, _file, _hash, _github, _accuracy, _gmacs, _params, _bytes, _row in (
    (
        "t",
        "Video Swin-T 32×2",
        "swin3d_t-7615ae03.pth",
        "7615ae03",
        "swin_tiny_patch244_window877_kinetics400_1k.pth",
        0.77715,
        88.1,
        28_158_070,
        127,
        PaperRow(0.75, 0.2, 1e-3),
    ),
    (
        "s",
        "Video Swin-S 32×2",
        "swin3d_s-da41c237.pth",
        "da41c237",
        "swin_small_patch244_window877_kinetics400_1k.pth",
        0.79521,
        165.7,
        49_816_678,
        229,
        PaperRow(0.75, 0.1, 1e-3),
    ),
    # the paper's is the one pretrained on ImageNet-22k, which is not torchvision's default
    (
        "b",
        "Video Swin-B 32×2 (ImageNet-22k)",
        "swin3d_b_22k-7c6ae6fa.pth",
        "7c6ae6fa",
        "swin_base_patch244_window877_kinetics400_22k.pth",
        0.81643,
        281.3,
        88_048_984,
        382,
        PaperRow(0.625, 0.1, 1e-3),
    ),
):
    _add(
        f"swin_{_key}",
        _name,
        "Video Swin",
        (32, 2, 224),
        ("builders", "torchvision", {"name": f"swin3d_{_key}"}),
        r"patch_embed|features\.[0246]\.\d+",
        "norm",
        (Source(_TV + _file, "plain", _hash), Source(_SWIN + _github, "video_swin")),
        **_IMAGENET,
        layout="channels_last",
        tubelet=2,
        size_step=32,
        batch_norm=False,
        licence="BSD-3-Clause",
        download=_bytes * _MB,
        paper=_row,
        params=_params,
        accuracy=_accuracy,
        gmacs=_gmacs,
        recompute=_key == "b",
        about="Attention in shifted windows of space-time.",
    )

_MVIT_TAPS = r"network\.pos_encoding|network\.blocks\.\d+"
_MVIT_PATCH = ((3, 7, 7), (2, 4, 4), (1, 3, 3))
_add(
    "mvitv2_s",
    "MViTv2-S 16×4",
    "MViTv2",
    (16, 4, 224),
    ("builders", "mvit", {"depths": (1, 2, 11, 2), "kv": 8, "size": 224, "patch": _MVIT_PATCH}),
    _MVIT_TAPS,
    "network.norm",
    (
        Source(_TV + "mvit_v2_s-ae3be167.pth", "torchvision_mvit", "ae3be167"),
        Source(_SLOWFAST + "model_zoo/mvitv2/pysf_video_models/MViTv2_S_16x4_k400_f302660347.pyth", "slowfast_mvit"),
    ),
    **_N45,
    layout="time_major",
    tubelet=2,
    size_step=32,
    batch_norm=False,
    licence="BSD-3-Clause",
    download=138 * _MB,
    paper=PaperRow(0.75, 0.1, 2.5e-3),
    params=34_537_744,
    accuracy=0.80757,
    gmacs=64.2,
    about="A multiscale vision transformer: attention over tokens that are pooled from stage to stage.",
)
_add(
    "mvitv2_b",
    "MViTv2-B 32×3",
    "MViTv2",
    (32, 3, 224),
    ("builders", "mvit", {"depths": (2, 3, 16, 3), "kv": 8, "frames": 32, "size": 224, "patch": _MVIT_PATCH}),
    _MVIT_TAPS,
    "network.norm",
    (Source(_SLOWFAST + "model_zoo/mvitv2/pysf_video_models/MViTv2_B_32x3_k400_f304025456.pyth", "slowfast_mvit"),),
    **_N45,
    layout="time_major",
    tubelet=2,
    size_step=32,
    batch_norm=False,
    download=600 * _MB,
    recompute=True,
    paper=PaperRow(0.75, 0.1, 1e-3),
    params=51_230_128,
    accuracy=0.829,
    gmacs=224.5,
    about="A multiscale vision transformer, deeper than S and with twice its frames.",
)
_add(
    "rev_mvit_b",
    "rev-MViT-B 16×4",
    "rev-MViT",
    (16, 4, 224),
    ("rev_mvit", "rev_mvit", {}),
    r"patch_embed|rev_backbone\.layers\.\d+\.tap",
    "norm",
    (Source(_SLOWFAST + "rev/REV_MVIT_B_16x4.pyth", "slowfast"),),
    **_N45,
    layout="time_major",
    class_token=False,
    tubelet=2,
    size_step=32,
    batch_norm=False,
    download=400 * _MB,
    paper=PaperRow(0.625, 0.1, 5e-3),
    params=34_963_120,
    accuracy=0.784,
    gmacs=63.7,
    about="A multiscale transformer of two streams, whose layers' inputs can be computed back from their outputs.",
    caution="Users report about 16 % top-1 of the published file instead of the stated 78.4 % (SlowFast issues 613, 616); "
    "its inversions may show what it learned, or little.",
)

_UNIFORMER_TAPS = r"backbone\.ln_pre|backbone\.transformer\.resblocks\.\d+"
_UNIFORMER = {
    "mean": (0.45,) * 3,
    "std": (0.225,) * 3,
    "layout": "frames",
    "size_step": 14,
    "fixed": ("size",),
    "batch_norm": False,
    "licence": "MIT / Apache-2.0",
}
_add(
    "uniformerv2_b16_8",
    "UniFormerV2-B/16, 8 frames",
    "UniFormerV2",
    (8, 0, 224),
    ("uniformerv2", "uniformerv2", {}),
    _UNIFORMER_TAPS,
    "backbone.transformer.resblocks.11",
    (
        Source("hub:Andy1621/uniformerv2/k400+k710_uniformerv2_b16_8x224.pyth", "uniformerv2"),
        Source(
            f"{_MM}uniformerv2/uniformerv2-base-p16-res224_clip-kinetics710-pre_8xb32-u8_kinetics400-rgb/"
            "uniformerv2-base-p16-res224_clip-kinetics710-pre_8xb32-u8_kinetics400-rgb_20230313-75be0806.pth",
            "mmaction_uniformerv2",
        ),
    ),
    **_UNIFORMER,
    download=458 * _MB,
    paper=PaperRow(1.0, 0.2, 2.5e-3),
    params=114_552_208,
    accuracy=0.856,
    gmacs=148.1,
    about="CLIP's image transformer, frame by frame, and four blocks that read all frames at once.",
)
_LARGE = {"width": 1024, "heads": 16, "depth": 24, "patch": 14}
for _frames, _large, _accuracy, _gmacs in (
    (8, "u8_kinetics400-rgb_20221219-972ea063", 0.887, 665.6),
    (16, "u16_kinetics400-rgb_20221219-6dc86d05", 0.890, 1331.2),
):
    _add(
        f"uniformerv2_l14_{_frames}",
        f"UniFormerV2-L/14, {_frames} frames",
        "UniFormerV2",
        (_frames, 0, 224),
        ("uniformerv2", "uniformerv2", _LARGE),
        _UNIFORMER_TAPS,
        "backbone.transformer.resblocks.23",
        (
            Source(
                f"{_MM}uniformerv2/kinetics400/uniformerv2-large-p14-res224_clip-kinetics710-pre_{_large}.pth",
                "mmaction_uniformerv2",
            ),
            Source(
                "https://pjlab-gvm-data.oss-cn-shanghai.aliyuncs.com/uniformerv2/k400/"  # not served since 2024
                f"k400_k710_uniformerv2_l14_{_frames}x224.pyth",
                "uniformerv2",
            ),
        ),
        **_UNIFORMER,
        download=1450 * _MB,
        recompute=True,
        paper=PaperRow(1.0, 0.1, 1e-3),
        params=354_099_600,
        accuracy=_accuracy,
        gmacs=_gmacs,
        about="CLIP's large image transformer, frame by frame, and four blocks that read all frames at once. For a GPU.",
    )

# ------------------------------------------------------------------------------------------------------ beyond the paper

_STAGES = r"stem|layer\d\.\d"
for _key, _name, _file, _hash, _end, _accuracy, _gmacs, _params, _bytes in (
    ("r3d_18", "R3D-18 16×2", "r3d_18-b3b3357e.pth", "b3b3357e", "layer4.1.conv2.0", 0.632, 40.7, 33_371_472, 134),
    ("mc3_18", "MC3-18 16×2", "mc3_18-a90a0ba3.pth", "a90a0ba3", "layer4.1.conv2.0", 0.6396, 43.4, 11_695_440, 47),
    (
        "r2plus1d_18",
        "R(2+1)D-18 16×2",
        "r2plus1d_18-91a641e6.pth",
        "91a641e6",
        "layer4.1.conv2.0.3",
        0.67463,
        40.6,
        31_505_325,
        126,
    ),
):
    _add(
        _key,
        _name,
        "3D ResNet",
        (16, 2, 112),
        ("builders", "torchvision", {"name": _key}),
        _STAGES,
        _end,
        (Source(_TV + _file, "plain", _hash),),
        **_TORCHVISION,
        licence="BSD-3-Clause",
        download=_bytes * _MB,
        params=_params,
        accuracy=_accuracy,
        gmacs=_gmacs,
        about="A ResNet-18 for video (Tran et al. 2018); small and quick.",
    )
_add(
    "s3d",
    "S3D 16×2",
    "S3D",
    (16, 2, 224),
    ("builders", "torchvision", {"name": "s3d"}),
    r"features\.(0|2|3|5|6|8|9|10|11|12|14|15)",
    "features.15",
    (Source(_TV + "s3d-d76dad2f.pth", "plain", "d76dad2f"),),
    **_TORCHVISION,
    size_step=32,
    min_frames=8,
    licence="BSD-3-Clause",
    download=34 * _MB,
    params=8_320_048,
    accuracy=0.68368,
    gmacs=18.0,
    about="Inception with separable convolutions; its accuracy was measured with 128 frames, so 16 give less.",
)
_add(
    "mvit_v1_b",
    "MViTv1-B 16×4",
    "MViTv1",
    (16, 4, 224),
    ("builders", "torchvision", {"name": "mvit_v1_b"}),
    _MVIT_TAPS,
    "network.norm",
    (Source(_TV + "mvit_v1_b-dbeb1030.pth", "torchvision_mvit", "dbeb1030"),),
    **_N45,
    layout="time_major",
    tubelet=2,
    size_step=32,
    batch_norm=False,
    licence="BSD-3-Clause",
    download=147 * _MB,
    params=36_610_672,
    accuracy=0.78477,
    gmacs=70.6,
    about="The first multiscale vision transformer.",
)
_add(
    "videomae_b",
    "VideoMAE-B 16×4",
    "VideoMAE",
    (16, 4, 224),
    ("builders", "videomae", {}),
    r"network\.videomae\.embeddings|network\.videomae\.encoder\.layer\.\d+",
    "network.videomae.encoder.layer.11",
    (
        Source("hub:MCG-NJU/videomae-base-finetuned-kinetics/model.safetensors", "videomae"),
        Source("hub:MCG-NJU/videomae-base-finetuned-kinetics/pytorch_model.bin", "videomae"),
    ),
    **_IMAGENET,
    layout="time_major",
    class_token=False,
    tubelet=2,
    batch_norm=False,
    licence=_NC,
    download=346 * _MB,
    params=86_534_800,
    accuracy=0.809,
    gmacs=180.3,
    about="A plain transformer, pretrained by filling in masked video.",
)
_add(
    "hiera_b",
    "Hiera-B 16×4",
    "Hiera",
    (16, 4, 224),
    ("builders", "hiera", {}),
    r"unroll|blocks\.\d+",
    "blocks.23",
    (Source("https://dl.fbaipublicfiles.com/hiera/hiera_base_16x224.pth"),),
    **_N45,
    layout="windows",
    class_token=False,
    tubelet=2,
    size_step=32,
    fixed=("frames", "size"),
    batch_norm=False,
    licence=_NC,
    download=205 * _MB,
    params=51_092_560,
    accuracy=0.84,
    gmacs=101.7,
    about="A hierarchical transformer of nothing but attention and pools, pretrained by filling in masked video.",
)
_add(
    "vivit_b",
    "ViViT-B/16×2 32×2",
    "ViViT",
    (32, 2, 224),
    ("builders", "vivit", {}),
    r"network\.vivit\.embeddings|network\.vivit\.layers\.\d+",
    "network.vivit.layernorm",
    (
        Source("hub:google/vivit-b-16x2-kinetics400/model.safetensors", "vivit"),
        Source("hub:google/vivit-b-16x2-kinetics400/pytorch_model.bin", "vivit"),
    ),
    **_HALF,
    layout="time_major",
    tubelet=2,
    fixed=("frames", "size"),
    batch_norm=False,
    licence="unconfirmed",
    download=356 * _MB,
    recompute=True,
    params=88_954_000,
    accuracy=0.799,
    gmacs=451.5,
    about="A plain transformer over patches of two frames; every patch looks at every other.",
)
_add(
    "vjepa2_l_ssv2",
    "V-JEPA 2 ViT-L, Something-Something",
    "V-JEPA 2",
    (16, 4, 256),
    ("builders", "vjepa2", {"frames_per_clip": 16}),
    r"network\.vjepa2\.encoder\.embeddings|network\.vjepa2\.encoder\.layer\.\d+",
    "network.vjepa2.encoder.layernorm",
    (Source("hub:facebook/vjepa2-vitl-fpc16-256-ssv2/model.safetensors", "vjepa2"),),
    **_IMAGENET,
    world="ssv2",
    layout="time_major",
    class_token=False,
    tubelet=2,
    batch_norm=False,
    licence="MIT",
    download=1500 * _MB,
    recompute=True,
    params=353_399_982,
    accuracy=0.737,
    gmacs=935.0,
    about="Predicts masked video in feature space, then an attentive classifier of 174 everyday manipulations. No "
    "Kinetics classifier is published.",
)

MODELS = tuple(_models)
"""(record, builder) of each published model."""
