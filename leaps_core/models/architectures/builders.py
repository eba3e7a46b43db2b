"""How networks are built: by pytorchvideo, torchvision and transformers, at published or any other width and depth.

Every function returns an `nn.Module` that maps a normalised clip (B, 3, T, H, W) to logits (B, classes), for any
T, H and W that its strides allow (heads pool adaptively, positions are resized). `depths`, where there is such a thing,
says how many residual blocks of each of the four stages are kept, from the first on; None keeps all.
"""

from __future__ import annotations

import warnings
from typing import Any, cast

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # pytorchvideo 0.1.5 warns about torch.jit at import
    from pytorchvideo.models.csn import create_csn
    from pytorchvideo.models.r2plus1d import create_r2plus1d
    from pytorchvideo.models.resnet import create_resnet
    from pytorchvideo.models.x3d import create_x3d


Depths = tuple[int, int, int, int]
Stride = tuple[int, int, int]


def resnet3d(
    classes: int, width: int = 64, depths: Depths | None = None, temporal: Depths = (3, 3, 3, 3), strides: Depths = (1, 2, 2, 1)
) -> nn.Module:
    """3-D ResNet-50 ("Slow"; Feichtenhofer et al. 2019). `temporal`: length of each stage's temporal convolutions
    (published: 1, 1, 3, 3), `strides`: of each stage in time (published: all 1)."""
    return _trimmed(
        depths,
        create_resnet(
            model_num_class=classes,
            stem_dim_out=width,
            dropout_rate=0.0,
            stem_conv_kernel_size=(1, 7, 7),
            stage_conv_a_kernel_size=tuple((length, 1, 1) for length in temporal),
            stage_temporal_stride=strides,
        ),
    )


def r2plus1d(classes: int, width: int = 64, depths: Depths | None = None) -> nn.Module:
    """(2+1)D ResNet-50 (Tran et al. 2018): space and time convolved one after the other."""
    return _trimmed(
        depths, create_r2plus1d(model_num_class=classes, stem_dim_out=width, dropout_rate=0.0, head_activation=None)
    )


def csn(
    classes: int,
    width: int = 64,
    depths: Depths | None = None,
    strides: Depths = (1, 2, 2, 1),
    layers: int = 50,
    eps: float = 1e-5,
) -> nn.Module:
    """Channel-separated ResNet (Tran et al. 2019) with the stem pool of the published weights, which have no trace of
    it. `eps`: of the batch norms, which the builder does not pass on (CSN R50: 1e-3)."""
    network = _trimmed(
        depths,
        create_csn(
            model_depth=layers,
            model_num_class=classes,
            stem_dim_out=width,
            stem_pool=nn.MaxPool3d,
            stage_temporal_stride=strides,
        ),
    )
    for module in network.modules():
        if isinstance(module, nn.BatchNorm3d):
            module.eps = eps
    return network


def x3d(
    classes: int,
    width: int = 24,
    depths: Depths | None = None,
    strides: Depths = (1, 2, 2, 1),
    deep: float = 1.0,
    head: int = 256,
) -> nn.Module:
    """X3D (Feichtenhofer 2020). `deep` multiplies its depths (1, 2, 5, 3): 2.2 for XS, S and M, 5.0 for L; `head`: width
    of the last layer (published: 2048)."""
    return _trimmed(
        depths,
        create_x3d(
            input_clip_length=16,
            input_crop_size=112,
            model_num_class=classes,
            dropout_rate=0.0,
            width_factor=width / 12,
            stage_temporal_stride=strides,
            depth_factor=deep,
            bottleneck_factor=2.25,
            head_dim_out=head,
            head_activation=None,
        ),
    )


