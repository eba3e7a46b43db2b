"""How a network's numbers lie in memory, and how many digits they have: what a machine is fast at. What the network computes
stays the same, up to rounding.

- Channels last: convolutions and pooling read the channels of a place side by side.
- By blocks: a strided first convolution is computed as an unstrided one over blocks of pixels. Its gradient, of which the
  pixels of a clip are made, is slow otherwise: three channels fill a fifth of a processor's registers.
- Folded: a batch norm right after a convolution scales and shifts what that gives by fixed numbers, which go into the
  convolution's own. What would have gone into the batch norm, which a verifier is asked for, is told from what comes out.
- bfloat16: weights and activations of half the size, with 8 instead of 24 binary digits; losses and statistics stay float32.
"""

from __future__ import annotations

import math
from itertools import pairwise
from types import MethodType
from typing import TYPE_CHECKING, Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..errors import LeapsError

if TYPE_CHECKING:
    from .adapter import VideoModel

LAST = {4: torch.channels_last, 5: torch.channels_last_3d}
"""The memory format of weights, and of what they are applied to, by their number of axes."""
WORTH = 10
"""How many times a pixel has to be looked at by a first convolution for blocks to be faster."""
STEEP = 30
"""How many times its scale a folded batch norm's shift may be: beyond that, bfloat16 can't tell what went in."""
ACTIVATING = "BatchNormAct2d"
"""What timm calls a batch norm that has an activation in it."""
LIKE = {"float32": 1e-3, "bfloat16": 0.1}
"""How far a network's logits may be from those in its own format, as a share of their spread."""


def lay_out(model: VideoModel, precision: str) -> None:
    """Lays a loaded model out for speed, in place. precision: float32 or bfloat16; a network that says it is `exact` needs all
    its digits."""
    modules = list(model.network.modules())
    if any(isinstance(module, torch.jit.ScriptModule) for module in modules):
        return
    if getattr(model.network, "exact", False):
        precision = "float32"
    else:
        for conv, norm in _pairs(model):
            _fold(conv, norm)
    for module in modules:
        if isinstance(module, nn.Conv2d | nn.Conv3d):
            if _by_pixels(module):
                _use_blocks(module)
            kernel = _kernel(module)[0]
            kernel.data = kernel.data.contiguous(memory_format=LAST[kernel.ndim])
        if precision == "bfloat16" and isinstance(module, nn.Conv1d | nn.Conv2d | nn.Conv3d | nn.Linear):
            for weight in (*module.parameters(recurse=False), *module.buffers(recurse=False)):
                weight.data = weight.data.to(torch.bfloat16)
    model.channels_last, model.precision = True, precision


@torch.no_grad()
def agree(fast: VideoModel, plain: VideoModel) -> bool:
    """Whether a network that isn't ours works when it is laid out for speed: it may look at memory itself, or need more digits
    than bfloat16 has."""
    spec, noise = plain.spec, torch.Generator().manual_seed(0)
    clip = torch.rand((1, 3, spec.frames, spec.size, spec.size), generator=noise).to(plain.mean.device)
    try:
        expected, seen = plain(clip), fast(clip)
    except (LeapsError, RuntimeError):  # if the plain one can't either, a run will tell
        return False
    apart, spread = (seen - expected).norm(), (expected - expected.mean()).norm()
    return bool(apart <= LIKE[fast.precision] * spread)


def _pairs(model: VideoModel) -> list[tuple[Any, Any]]:
    """Convolutions and the batch norms that stand right after them in the same block. A convolution whose output is looked at
    stays as it is."""
    found = []
    for place, parent in model.network.named_modules():
        children = [(f"{place}.{name}".lstrip("."), child) for name, child in parent.named_children()]
        for (name, conv), (_, norm) in pairwise(children):
            while isinstance(norm, nn.Sequential) and len(norm):
                norm = norm[0]
            if name not in model.watched and _is_plain(conv) and _can_fold(norm) and conv.out_channels == norm.num_features:
                found.append((conv, norm))
    return found


def _is_plain(conv: nn.Module) -> bool:
    """Whether it is a convolution that does what PyTorch's do."""
    return type(conv) in (nn.Conv2d, nn.Conv3d) and "forward" not in vars(conv)


def _can_fold(norm: Any) -> bool:
    """Whether it does what PyTorch's batch norms do (and timm's, which also activate), with a scale that can be undone."""
    if type(norm) not in (nn.BatchNorm2d, nn.BatchNorm3d) and type(norm).__name__ != ACTIVATING:
        return False
    if norm.running_mean is None or "forward" in vars(norm):
        return False
    return norm.weight is None or bool((norm.weight.abs() * STEEP > norm.bias.abs()).all())


