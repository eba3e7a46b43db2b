"""The training of the bundled networks, at a very small scale."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from leaps_core.models import bundled
from leaps_core.models.architectures import c3d
from leaps_core.training import data, train
from leaps_core.training.recipes import RECIPES


def test_augmentation_keeps_the_shape_and_differs_by_clip() -> None:
    torch.manual_seed(0)
    x = torch.full((32, 3, 4, 16, 16), 0.5)
    seen = train.augment(x)
    assert seen.shape == x.shape and torch.isfinite(seen).all()
    assert seen.flatten(1).std(1).max() > 4 * seen.flatten(1).std(1).min(), "some are noisy, some are clean"


def test_views_show_one_frame_or_shuffled_frames() -> None:
    stage, rng = train.TrainingStage(8, 16, 2, 0), np.random.default_rng(0)
    clips = np.arange(8, dtype=np.uint8)[None, :, None, None, None] * np.ones((2, 8, 16, 16, 3), np.uint8)
    moments = {
        view: (train._fit(clips, stage, view, rng)[:, 0, :, 0, 0] * 255).round() for view in ("clip", "frame", "shuffled")
    }
    assert moments["clip"].tolist() == [list(range(8))] * 2
    assert all(len(set(row)) == 1 for row in moments["frame"].tolist())
    assert all(sorted(row) == list(range(8)) and row != list(range(8)) for row in moments["shuffled"].tolist())


def test_clean_recipes_are_never_trained_adversarially() -> None:
    clean = replace(RECIPES["puppet_r50"], key="puppet_r50_clean")
    for phase in range(1, len(clean.phases) + 1):
        assert not any(stage.attack for stage in train.stages(clean, phase, 1.0))
        # the first phase of robust networks has no adversary yet, all others do
        assert any(stage.attack for stage in train.stages(RECIPES["puppet_r50"], phase, 1.0)) == (phase > 1)


@pytest.mark.parametrize("steps", [1, 3])
def test_adversarial_twins_are_harder_and_near(steps: int) -> None:
    torch.manual_seed(0)
    weight = torch.randn(3 * 8 * 64**2)

    def loss_of(x: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.softplus(x.flatten(1) @ weight / 100).sum()

    x = torch.zeros(4, 3, 8, 64, 64, requires_grad=True)
    (gradient,) = torch.autograd.grad(loss_of(x), x)
    moved = train._attack(x.detach(), gradient, steps, loss_of)
    away = moved.detach().flatten(1).norm(dim=1)
    assert loss_of(moved) > loss_of(x) + 10
    assert (away > 1.49).all() and (away < 3.01).all() and away.std() > 0.1, "at 8×64², half to the whole of a radius of 3"


def test_a_broken_off_training_goes_on_and_is_no_model_yet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = replace(RECIPES["puppet_judge"], phases=(((8, 64, 32, 0, 1.0),),))
    monkeypatch.setitem(bundled.BUILDERS, recipe.key, lambda: c3d(16, 2))
    weights = tmp_path / "puppet_judge.safetensors"
    monkeypatch.setattr(train, "evaluate", lambda *_: 0.5)
    one, _ = train.train(recipe, tmp_path, 0.001, weights=weights)
    assert train.partial(weights).exists() and not weights.exists(), "the registry shows finished networks only"
    other, _ = train.train(recipe, tmp_path, 0.001, done=1, weights=weights)
    assert all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True))


@pytest.mark.slow
def test_training_learns_and_follows_from_the_seed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    render = data.clips
    monkeypatch.setattr(data, "clips", lambda folder, seed, count, frames, size: render(folder, seed, 64, frames, size))
    recipe = replace(RECIPES["puppet_judge"], phases=(((8, 64, 640, 0, 0.0), (8, 64, 64, 1, 1.0)), ((16, 112, 32, 2, 1.0),)))
    (one, figures), (other, _) = (train.train(recipe, tmp_path) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True))
    assert float(figures["accuracy"]) > 0.15, "more than twice chance"
