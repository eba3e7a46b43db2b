"""How networks are built: the builders of pytorchvideo and torchvision, at any width and depth.

Every function returns an `nn.Module` that maps a normalised clip (B, 3, T, H, W) to logits (B, classes), for any
T, H and W that its strides allow (heads pool adaptively). `depths`, where there is such a thing, says how many residual
blocks of each of the four stages are kept, from the first on.
"""

from __future__ import annotations

import warnings
from typing import Any

from torch import Tensor, nn

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # pytorchvideo 0.1.5 warns about torch.jit at import
    from pytorchvideo.models.csn import create_csn
    from pytorchvideo.models.r2plus1d import create_r2plus1d
    from pytorchvideo.models.resnet import create_resnet
    from pytorchvideo.models.x3d import create_x3d


Depths = tuple[int, int, int, int]


def resnet3d(classes: int, width: int, depths: Depths = (3, 4, 6, 3)) -> nn.Module:
    """3-D ResNet-50 ("Slow"; Feichtenhofer et al. 2019): here with temporal convolutions in all stages."""
    return _trimmed(depths, create_resnet(
        model_num_class=classes, stem_dim_out=width, dropout_rate=0.0, stem_conv_kernel_size=(1, 7, 7),
        stage_conv_a_kernel_size=((3, 1, 1), (3, 1, 1), (3, 1, 1), (3, 1, 1)), stage_temporal_stride=(1, 2, 2, 1)))


def r2plus1d(classes: int, width: int, depths: Depths = (3, 4, 6, 3)) -> nn.Module:
    """(2+1)D ResNet-50 (Tran et al. 2018): space and time convolved one after the other."""
    return _trimmed(depths, create_r2plus1d(
        model_num_class=classes, stem_dim_out=width, dropout_rate=0.0, head_activation=None))


def csn(classes: int, width: int, depths: Depths = (3, 4, 6, 3)) -> nn.Module:
    """Channel-separated ResNet-50 (Tran et al. 2019) with the stem pool of the published weights."""
    return _trimmed(depths, create_csn(
        model_num_class=classes, stem_dim_out=width, stem_pool=nn.MaxPool3d, stage_temporal_stride=(1, 2, 2, 1)))


def x3d(classes: int, width: int, depths: Depths = (1, 2, 5, 3)) -> nn.Module:
    """X3D (Feichtenhofer 2020), its depths those of X3D-XS before they are multiplied."""
    return _trimmed(depths, create_x3d(
        input_clip_length=16, input_crop_size=112, model_num_class=classes, dropout_rate=0.0, width_factor=width / 12,
        stage_temporal_stride=(1, 2, 2, 1),
        depth_factor=1.0, bottleneck_factor=2.25, head_dim_out=256, head_activation=None))


def mvit(classes: int, width: int) -> nn.Module:
    """MViTv2 (Li et al. 2022), small: pooling attention over patches of 2×8×8 pixels, LayerNorm only."""
    from torchvision.models.video.mvit import MSBlockConfig, MViT

    plan = ((width, width, 1, 2), (width, 2 * width, 2, 1), (2 * width, 2 * width, 1, 1), (2 * width, 2 * width, 1, 1))
    blocks = [MSBlockConfig(num_heads=outputs // width, input_channels=inputs, output_channels=outputs, kernel_q=[3, 3, 3],
                            kernel_kv=[3, 3, 3], stride_q=[1, q, q], stride_kv=[1, kv, kv])
              for inputs, outputs, q, kv in plan]
    return _MViT(MViT(
        spatial_size=(112, 112), temporal_size=16, block_setting=blocks, residual_pool=True, residual_with_cls_embed=False,
        rel_pos_embed=True, proj_after_attn=True, dropout=0.0, stochastic_depth_prob=0.0, num_classes=classes,
        patch_embed_kernel=(3, 15, 15), patch_embed_stride=(2, 8, 8), patch_embed_padding=(1, 7, 7)))


def c3d(classes: int, width: int) -> nn.Module:
    """C3D (Tran et al. 2015): plain 3×3×3 convolutions and pools, no shortcuts; its first convolution strides."""
    layers: list[nn.Module] = []
    inputs = 3
    for outputs, stride, pool in ((width, (1, 2, 2), (1, 2, 2)), (2 * width, 1, (2, 2, 2)), (4 * width, 1, (2, 2, 2)),
                                  (8 * width, 1, None), (8 * width, 1, None)):
        layers += [nn.Conv3d(inputs, outputs, 3, stride=stride, padding=1, bias=False), nn.BatchNorm3d(outputs), nn.ReLU()]
        if pool:
            layers.append(nn.MaxPool3d(pool))
        inputs = outputs
    return nn.Sequential(*layers, nn.AdaptiveAvgPool3d(1), nn.Flatten(), nn.Linear(inputs, classes))


class _MViT(nn.Module):
    """torchvision's MViT at any number of frames and any size; its relative positions are interpolated."""

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network = network

    def forward(self, clip: Tensor) -> Tensor:
        grid, stride = self.network.pos_encoding, self.network.conv_proj.stride
        grid.temporal_size = -(-clip.shape[2] // stride[0])
        grid.spatial_size = (-(-clip.shape[3] // stride[1]), -(-clip.shape[4] // stride[2]))
        return self.network(clip)


def _trimmed(depths: Depths, network: Any) -> nn.Module:
    """Keep the first blocks of each stage, and pool adaptively: the same output at native size, and any other works."""
    stages = [part for part in network.blocks if hasattr(part, "res_blocks")]
    for stage, depth in zip(stages, depths, strict=True):
        stage.res_blocks = stage.res_blocks[:depth]
    head = network.blocks[-1]
    if isinstance(head.pool, nn.Module) and hasattr(head.pool, "pool"):  # X3D's projected pool
        head.pool.pool = nn.AdaptiveAvgPool3d(1)
    else:
        head.pool = nn.AdaptiveAvgPool3d(1)
    return network


BUILDERS = {"resnet3d": resnet3d, "r2plus1d": r2plus1d, "csn": csn, "x3d": x3d, "mvit": mvit, "c3d": c3d}
"""Builders by name."""


def parameters(network: nn.Module) -> int:
    """Number of trainable numbers of a network."""
    return sum(weight.numel() for weight in network.parameters())


__all__ = ["BUILDERS", "parameters", *BUILDERS]
