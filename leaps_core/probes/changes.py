"""Everyday changes of a clip: does the network still name the action afterwards? Most of them no run makes; a crop is like a
view that is zoomed in, and noise and contrast are in the views of the bundled networks' settings.

What survives them is a shape rather than a fluke of single pixels. It is the same network that is asked, so it doesn't show
that anybody else would see the action.
"""

from __future__ import annotations

import io
from collections.abc import Callable

import av
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from .. import video

CRF = 35
"""Quality of the compressed copy: that of a poor video call."""


def compressed(clip: Tensor) -> Tensor:
    """The clip as H.264 at CRF 35 gives it back."""
    frames, file = video.to_frames(clip), io.BytesIO()
    with av.open(file, "w", format="mp4") as out:
        stream = out.add_stream("libx264", rate=12, options={"crf": str(CRF)})
        stream.height, stream.width, stream.pix_fmt = *frames.shape[1:3], "yuv420p"
        for frame in frames:
            out.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        out.mux(stream.encode())
    file.seek(0)
    with av.open(file, "r") as read:
        return video.to_tensor(np.stack([frame.to_ndarray(format="rgb24") for frame in read.decode(video=0)])).to(clip.device)


def _scaled(clip: Tensor, t: int, size: int) -> Tensor:
    return F.interpolate(clip, (t, size, size), mode="trilinear", align_corners=False)


def _blurred(clip: Tensor) -> Tensor:
    """A Gaussian blur of a standard deviation of 1 % of the size."""
    sigma = clip.shape[-1] / 100
    reach = max(1, round(3 * sigma))
    weights = torch.exp(-0.5 * (torch.arange(-reach, reach + 1, device=clip.device) / sigma) ** 2)
    weights = (weights / weights.sum()).view(1, 1, 1, -1)
    b, c, t, h, w = clip.shape
    frames = F.pad(clip.reshape(b * c * t, 1, h, w), (reach,) * 4, mode="reflect")
    return F.conv2d(F.conv2d(frames, weights), weights.transpose(2, 3)).view(clip.shape)


def _noisy(clip: Tensor) -> Tensor:
    noise = torch.randn(clip.shape, generator=torch.Generator().manual_seed(0)).to(clip.device)
    return (clip + 0.1 * noise).clamp(0, 1)


def _cropped(clip: Tensor) -> Tensor:
    """The inner 80 %, enlarged."""
    edge = round(clip.shape[-1] / 10)
    return _scaled(clip[..., edge:-edge, edge:-edge], clip.shape[2], clip.shape[-1])


def _slower(clip: Tensor) -> Tensor:
    """The middle half, at half the speed."""
    t = clip.shape[2]
    return _scaled(clip, 2 * t, clip.shape[-1])[:, :, t // 2 :][:, :, :t]


def _at_other_rate(clip: Tensor) -> Tensor:
    """Filmed at three quarters of the frame rate and shown at the old one: its first three quarters, some frames twice."""
    t = clip.shape[2]
    return clip[:, :, [int(0.75 * i) for i in range(t)]]


CHANGES: dict[str, Callable[[Tensor], Tensor]] = {
    f"H.264, CRF {CRF}": compressed,
    "blur": _blurred,
    "half size and back": lambda clip: _scaled(F.avg_pool3d(clip, (1, 2, 2)), clip.shape[2], clip.shape[-1]),
    "mirror": lambda clip: clip.flip(-1),
    "crop": _cropped,
    "grey": lambda clip: clip.mean(1, keepdim=True).expand_as(clip),
    "noise": _noisy,
    "contrast": lambda clip: 0.6 * (clip - 0.5) + 0.5,
    "half speed": _slower,
    "other frame rate": _at_other_rate,
}
"""By name; each gives a clip of the same shape, for clips (1, 3, T, H, W) in [0, 1] with even sides."""


@torch.no_grad()
def survived(
    logits: Callable[[Tensor], Tensor], clip: Tensor, class_index: int, tell: Callable[[int], None] = lambda passes: None
) -> dict[str, bool]:
    """Whether the network, which gives logits (1, K) of a clip, still names the class, by change. tell: told after each that it
    took a pass."""
    found = {}
    for name, change in CHANGES.items():
        found[name] = int(logits(change(clip)).argmax()) == class_index
        tell(1)
    return found