def mvit(
    classes: int,
    width: int = 96,
    depths: tuple[int, ...] = (1, 3),
    kv: int = 2,
    frames: int = 16,
    size: int = 112,
    patch: tuple[Stride, Stride, Stride] = ((3, 15, 15), (2, 8, 8), (1, 7, 7)),
) -> nn.Module:
    """MViTv2 (Li et al. 2022): pooling attention over patches, LayerNorm only. Each of `depths` stages but the first
    doubles the channels and halves the side; `kv`: stride of the first stage's keys and values; `frames` and `size`: of
    the tables of relative positions; `patch`: kernel, stride and padding of the patches (small ones by default)."""
    from torchvision.models.video.mvit import MSBlockConfig, MViT

    blocks, inputs = [], width
    for stage, depth in enumerate(depths):
        for index in range(depth):
            q = 2 if stage and not index else 1
            outputs, stride = q * inputs, max(1, kv // 2**stage)
            blocks.append(
                MSBlockConfig(
                    num_heads=outputs // width,
                    input_channels=inputs,
                    output_channels=outputs,
                    kernel_q=[3, 3, 3],
                    kernel_kv=[3, 3, 3],
                    stride_q=[1, q, q],
                    stride_kv=[1, stride, stride],
                )
            )
            inputs = outputs
    return _MViT(
        MViT(
            spatial_size=(size, size),
            temporal_size=frames,
            block_setting=blocks,
            residual_pool=True,
            residual_with_cls_embed=False,
            rel_pos_embed=True,
            proj_after_attn=True,
            dropout=0.0,
            stochastic_depth_prob=0.0,
            num_classes=classes,
            patch_embed_kernel=patch[0],
            patch_embed_stride=patch[1],
            patch_embed_padding=patch[2],
        )
    )


def small_mvit(classes: int, width: int, depths: tuple[int, ...] = (1, 3)) -> nn.Module:
    """`mvit` as it learns from little: a stem of convolutions (Xiao et al. 2021) instead of patches, keys and values
    pooled in space only, and the mean of the tokens read instead of the class token."""
    wrapped = mvit(classes, width, depths)
    network = cast(Any, wrapped.network)
    network.conv_proj = _Stem(width)
    network.norm = nn.Sequential(network.norm, _Mean())
    for block in network.blocks:
        for pool in (block.attn.pool_q, block.attn.pool_k, block.attn.pool_v):
            pool.pool = _ChannelsLast(width, width, (1, 3, 3), pool.pool.stride, (0, 1, 1), groups=width, bias=False)
    return wrapped


def torchvision(classes: int, name: str) -> nn.Module:
    """A video model of torchvision by its name, at published size: r3d_18, mc3_18, r2plus1d_18 and s3d (BatchNorm3d),
    swin3d_t, _s and _b, mvit_v1_b (LayerNorm)."""
    from torchvision.models import get_model

    network = get_model(name, weights=None, num_classes=classes)
    if name == "s3d":
        network.avgpool = nn.AdaptiveAvgPool3d(1)
    return _MViT(network) if name.startswith("mvit") else network


def timesformer(classes: int, **settings: Any) -> nn.Module:
    """TimeSformer base with divided space-time attention (Bertasius et al. 2021). `settings`: of its configuration."""
    from transformers import TimesformerConfig, TimesformerForVideoClassification

    return _TimeSformer(TimesformerForVideoClassification(TimesformerConfig(num_labels=classes, **settings)))


def videomae(classes: int, **settings: Any) -> nn.Module:
    """VideoMAE base (Tong et al. 2022). `settings`: of its configuration."""
    from transformers import VideoMAEConfig, VideoMAEForVideoClassification

    return _VideoMAE(VideoMAEForVideoClassification(VideoMAEConfig(num_labels=classes, use_mean_pooling=True, **settings)))


def vivit(classes: int, **settings: Any) -> nn.Module:
    """ViViT-B/16×2, unfactorised (Arnab et al. 2021). `settings`: of its configuration."""
    from transformers import VivitConfig, VivitForVideoClassification

    return _Frames(VivitForVideoClassification(VivitConfig(num_labels=classes, **settings)))


def vjepa2(classes: int, **settings: Any) -> nn.Module:
    """V-JEPA 2 ViT-L with its attentive classifier (Assran et al. 2025). `settings`: of its configuration."""
    from transformers import VJEPA2Config, VJEPA2ForVideoClassification

    network = VJEPA2ForVideoClassification(VJEPA2Config(num_labels=classes, **settings))
    network.vjepa2.predictor = nn.Identity()  # it never runs when classifying, and only takes memory
    return _VJEPA2(network)


def hiera(classes: int) -> nn.Module:
    """Hiera-B for 16 × 224² (Ryali et al. 2023), of hiera-transformer, without the softmax that it applies in eval mode."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it imports timm's layers from their old place
        from hiera import hiera_base_16x224

    with torch.device("cpu"):  # it reads numbers of a tensor while it is built, which have no value on "meta"
        network = hiera_base_16x224(num_classes=classes)
    network.head.act_func = nn.Identity()
    return network.to(torch.get_default_device())


def c3d(classes: int, width: int) -> nn.Module:
    """C3D (Tran et al. 2015): plain 3×3×3 convolutions and pools, no shortcuts; its first convolution strides."""
    layers: list[nn.Module] = []
    inputs = 3
    for outputs, stride, pool in (
        (width, (1, 2, 2), (1, 2, 2)),
        (2 * width, 1, (2, 2, 2)),
        (4 * width, 1, (2, 2, 2)),
        (8 * width, 1, None),
        (8 * width, 1, None),
    ):
        layers += [nn.Conv3d(inputs, outputs, 3, stride=stride, padding=1, bias=False), nn.BatchNorm3d(outputs), nn.ReLU()]
        if pool:
            layers.append(nn.MaxPool3d(pool))
        inputs = outputs
    return nn.Sequential(*layers, nn.AdaptiveAvgPool3d(1), nn.Flatten(), nn.Linear(inputs, classes))


class _MViT(nn.Module):
    """torchvision's MViT at any number of frames and any size; its positions are interpolated: relative ones by the
    network itself, absolute ones (MViTv1) here, linearly in time and bicubically in space, as SlowFast loads them."""

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network = network

    def forward(self, clip: Tensor) -> Tensor:
        places, stride = self.network.pos_encoding, self.network.conv_proj.stride
        native = places.temporal_size, *places.spatial_size
        t, h, w = (-(-length // step) for length, step in zip(clip.shape[2:], stride))
        if places.spatial_pos is None:
            places.temporal_size, places.spatial_size = t, (h, w)
            return self.network(clip)
        if (t, h, w) == native:
            return self.network(clip)
        space = functional.interpolate(places.spatial_pos.T.unflatten(1, native[1:])[None], (h, w), mode="bicubic")
        time = functional.interpolate(places.temporal_pos.T[None], t, mode="linear")
        tables = {"pos_encoding.spatial_pos": space[0].flatten(1).T, "pos_encoding.temporal_pos": time[0].T}
        try:
            places.temporal_size, places.spatial_size = t, (h, w)
            return torch.func.functional_call(self.network, tables, clip)
        finally:
            places.temporal_size, places.spatial_size = native[0], native[1:]


class _Stem(nn.Sequential):
    """Clips to tokens of 2 frames × 8 × 8 pixels, in three strided convolutions."""

    stride = (2, 8, 8)

    def __init__(self, width: int) -> None:
        a, b = width // 3, 2 * width // 3
        super().__init__(
            nn.Conv3d(3, a, (1, 3, 3), (1, 2, 2), (0, 1, 1)),
            nn.GroupNorm(1, a),
            nn.ReLU(),
            nn.Conv3d(a, b, 3, 2, 1),
            nn.GroupNorm(1, b),
            nn.ReLU(),
            nn.Conv3d(b, width, (1, 3, 3), (1, 2, 2), (0, 1, 1)),
        )


class _Mean(nn.Module):
    """The mean of all tokens (B, N, C) but the class token, in its place: (B, 1, C)."""

    def forward(self, tokens: Tensor) -> Tensor:
        return tokens[:, 1:].mean(1, keepdim=True)


class _ChannelsLast(nn.Conv3d):
    """A convolution a channel; on CPU, its backward pass is twice as fast in this layout."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.contiguous(memory_format=torch.channels_last_3d))


class _Frames(nn.Module):
    """A video classifier of transformers, which takes frames first: (B, T, 3, H, W)."""

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network = network

    def forward(self, clip: Tensor) -> Tensor:
        return self.network(clip.transpose(1, 2)).logits


class _TimeSformer(_Frames):
    """Its layers take the clip's size from the configuration; positions are then resized by the network itself."""

    def forward(self, clip: Tensor) -> Tensor:
        self.network.config.num_frames, self.network.config.image_size = clip.shape[2], clip.shape[3]
        return super().forward(clip)


class _VideoMAE(_Frames):
    """Its positions are sines, computed for one size; another size gets sines of its own."""

    def forward(self, clip: Tensor) -> Tensor:
        from transformers.models.videomae.modeling_videomae import get_sinusoid_encoding_table

        places = self.network.videomae.embeddings
        patches, config = places.patch_embeddings, self.network.config
        patches.image_size = tuple(clip.shape[3:])
        sides = [side // config.patch_size for side in clip.shape[3:]]
        tokens = clip.shape[2] // config.tubelet_size * sides[0] * sides[1]
        if tokens != places.position_embeddings.shape[1]:
            places.position_embeddings = get_sinusoid_encoding_table(tokens, config.hidden_size)
        return super().forward(clip)


class _VJEPA2(_Frames):
    """Its rotary positions count places by the size in the configuration, so it has to know the clip's."""

    def forward(self, clip: Tensor) -> Tensor:
        for layer in self.network.vjepa2.encoder.layer:
            layer.attention.grid_size = clip.shape[3] // self.network.config.patch_size
        return super().forward(clip)


def _trimmed(depths: Depths | None, network: Any) -> nn.Module:
    """Keep the first blocks of each stage, and pool adaptively: the same output at native size, and any other works."""
    stages = [part for part in network.blocks if hasattr(part, "res_blocks")]
    for stage, depth in zip(stages, depths or (), strict=depths is not None):
        stage.res_blocks = stage.res_blocks[:depth]
    head = network.blocks[-1]
    if isinstance(head.pool, nn.Module) and hasattr(head.pool, "pool"):  # X3D's projected pool
        head.pool.pool = nn.AdaptiveAvgPool3d(1)
    else:
        head.pool = nn.AdaptiveAvgPool3d(1)
    return network
