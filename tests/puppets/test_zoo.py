"""The bundled networks and demos as they are shipped: they are whole, small, and as good as their records say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from leaps_core import SynthesisConfig, banks, maps, models, runs, synthesis, synthesize, video
from leaps_core.errors import RunError
from leaps_core.puppets import ACTIONS, render_clip
from leaps_core.puppets.zoo import FOLDER, RECIPES

MB = 10**6


def size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def test_all_are_shipped_with_the_accuracy_that_was_aimed_at() -> None:
    specs = {spec.key: spec for spec in models.specs() if spec.world == "puppets" and spec.key in RECIPES}
    assert specs.keys() == RECIPES.keys() and size(FOLDER) <= 16 * MB
    for key, spec in specs.items():
        assert spec.accuracy is not None and spec.accuracy >= (0.95 if spec.batch_norm else 0.9), key
        assert spec.robust == (key != "puppet_r50_clean") and (spec.role == "judge") == (key == "puppet_judge")
    judge, others = RECIPES["puppet_judge"], [recipe for key, recipe in RECIPES.items() if key != "puppet_judge"]
    assert judge.seed not in {other.seed for other in others} and judge.builder not in {other.builder for other in others}


@pytest.mark.parametrize("key", RECIPES)
def test_weights_fit_and_recognise_clips_that_nobody_trained_on(key: str) -> None:
    network = models.load(key, "cpu")
    clips = torch.cat([video.to_tensor(render_clip(action, 5_000 + i)) for i, action in enumerate(ACTIONS)])
    with torch.no_grad():
        named = network(clips).argmax(1).tolist()
    assert sum(index == i for i, index in enumerate(named)) >= 13


@pytest.mark.parametrize("key", [key for key, recipe in RECIPES.items() if recipe.role == "model"])
def test_every_bundled_model_can_be_inverted_at_defaults(key: str) -> None:
    config = SynthesisConfig(model=key, action="bowling", steps=2, size=64, coarse=0.0, device="cpu")
    first, second = synthesize(config)
    assert {"cross_entropy", "priming", "coherence", "diversity"} <= first.losses.keys()
    assert not np.array_equal(first.frames, second.frames) and second.final and second.final["judge"] is not None


def test_a_bank_of_every_network_is_shipped_with_its_maps() -> None:
    assert size(banks.BANKS) <= 8 * MB
    for key in RECIPES:
        bank = banks.Bank.open(banks.bundled(key))
        bank.check(models.spec(key))  # made by these very weights
        assert len(bank) >= 1600 and bank.puppets and set(bank.labels.tolist()) == set(ACTIONS)
        for method in maps.METHODS:
            for dims in (2, 3):
                found = maps.stored(bank, maps.Recipe(method, dims=dims))
                assert found is not None and np.isfinite(found.places).all(), (key, method, dims)


def test_six_demos_can_be_played_and_scrubbed() -> None:
    demos = sorted(runs.DEMOS.iterdir())
    assert len(demos) == 6 and size(runs.DEMOS) <= 6 * MB
    for folder in demos:
        run = runs.Run.open(folder)
        shots, (stimulus,) = run.snapshots, run.stimulus
        assert len(shots.steps) >= 60 and shots.steps[-1] == run.config.steps == len(run.metrics), folder.name
        assert run.clip.shape == stimulus.shape == shots.clips[-1].shape == (16, 112, 112, 3)
        with pytest.raises(RunError, match="have the frames only"):
            run.tensor  # noqa: B018
        first, last = (np.abs(shots.clips[i].astype(int) - run.clip).mean() for i in (0, -1))
        assert last < 12 and 2 * last < first, "H.264 costs some detail, but they end at the clip, and begin elsewhere"
        assert run.final and run.final["judge"] is not None and run.record["weights"]
        expected = synthesis.estimate(run.config)["seconds"]
        assert 0.6 < run.final["seconds"] / expected < 1.4, "the estimate that a person sees before"
