"""I3D: Inception, inflated to three dimensions, for RGB clips (Carreira and Zisserman, "Quo Vadis, Action Recognition?",
CVPR 2017).

Written from the paper and from what the published weights compute: convolutions and pools pad as TensorFlow's "SAME" does,
which is asymmetric where the stride is 2; batch norms have an offset and no scale.
"""

from __future__ import annotations

from collections import OrderedDict

import torch
import torch.nn.functional as F
from torch import Tensor, nn

Triple = tuple[int, int, int]
"""Time, height, width."""
_MIXED = {
    "Mixed_3b": (192, (64, 96, 128, 16, 32, 32)),
    "Mixed_3c": (256, (128, 128, 192, 32, 96, 64)),
    "MaxPool3d_4a_3x3": ((3, 3, 3), (2, 2, 2)),
    "Mixed_4b": (480, (192, 96, 208, 16, 48, 64)),
    "Mixed_4c": (512, (160, 112, 224, 24, 64, 64)),
    "Mixed_4d": (512, (128, 128, 256, 24, 64, 64)),
    "Mixed_4e": (512, (112, 144, 288, 32, 64, 64)),
    "Mixed_4f": (528, (256, 160, 320, 32, 128, 128)),
    "MaxPool3d_5a_2x2": ((2, 2, 2), (2, 2, 2)),
    "Mixed_5b": (832, (256, 160, 320, 32, 128, 128)),
    "Mixed_5c": (832, (384, 192, 384, 48, 128, 128)),
}


def pad_same(x: Tensor, kernel: Triple, stride: Triple) -> Tensor:
    """Zeros around (B, C, T, H, W), as many as give ⌈n / stride⌉ places along each axis; the odd one goes to the end."""
    pads: list[int] = []
    for length, k, s in zip(reversed(x.shape[2:]), reversed(kernel), reversed(stride), strict=True):
        missing = max((-(-length // s) - 1) * s + k - length, 0)
        pads += [missing // 2, missing - missing // 2]
    return F.pad(x, pads) if any(pads) else x


class Unit(nn.Module):
    """Convolution, batch norm without a scale, ReLU."""

    def __init__(self, inputs: int, outputs: int, kernel: Triple = (1, 1, 1), stride: Triple = (1, 1, 1)) -> None:
        super().__init__()
        self.conv = nn.Conv3d(inputs, outputs, kernel, stride, bias=False)
        self.norm = nn.BatchNorm3d(outputs, eps=1e-3)
        self.norm.register_parameter("weight", None)
        self.kernel, self.stride = kernel, stride

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, T, H, W) to (B, C', ⌈T / s⌉, ⌈H / s⌉, ⌈W / s⌉)."""
        return F.relu(self.norm(self.conv(pad_same(x, self.kernel, self.stride))))


class Pool(nn.Module):
    """Maximum pool. Padding with zeros is right, as nothing before it is negative."""

    def __init__(self, kernel: Triple, stride: Triple) -> None:
        super().__init__()
        self.kernel, self.stride = kernel, stride

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, T, H, W) to (B, C, ⌈T / s⌉, ⌈H / s⌉, ⌈W / s⌉)."""
        return F.max_pool3d(pad_same(x, self.kernel, self.stride), self.kernel, self.stride)


class Mixed(nn.Module):
    """An Inception block: four branches side by side. `outputs`: channels of the six units, branch by branch."""

    def __init__(self, inputs: int, outputs: tuple[int, ...]) -> None:
        super().__init__()
        a, b1, b2, c1, c2, d = outputs
        self.branch_0 = Unit(inputs, a)
        self.branch_1 = nn.Sequential(Unit(inputs, b1), Unit(b1, b2, (3, 3, 3)))
        self.branch_2 = nn.Sequential(Unit(inputs, c1), Unit(c1, c2, (3, 3, 3)))
        self.branch_3 = nn.Sequential(Pool((3, 3, 3), (1, 1, 1)), Unit(inputs, d))

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, T, H, W) to (B, C', T, H, W)."""
        return torch.cat([self.branch_0(x), self.branch_1(x), self.branch_2(x), self.branch_3(x)], 1)


class Head(nn.Module):
    """Averages over two steps of time and 7×7 places, a score of each class at each place that is left, their mean."""

    def __init__(self, inputs: int, classes: int) -> None:
        super().__init__()
        self.conv = nn.Conv3d(inputs, classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, T, H, W) to logits (B, classes). Shorter and smaller inputs than the window are averaged as a whole."""
        window = [min(a, b) for a, b in zip((2, 7, 7), x.shape[2:], strict=True)]
        return self.conv(F.avg_pool3d(x, window, 1)).mean((2, 3, 4))


class I3D(nn.Sequential):
    """Clips (B, 3, T, H, W) in [−1, 1] to logits (B, classes). Its layers have the names of the published ones."""

    def __init__(self, classes: int) -> None:
        layers: OrderedDict[str, nn.Module] = OrderedDict(
            Conv3d_1a_7x7=Unit(3, 64, (7, 7, 7), (2, 2, 2)),
            MaxPool3d_2a_3x3=Pool((1, 3, 3), (1, 2, 2)),
            Conv3d_2b_1x1=Unit(64, 64),
            Conv3d_2c_3x3=Unit(64, 192, (3, 3, 3)),
            MaxPool3d_3a_3x3=Pool((1, 3, 3), (1, 2, 2)),
        )
        for name, facts in _MIXED.items():
            layers[name] = Mixed(*facts) if name.startswith("Mixed") else Pool(*facts)  # type: ignore[arg-type]
        layers["Logits"] = Head(1024, classes)
        super().__init__(layers)
