"""Random views: off means untouched, each field changes what its name says, all draws from the generator."""

from __future__ import annotations

import pytest
import torch

from leaps_core.config import SynthesisConfig
from leaps_core.inversion.transforms import transform

OFF = {"jitter": 0.0, "jitter_time": 0, "zoom": 0.0, "zoom_in": 0.0, "rotate": 0.0, "noise": 0.0, "colour": 0.0, "flip": False}
STRENGTHS = {"jitter": 0.2, "jitter_time": 3, "zoom": 0.3, "zoom_in": 0.5, "rotate": 20.0, "noise": 0.1, "colour": 0.3}


def view(clip: torch.Tensor, seed: int = 0, strength: float = 1.0, **settings: float) -> torch.Tensor:
    config = SynthesisConfig(model="m", action="a", **{**OFF, **settings})
    return transform(clip, config, torch.Generator().manual_seed(seed), strength)


def test_off_is_untouched() -> None:
    clip = torch.rand(1, 3, 8, 16, 16)
    assert torch.equal(view(clip), clip)


@pytest.mark.parametrize("name", STRENGTHS)
def test_each_changes_the_view_reproducibly_and_differentiably(name: str) -> None:
    clip = torch.rand(1, 3, 8, 16, 16, requires_grad=True)
    seen = view(clip, **{name: STRENGTHS[name]})
    assert seen.shape == clip.shape and not torch.equal(seen, clip)
    assert torch.equal(seen, view(clip, **{name: STRENGTHS[name]}))
    assert not torch.equal(seen, view(clip, seed=1, **{name: STRENGTHS[name]}))
    seen.square().sum().backward()
    assert clip.grad.abs().sum() > 0


def test_jitter_only_moves_pixels_within_its_reach() -> None:
    clip = torch.zeros(1, 3, 8, 20, 20)
    clip[:, :, 4, 10, 10] = 1
    for seed in range(20):
        t, y, x = (view(clip, seed, jitter=0.1, jitter_time=2)[0, 0] == 1).nonzero()[0].tolist()
        assert abs(t - 4) <= 2 and abs(y - 10) <= 2 and abs(x - 10) <= 2


def test_zooming_in_enlarges_the_middle_and_never_shrinks() -> None:
    clip = torch.zeros(1, 3, 2, 40, 40)
    clip[..., 15:25, 15:25] = 1
    shares = [view(clip, seed, zoom_in=0.6).mean().item() / clip.mean().item() for seed in range(40)]
    assert min(shares) > 0.98 and 1.6 < max(shares) < 1.6**2 + 0.05


def test_the_number_of_cores_changes_no_pixel_and_no_slope(monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for cores in (1, 2, 3, 8):
        monkeypatch.setattr(torch, "get_num_threads", lambda cores=cores: cores)
        for frames in (5, 8):
            clip = torch.rand((1, 3, frames, 16, 16), generator=torch.Generator().manual_seed(0)).requires_grad_(True)
            seen = view(clip, zoom=0.3, rotate=20.0)
            seen.square().sum().backward()
            found.append((seen, clip.grad))
    for at, (seen, slope) in enumerate(found):
        assert torch.equal(seen, found[at % 2][0]) and torch.equal(slope, found[at % 2][1])


def test_flip_mirrors_about_half_of_the_views() -> None:
    clip = torch.rand(1, 3, 2, 4, 4)
    mirrored = sum(torch.equal(view(clip, seed, flip=True), clip.flip(-1)) for seed in range(40))
    assert 8 < mirrored < 32


def test_noise_has_the_strength_asked_for() -> None:
    clip = torch.full((1, 3, 8, 32, 32), 0.5)
    assert (view(clip, noise=0.2) - clip).std().item() == pytest.approx(0.2, rel=0.05)


def test_strength_scales_noise_and_colours_alone() -> None:
    clip = torch.rand(1, 3, 8, 16, 16)
    for name, most in STRENGTHS.items():
        weaker = most / 2 if name in ("noise", "colour") else most
        assert torch.allclose(view(clip, strength=0.5, **{name: most}), view(clip, **{name: weaker})), name


def test_a_slider_leaves_the_other_draws_alone() -> None:
    clip = torch.rand(1, 3, 8, 16, 16)
    generators = [torch.Generator().manual_seed(3) for _ in range(2)]
    for generator, zoom in zip(generators, (0.0, 0.3), strict=True):
        transform(clip, SynthesisConfig(model="m", action="a", zoom=zoom), generator)
    assert torch.equal(*(torch.rand(4, generator=generator) for generator in generators))
