"""What networks say of a clip, asked for and kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from leaps_core import models, paths, runs
from leaps_core.errors import ModelError
from leaps_core.probes import opinion
from leaps_core.probes.changes import CHANGES
from leaps_core.probes.look import look
from leaps_core.probes.questions import QUESTIONS

DEMOS = sorted(path.name for path in paths.DEMOS.iterdir())


@pytest.mark.parametrize("name", DEMOS)
def test_what_is_shipped_of_a_demo_shows_it_without_its_networks(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object) -> None:
        raise ModelError("not on this machine")

    monkeypatch.setattr(models, "require_weights", missing)
    run = runs.Run.open(paths.DEMOS / name)
    seen = look(run)
    assert list(seen.answers) == list(QUESTIONS) and list(seen.survived) == list(CHANGES) and not seen.lacking
    assert seen.gradient is not None and seen.gradient.shape == run.clip.shape and seen.attention is not None
    assert float(seen.attention.sum()) == pytest.approx(1, abs=1e-4) and seen.gradient.std() > 10


def test_what_is_shipped_is_what_the_networks_say() -> None:
    run = runs.Run.open(paths.DEMOS / next(name for name in DEMOS if "r50_clean" in name))
    kept, asked = opinion.kept(run), opinion.ask(run)
    assert kept is not None
    assert kept.survived == asked.survived and list(kept.survived) == list(CHANGES)
    for question, said in asked.answers.items():
        for network, answer in said.items():
            assert kept.answers[question][network].action == pytest.approx(answer.action, abs=0.02), (question, network)
    cells = asked.weights.reshape(len(asked.weights), opinion.GRID, -1, opinion.GRID, asked.weights.shape[2] // opinion.GRID)
    assert np.corrcoef(cells.mean((2, 4)).ravel(), kept.weights.ravel())[0, 1] > 0.99


def test_what_a_clip_does_not_survive_is_kept_as_that(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "DEMOS", tmp_path)
    config = models.configure("tiny", "bowling", {"steps": 3, "verifier": "none", "judge": "none", "stimuli": ()})
    *_, (run, _) = runs.perform(config, folder=tmp_path / "mine")
    opinion.keep(run)
    kept = opinion.kept(runs.Run.open(run.folder))
    assert kept is not None and kept.survived == opinion.ask(run).survived and not all(kept.survived.values())


def test_only_what_is_shipped_is_believed(tmp_path: Path) -> None:
    run = runs.Run.open(paths.DEMOS / DEMOS[-1])
    for file in run.folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    assert opinion.kept(run) is not None and opinion.kept(runs.Run.open(tmp_path)) is None
