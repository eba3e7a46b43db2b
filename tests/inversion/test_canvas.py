"""Canvases: valid by construction, able to fit a real clip, growing without a jump."""

from __future__ import annotations

import pytest
import torch

from leaps_core.config import SynthesisConfig
from leaps_core.inversion.canvas import Canvas, Fourier, make_canvas
from leaps_core.puppets import render_clip
from leaps_core.video import to_tensor

KINDS = ("fourier", "pixels")


def canvas(kind: str, shape: tuple[int, int, int] = (8, 32, 32), seed: int = 0, **settings: float) -> Canvas:
    config = SynthesisConfig(model="m", action="a", canvas=kind, **settings)
    return make_canvas(config, shape, torch.full((3,), 0.45), torch.full((3,), 0.225), torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("kind", KINDS)
def test_a_canvas_is_a_valid_clip_at_every_step(kind: str) -> None:
    paint = canvas(kind)
    optimizer = torch.optim.Adam([paint.values], 1.0)
    for _ in range(5):
        optimizer.zero_grad()
        (paint() * torch.randn(3, 1, 1, 1)).sum().backward()
        optimizer.step()
        paint.project()
        clip = paint()
        assert clip.shape == (1, 3, 8, 32, 32)
        assert clip.min() >= -1e-6 and clip.max() <= 1 + 1e-6, "colours are limited per channel, not along the width"


@pytest.mark.parametrize("kind", KINDS)
def test_same_seed_same_noise(kind: str) -> None:
    assert torch.equal(canvas(kind)(), canvas(kind)())
    assert not torch.equal(canvas(kind)(), canvas(kind, seed=1)())


@pytest.mark.parametrize(("kind", "rate"), [("fourier", 0.1), ("pixels", 0.1)])
def test_a_canvas_can_be_optimised_to_a_real_clip(kind: str, rate: float) -> None:
    real = to_tensor(render_clip("bowling", 5, 8, 32))
    paint = canvas(kind)
    optimizer = torch.optim.Adam([paint.values], rate)
    for _ in range(150):
        optimizer.zero_grad()
        loss = (paint() - real).square().mean()
        loss.backward()
        optimizer.step()
        paint.project()
    assert loss.item() < 2e-3, "root mean square error below 0.045"


@pytest.mark.parametrize("kind", KINDS)
def test_fit_takes_over_a_clip(kind: str) -> None:
    real = to_tensor(render_clip("tai chi", 5, 8, 32))
    paint = canvas(kind)
    paint.fit(real)
    assert (paint() - real).abs().max() < 0.01


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(8, 64, 64), (16, 48, 48), (8, 33, 33)])
def test_growing_keeps_the_picture(kind: str, shape: tuple[int, int, int]) -> None:
    paint = canvas(kind)
    smooth = torch.nn.functional.interpolate(torch.rand(1, 3, 2, 4, 4), (8, 32, 32), mode="trilinear")
    paint.fit(smooth)
    before = torch.nn.functional.interpolate(paint().detach(), shape, mode="trilinear")
    paint.grow(shape)
    assert paint().shape[2:] == shape and paint.values.requires_grad
    assert (paint() - before).abs().mean() < 0.03


def test_motion_speed_changes_the_spectrum_but_not_the_picture() -> None:
    paint = canvas("fourier")
    paint.fit(torch.rand(1, 3, 8, 32, 32))
    before, values = paint().detach(), paint.values.detach().clone()
    paint.set_speed(3.0)
    assert (paint() - before).abs().max() < 1e-3
    assert (paint.values - values).abs().max() > 0.1


def test_fast_motion_starts_with_more_motion() -> None:
    slow, fast = (
        clip.diff(dim=2).abs().mean() / clip.std() for clip in (canvas("fourier", motion_speed=speed)() for speed in (0.3, 3.0))
    )
    assert fast > 1.3 * slow


def test_fourier_moves_low_frequencies_first() -> None:
    paint = canvas("fourier")
    torch.manual_seed(0)
    before = paint().detach()
    paint.values.data += 0.1 * torch.randn_like(paint.values).sign()
    power = torch.fft.rfftn((paint() - before)[0, 0], dim=(-3, -2, -1)).abs()
    assert power[:2, :2, :2].mean() > 3 * power[3:5, 12:16, 12:].mean()


def test_a_canvas_may_be_flat_below_so_many_cycles() -> None:
    generator = torch.Generator().manual_seed(0)
    canvas = Fourier((1, 32, 32), 1.0, generator, torch.device("cpu"), decay=1.5, flat_below=4.0)
    row = canvas.scale[0, 0]
    assert torch.equal(row[:5], row[:1].expand(5)) and bool((row[5:].diff() < 0).all())
    assert row[4] / row[8] == pytest.approx(2**1.5)
    plain = Fourier((1, 32, 32), 1.0, generator, torch.device("cpu"), decay=1.5)
    assert plain.scale[0, 0, 1] > plain.scale[0, 0, 2]
