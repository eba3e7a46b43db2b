"""The bundled networks and demos as they are shipped: they are whole, small, and as good as their records say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from leaps_core import SynthesisConfig, banks, maps, models, paths, runs, synthesize, video
from leaps_core.errors import RunError
from leaps_core.inversion.plan import make_plan
from leaps_core.models.adapter import VideoModel
from leaps_core.models.bundled import BUILDERS, RECORDS
from leaps_core.puppets import ACTIONS, render_clip
from leaps_core.training.recipes import RECIPES

MB = 10**6
DEPTHS = {"puppet_mvit": (1, 3), "puppet_x3d": (1, 1, 2, 2)}
"""Blocks in each stage, where it isn't one in each of four."""


def size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())


def test_all_are_shipped_with_the_accuracy_that_was_aimed_at() -> None:
    specs = {spec.key: spec for spec in models.specs() if spec.world == "puppets" and spec.key in RECORDS}
    assert specs.keys() == RECORDS.keys() and size(paths.WEIGHTS) <= 16 * MB
    for key, spec in specs.items():
        assert spec.accuracy is not None and spec.accuracy >= (0.95 if spec.batch_norm else 0.9), key
        assert spec.robust == (key != "puppet_r50_clean") and (spec.role == "judge") == (key == "puppet_judge")
    others = [key for key in RECORDS if key != "puppet_judge"]
    assert RECIPES["puppet_judge"].seed not in {RECIPES[key].seed for key in others}
    assert RECORDS["puppet_judge"].family not in {RECORDS[key].family for key in others}


@pytest.mark.parametrize("key", RECORDS)
def test_weights_fit_and_recognise_clips_that_nobody_trained_on(key: str) -> None:
    network = models.load(key, "cpu")
    clips = torch.cat([video.to_tensor(render_clip(action, 5_000 + i)) for i, action in enumerate(ACTIONS)])
    with torch.no_grad():
        named = network(clips).argmax(1).tolist()
    assert sum(index == i for i, index in enumerate(named)) >= 13


@pytest.mark.parametrize("key", [key for key, record in RECORDS.items() if record.role == "model"])
def test_taps_are_the_stem_and_every_block(key: str) -> None:
    record = RECORDS[key]
    model = VideoModel(replace(record, weights=None), BUILDERS[key]())
    size = 4 * record.size_step
    seen = model.observe(torch.rand(1, 3, 16, size, size))
    expected = 1 + sum(DEPTHS.get(key, (1, 1, 1, 1)))
    assert len(model.taps) == len(seen.features) == expected
    assert seen.temporal is not None and seen.temporal.shape[2] >= 4, "coherence needs distant moments"
    assert seen.embedding is not None


@pytest.mark.parametrize("key", [key for key, record in RECORDS.items() if record.role == "model"])
def test_every_bundled_model_can_be_inverted_at_defaults(key: str) -> None:
    config = SynthesisConfig(model=key, action="bowling", steps=2, size=64, coarse=0.0, device="cpu")
    first, second = synthesize(config)
    assert {"cross_entropy", "priming", "coherence", "diversity"} <= first.losses.keys()
    assert not np.array_equal(first.frames, second.frames) and second.final and second.final["judge"] is not None


def test_a_bank_of_every_network_is_shipped_with_its_maps() -> None:
    assert size(paths.BANKS) <= 8 * MB
    for key in RECORDS:
        bank = banks.Bank.open(banks.bundled(key))
        bank.check(models.spec(key))  # made by these very weights
        assert len(bank) >= 1600 and bank.puppets and set(bank.labels.tolist()) == set(ACTIONS)
        for method in maps.METHODS:
            for dims in (2, 3):
                found = maps.stored(bank, maps.Recipe(method, dims=dims))
                assert found is not None and np.isfinite(found.positions).all(), (key, method, dims)


def test_demos_can_be_played_and_scrubbed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEAPS_HOME", str(tmp_path))  # estimates are as where nothing has been run yet
    demos = sorted(paths.DEMOS.iterdir())
    assert len(demos) == 8 and size(paths.DEMOS) <= 14 * MB
    for folder in demos:
        run = runs.Run.open(folder)
        shots, edge = run.snapshots, models.spec(run.config.model).size
        assert len(shots.steps) >= 60 and shots.steps[-1] == run.config.steps == len(run.metrics), folder.name
        assert run.clip.shape == shots.clips[-1].shape == (16, edge, edge, 3)
        with pytest.raises(RunError, match="have the frames only"):
            run.tensor  # noqa: B018
        first, last = (np.abs(shots.clips[i].astype(int) - run.clip).mean() for i in (0, -1))
        assert last < (12 if run.config.stimuli else 14) and 2 * last < first, (
            "H.264 costs some detail, but they end at the clip, and begin elsewhere"
        )
        assert run.final and run.weights
        if not run.config.stimuli:  # I3D's
            assert run.final["model_top1"] == run.config.action and "object_rank" in run.final
            continue
        assert run.stimulus is not None and run.stimulus.shape == (1, *run.clip.shape) and run.final["judge"] is not None
        expected = make_plan(run.config, weights=False).estimate.seconds
        assert 0.6 < run.final["seconds"] / expected < 1.4, "the estimate that a person sees before"


def test_the_papers_mode_takes_the_rows_that_the_search_found() -> None:
    """Those of docs/results.md, "Which weights suit a model"; X3D's was no better than the published one on other clips."""
    text = (Path(__file__).parents[2] / "docs" / "results.md").read_text("utf-8")
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if line.startswith("| puppet_")]
    found = {row[0]: tuple(map(float, row[2:5])) for row in cells if len(row) == 9 and row[1] in ("125", "13")}
    papers = {key: models.spec(key).paper for key in found}
    rows = {key: (row.lambda_1, row.lambda_L, row.r) for key, row in papers.items() if row}
    assert len(found) == len(rows) == 5
    assert {key for key in found if rows[key] != found[key]} == {"puppet_x3d"} and rows["puppet_x3d"] == (0.75, 0.1, 1e-3)