def _fold(conv: nn.Conv2d | nn.Conv3d, norm: Any) -> None:
    """From now on the convolution does what both did."""
    scale = (norm.running_var + norm.eps).rsqrt() * (1 if norm.weight is None else norm.weight.detach())
    shift = (0 if norm.bias is None else norm.bias.detach()) - norm.running_mean * scale
    bias = shift if conv.bias is None else shift + conv.bias.detach() * scale
    weight = conv.weight.detach() * scale.view(-1, *[1] * (conv.weight.ndim - 1))
    for module, name, value in (
        (conv, "folded_weight", weight),
        (conv, "folded_bias", bias),
        (norm, "folded_scale", scale),
        (norm, "folded_shift", shift),
    ):
        module.register_buffer(name, value, persistent=False)
    conv.forward = MethodType(_forward_folded, conv)  # type: ignore[method-assign]
    norm.forward = MethodType(_forward_after, norm)  # type: ignore[method-assign]


def _forward_folded(conv: nn.Conv2d | nn.Conv3d, x: Tensor) -> Tensor:
    return conv._conv_forward(x, *_kernel(conv))


def _forward_after(norm: Any, x: Tensor) -> Tensor:
    activated: Tensor = norm.act(norm.drop(x)) if type(norm).__name__ == ACTIVATING else x
    return activated


def _kernel(conv: nn.Conv2d | nn.Conv3d) -> tuple[Tensor, Tensor | None]:
    """The weight and bias that it computes with."""
    return getattr(conv, "folded_weight", conv.weight), getattr(conv, "folded_bias", conv.bias)


def _by_pixels(conv: nn.Conv2d | nn.Conv3d) -> bool:
    """Whether it looks at pixels, in steps, often enough."""
    return (
        conv.in_channels <= 4
        and conv.groups == 1
        and set(conv.dilation) == {1}
        and conv.padding_mode == "zeros"
        and not isinstance(conv.padding, str)
        and math.prod(conv.stride) > 1
        and math.prod(conv.kernel_size) >= WORTH * math.prod(conv.stride)
        and (_is_plain(conv) or hasattr(conv, "folded_weight"))
    )


def _use_blocks(conv: nn.Conv2d | nn.Conv3d) -> None:
    """From now on it computes by blocks: each stride's pixels become channels of one block, and a kernel of k pixels one of
    ⌈k / stride⌉ blocks, filled up with zeros."""
    blocks = [-(-k // s) for k, s in zip(conv.kernel_size, conv.stride, strict=True)]
    missing = [n * s - k for n, s, k in zip(blocks, conv.stride, conv.kernel_size, strict=True)]
    weight = F.pad(_kernel(conv)[0].detach(), [part for end in reversed(missing) for part in (0, end)])
    conv.register_buffer("blocks", _as_blocks(weight, conv.stride), persistent=False)
    conv.forward = MethodType(_forward_by_blocks, conv)  # type: ignore[method-assign]


def _forward_by_blocks(conv: nn.Conv2d | nn.Conv3d, x: Tensor) -> Tensor:
    blocks, pads, padding = cast("Tensor", conv.blocks), list[int](), cast("tuple[int, ...]", conv.padding)
    kernels = blocks.shape[2:]
    for axis in reversed(range(len(kernels))):
        before, stride, size = padding[axis], conv.stride[axis], x.shape[2 + axis]
        steps = (size + 2 * before - conv.kernel_size[axis]) // stride + 1
        pads += [before, (steps + kernels[axis] - 1) * stride - size - before]
    convolve = F.conv3d if len(kernels) == 3 else F.conv2d
    return convolve(_as_blocks(F.pad(x, pads), conv.stride), blocks, _kernel(conv)[1])


def _as_blocks(x: Tensor, stride: tuple[int, ...]) -> Tensor:
    """(B, C, n·s, ...) to (B, s·...·C, n, ...), channels last."""
    axes = range(len(stride))
    split = x.reshape(*x.shape[:2], *(part for n, s in zip(x.shape[2:], stride, strict=True) for part in (n // s, s)))
    inner, outer = [3 + 2 * i for i in axes], [2 + 2 * i for i in axes]
    last = split.permute(0, *outer, *inner, 1).flatten(1 + len(axes))
    return last.permute(0, 1 + len(axes), *range(1, 1 + len(axes)))
