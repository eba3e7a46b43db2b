"""How the clip is stored while it is optimised: plain pixels (the paper's), or Fourier coefficients.

A canvas has one parameter, `values`; calling it gives the clip (1, 3, T, H, W) in [0, 1]. It can grow to a larger
size and length without its picture jumping.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .. import video
from ..config import SynthesisConfig

COLOURS = torch.tensor([[0.26, 0.09, 0.02], [0.27, 0.00, -0.05], [0.27, -0.09, 0.03]])
"""Square root of the colour covariance of natural images (Olah et al. 2017): rows R, G, B; columns light, blue to
yellow, green to magenta. Scaled below so that the light axis has unit length."""
SPREAD = 0.01
"""Standard deviation of the random start."""


class Pixels(nn.Module):
    """x* as normalised pixels, projected into [0, 1] after each step (the paper's canvas, mended)."""

    def __init__(self, shape: tuple[int, int, int], mean: Tensor, std: Tensor, generator: torch.Generator) -> None:
        super().__init__()
        self.mean, self.std = mean.view(1, 3, 1, 1, 1), std.view(1, 3, 1, 1, 1)
        noise = torch.randn((1, 3, *shape), generator=generator)
        self.values = nn.Parameter(noise.to(mean.device))
        self.project()

    def forward(self) -> Tensor:
        """The clip (1, 3, T, H, W) in [0, 1]."""
        return self.values * self.std + self.mean

    @torch.no_grad()
    def project(self) -> None:
        """Bring every pixel back into [0, 1]."""
        self.values.copy_((self().clamp(0, 1) - self.mean) / self.std)

    @torch.no_grad()
    def fit(self, clip: Tensor) -> None:
        """Take over the picture of a clip (1, 3, T, H, W), resized to the canvas."""
        self.values = nn.Parameter((video.resize(clip, tuple(self.values.shape[2:])) - self.mean) / self.std)

    def grow(self, shape: tuple[int, int, int]) -> None:
        """Become (T, H, W) large, keeping the picture."""
        clip = self().detach()
        self.values = nn.Parameter(torch.empty((1, 3, *shape), device=clip.device))
        self.fit(clip)

    def set_speed(self, motion_speed: float) -> None:
        """Pixels have no preferred speed; the objective's temporal smoothness alone follows it."""


class Fourier(nn.Module):
    """x* = sigmoid(C · irfftn(s(f) · z)) with s(f) = 1 / max(f, f_min)^p and f = sqrt(fx² + fy² + (β·ft)²).

    z is optimised; low frequencies move first and colours are valid by construction (Olah 2017; in space-time). p is the
    config's `decay`: single natural pictures have about 1; in space-time, the best fit to clips of the bundled world is 1.6,
    and less fills a clip with speckles that flicker. f_min is `flat_below` cycles per picture.
    β = 1 / motion_speed: at a speed of 1, change in time is as cheap as detail in space, above it cheaper.
    """

    def __init__(
        self,
        shape: tuple[int, int, int],
        motion_speed: float,
        generator: torch.Generator,
        device: torch.device,
        decay: float = 1.5,
        flat_below: float = 1.0,
    ) -> None:
        super().__init__()
        t, h, w = shape
        noise = SPREAD * torch.randn((1, 3, t, h, w // 2 + 1, 2), generator=generator)
        self.values = nn.Parameter(noise.to(device))
        self.colours = (COLOURS / COLOURS[:, 0].norm()).to(device)
        self.shape, self.motion_speed, self.decay, self.flat_below = shape, motion_speed, decay, flat_below
        self.scale = self._spectrum().to(device)

    def forward(self) -> Tensor:
        """The clip (1, 3, T, H, W) in [0, 1]."""
        return torch.sigmoid(torch.einsum("rc,bcthw->brthw", self.colours, self._signal()))

    def _signal(self) -> Tensor:
        coefficients = torch.view_as_complex(self.values) * self.scale
        return torch.fft.irfftn(coefficients, s=self.shape, dim=(2, 3, 4), norm="ortho")

    def project(self) -> None:
        """Nothing to do: every set of coefficients is a valid clip."""

    @torch.no_grad()
    def fit(self, clip: Tensor) -> None:
        """Take over the picture of a clip (1, 3, T, H, W), resized to the canvas; pure black and white become nearly so."""
        clip = video.resize(clip, self.shape).clamp(0.002, 0.998)
        signal = torch.einsum("cr,brthw->bcthw", torch.linalg.inv(self.colours), torch.logit(clip))
        self._take(torch.fft.rfftn(signal, dim=(2, 3, 4), norm="ortho"))

    @torch.no_grad()
    def grow(self, shape: tuple[int, int, int]) -> None:
        """Become (T, H, W) large, keeping the picture: the old coefficients move to their frequencies, new ones start at 0."""
        old = torch.fft.fftn(self._signal(), dim=(2, 3, 4), norm="ortho")
        big = torch.zeros((1, 3, *shape), dtype=old.dtype, device=old.device)
        slices = [_frequency_slices(n, m) for n, m in zip(self.shape, shape, strict=True)]
        for source_t, target_t in slices[0]:
            for source_h, target_h in slices[1]:
                for source_w, target_w in slices[2]:
                    big[:, :, target_t, target_h, target_w] = old[:, :, source_t, source_h, source_w]
        ratio = 1.0
        for n, m in zip(self.shape, shape, strict=True):
            ratio *= (m / n) ** 0.5
        self.shape = shape
        self.scale = self._spectrum().to(old.device)
        signal = torch.fft.ifftn(big * ratio, dim=(2, 3, 4), norm="ortho").real
        self._take(torch.fft.rfftn(signal, dim=(2, 3, 4), norm="ortho"))

    @torch.no_grad()
    def set_speed(self, motion_speed: float) -> None:
        """Change β and rescale z, so that the picture stays as it is."""
        if motion_speed == self.motion_speed:
            return
        coefficients = torch.view_as_complex(self.values) * self.scale
        self.motion_speed = motion_speed
        self.scale = self._spectrum().to(self.scale.device)
        self.values.copy_(torch.view_as_real(coefficients / self.scale))

    def _spectrum(self) -> Tensor:
        """s(f), (T, H, W//2 + 1): 1 / max(f, f_min)^p, divided by its mean; f in cycles per pixel, f_min that of `flat_below`
        cycles per picture. With the orthonormal transform, the same step of z then moves a picture of any size by the same
        contrast."""
        t, h, w = self.shape
        ft, fy, fx = torch.fft.fftfreq(t), torch.fft.fftfreq(h), torch.fft.rfftfreq(w)
        f = torch.sqrt((ft / self.motion_speed)[:, None, None] ** 2 + fy[None, :, None] ** 2 + fx[None, None, :] ** 2)
        scale = 1.0 / f.clamp_min(self.flat_below / max(h, w)) ** self.decay
        return scale / scale.mean()

    def _take(self, coefficients: Tensor) -> None:
        self.values = nn.Parameter(torch.view_as_real(coefficients / self.scale).contiguous())


Canvas = Pixels | Fourier


def make_canvas(
    config: SynthesisConfig, shape: tuple[int, int, int], mean: Tensor, std: Tensor, generator: torch.Generator
) -> Canvas:
    """The canvas that the config asks for, of (T, H, W), on the device of `mean`; noise from a CPU generator."""
    if config.canvas == "pixels":
        return Pixels(shape, mean, std, generator)
    return Fourier(shape, config.motion_speed, generator, mean.device, config.decay, config.flat_below)


def _frequency_slices(n: int, m: int) -> list[tuple[slice, slice]]:
    """Where the frequencies of a length n lie among those of a length m ≥ n: non-negative first, negative last."""
    if m < n:
        raise ValueError(f"a canvas can't shrink from {n} to {m}")
    positive = (n + 1) // 2
    return [(slice(0, positive), slice(0, positive)), (slice(positive, n), slice(m - (n - positive), m))]
