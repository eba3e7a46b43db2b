"""Runs that earlier versions made.

`tests/data/run_before` was stopped at step 6 of 8 by the version in which `min_learning_rate` was called floor, `warmup_steps`
warmup, and a checkpoint's `confidence` sureness. `run_before_resumed.npz` is the clip to which the same version went on.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from leaps_core import machine, models, runs
from leaps_core.cli import main

DATA = Path(__file__).parents[1] / "data"
ROUNDING = 1e-3
"""Other processors round differently."""


@pytest.fixture
def earlier(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> runs.Run:
    """A copy of the run, and a LEAPS_HOME of one's own; graphics cards are left alone."""
    monkeypatch.setenv("LEAPS_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(machine, "pick_device", lambda name: torch.device("cpu"))
    return runs.Run.open(shutil.copytree(DATA / "run_before", tmp_path / "run_before"))


def test_the_files_have_the_names_of_their_time() -> None:
    record = json.loads((DATA / "run_before" / "run.json").read_text("utf-8"))
    assert {"floor", "warmup"} < record["config"].keys() and not {"min_learning_rate", "warmup_steps"} & record["config"].keys()
    checkpoint = torch.load(DATA / "run_before" / "checkpoint.pt", weights_only=True)
    assert "sureness" in checkpoint and "confidence" not in checkpoint


def test_it_opens(earlier: runs.Run) -> None:
    assert (earlier.config.min_learning_rate, earlier.config.warmup_steps) == (0.003, 3)
    assert (earlier.status, earlier.done, earlier.config.steps, len(earlier.metrics)) == ("stopped", 6, 8, 6)
    assert earlier.clip.shape == (4, 48, 48, 3) and len(earlier.snapshots.steps) == 6 and len(earlier.stimulus) == 1
    config, changes, legs = runs.from_json(earlier.folder)
    assert (config, changes) == (earlier.config, earlier.changes) and len(changes) == 2
    assert runs.from_json((earlier.folder / "run.json").read_text("utf-8")) == (config, changes, legs)


def test_it_goes_on_to_the_same_clip(earlier: runs.Run) -> None:
    before = earlier.metrics
    *_, (run, step) = runs.resume(earlier)
    assert (run.status, run.done, step.index) == ("done", 8, 8)
    with np.load(DATA / "run_before_resumed.npz") as kept:
        assert np.allclose(run.tensor, kept["clip"], atol=ROUNDING)
    record = json.loads((run.folder / "run.json").read_text("utf-8"))
    assert record["config"]["min_learning_rate"] == 0.003 and "floor" not in record["config"]
    assert run.metrics[:6] == before and len(run.metrics) == 8
    assert not any("other weights" in notice for notice in run.notices)


def test_it_is_replayed_to_its_own_clip(earlier: runs.Run) -> None:
    *_, (again, _) = runs.replay(earlier)
    assert (again.status, again.done, again.legs) == ("stopped", 6, [{"to": 6, "total": 8}])
    assert again.changes == earlier.changes and again.config == earlier.config
    assert np.allclose(again.tensor, earlier.tensor, atol=ROUNDING)


def test_the_command_line_takes_old_names(earlier: runs.Run, capsys: pytest.CaptureFixture[str]) -> None:
    made = []
    for settings in (["floor=0.003", "warmup=3"], ["min_learning_rate=0.003", "warmup_steps=3"]):
        options = ["--model", "tiny", "--action", "bowling", "--steps", "4", "--set", *settings]
        assert main(["synth", *options]) == 0
        made.append(runs.Run.open(capsys.readouterr().out.splitlines()[-1]))
    settings = {"steps": 4, "min_learning_rate": 0.003, "warmup_steps": 3, "precision": machine.pick_precision("auto", "cpu")}
    assert made[0].config == made[1].config == models.configure("tiny", "bowling", settings)
    assert np.array_equal(made[0].tensor, made[1].tensor)
