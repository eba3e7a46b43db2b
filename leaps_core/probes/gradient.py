"""Where a model looks: the gradient of its opinion with respect to the pixels."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from .. import models, video

SAMPLES, NOISE = 6, 0.08
"""Noisy copies whose gradients are averaged, and the standard deviation of their noise, of the range."""
PASSES = 3
"""What a copy costs: a pass through the model, and one back that takes as long as two."""


def sensitivity(
    model: str, class_index: int, clip: np.ndarray, device: str = "cpu", tell: Callable[[int], None] = lambda passes: None
) -> np.ndarray:
    """How much each pixel matters for an action, float32 (T, H, W): ‖∂ z / ∂ x‖ over the channels, where
    z = l_y − log Σ_{k≠y} exp l_k is the log-odds of the action, averaged over noisy copies of the clip, uint8 (T, H, W, 3)
    (SmoothGrad: Smilkov et al. 2017). In units of log-odds per full change of a pixel. tell: told after
    each copy how many passes it took. Raises `LeapsError`."""
    network = models.load(model, device)
    seen = video.to_tensor(clip).to(network.mean.device)
    generator, total = torch.Generator().manual_seed(0), torch.zeros(seen.shape[2:], device=seen.device)
    for _ in range(SAMPLES):
        noisy = (seen + NOISE * torch.randn(seen.shape, generator=generator).to(seen.device)).requires_grad_()
        (slope,) = torch.autograd.grad(_log_odds(network(network.fit(noisy)), class_index), noisy)
        total += slope.norm(dim=1)[0].float() / SAMPLES
        tell(PASSES)
    return np.asarray(total.cpu(), np.float32)


def _log_odds(logits: Tensor, index: int) -> Tensor:
    others = torch.cat([logits[:, :index], logits[:, index + 1 :]], 1)
    return (logits[:, index] - others.logsumexp(1)).sum()


def heat(clip: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Weights (T, h, w) of pixels or larger cells as a clip: over the grey clip, from dark (nothing) to yellow (much). They are
    blurred by 2 % of the size, and each pixel is told relative to the highest one of all frames."""
    import cv2

    height, width = clip.shape[1:3]
    large = [cv2.resize(frame, (width, height), interpolation=cv2.INTER_LINEAR) for frame in weights]
    smooth = np.stack([cv2.GaussianBlur(frame, (0, 0), width / 50) for frame in large])
    share = (255 * (smooth / max(float(smooth.max()), 1e-12)).clip(0, 1)).astype(np.uint8)
    found = []
    for frame, level in zip(clip, share, strict=True):
        grey = cv2.cvtColor(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
        colour = cv2.cvtColor(cv2.applyColorMap(level, cv2.COLORMAP_INFERNO), cv2.COLOR_BGR2RGB)
        found.append(cv2.addWeighted(grey, 0.35, colour, 0.65, 0))
    return np.stack(found)
