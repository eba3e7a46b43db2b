"""A closer look at a run, and what it says."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from leaps_core import models, runs, video
from leaps_core.cli import main
from leaps_core.errors import ModelError, RunError
from leaps_core.probes import motion
from leaps_core.probes.changes import CHANGES
from leaps_core.probes.gradient import SAMPLES
from leaps_core.probes.look import Look, look
from leaps_core.probes.opinion import PASSES
from leaps_core.probes.questions import QUESTIONS, Answer
from tests.tiny import QUICK


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> runs.Run:
    config = models.configure("tiny", "bowling", QUICK)
    *_, (found, _) = runs.perform(config, folder=tmp_path_factory.mktemp("look") / "run")
    return found


@pytest.fixture(scope="module")
def seen(run: runs.Run) -> Look:
    return look(run)


def test_everything_is_as_long_as_the_clip(run: runs.Run, seen: Look) -> None:
    shape = run.clip.shape
    assert [entry.clip.shape for entry in seen.entries] == [shape] * 4 and (seen.clip == run.clip).all()
    assert seen.change.shape == seen.attention.shape == shape[:1] and seen.change[0] == 0
    assert float(seen.attention.sum()) == pytest.approx(1, abs=1e-5) and 0 <= seen.row < shape[1]
    assert list(seen.answers) == list(QUESTIONS) and seen.markdown.count("\n| ") == 1 + len(QUESTIONS)
    assert list(seen.survived) == list(CHANGES) and "everyday changes" in seen.lasting and seen.strip == "what changes"


def test_of_a_clip_that_began_at_a_real_one_it_shows_what_had_to_change(seen: Look, tmp_path: Path) -> None:
    assert seen.since is None
    settings = {**QUICK, "steps": 2, "begin_at": "stimulus", "coarse": 0.0, "stimuli": ("bundled:3/tai chi",)}
    *_, (run, _) = runs.perform(models.configure("tiny", "bowling", settings), folder=tmp_path / "run")
    found = look(run)
    assert [entry.name for entry in found.entries][1] == "what changed since the start" and len(found.entries) == 5
    assert (
        found.since.shape == run.clip.shape and (found.since == motion.drawn(motion.changes(run.clip, run.stimulus[0]))).all()
    )


def test_it_is_written_into_a_folder(run: runs.Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs", "look", str(run.folder), "--out", str(tmp_path / "out")]) == 0
    said = capsys.readouterr().out
    assert "| as it is |" in said and said.rstrip().endswith(str(tmp_path / "out"))
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"look.mp4", "slice.png", "look.json"}
    assert len(video.read(tmp_path / "out" / "look.mp4", 8, 64).frames) == 8
    found = json.loads((tmp_path / "out" / "look.json").read_text("utf-8"))
    assert set(found["answers"]["frozen"]["model"]) == {"action", "best", "of_best"} and len(found["attention"]) == 8


@pytest.mark.parametrize(
    ("whole", "backwards", "frozen", "sentence"),
    [
        (0.1, 0.1, 0.1, "hardly sees"),
        (0.9, 0.9, 0.8, "One frame is enough"),
        (0.9, 0.1, 0.1, "Order matters"),
        (0.9, 0.8, 0.1, "its order does not"),
    ],
)
def test_the_sentence_follows_the_answers(seen: Look, whole: float, backwards: float, frozen: float, sentence: str) -> None:
    p = {"as it is": whole, "played backwards": backwards, "shuffled": whole, "frozen": frozen, "one frame only": 0.0}
    answers = {name: {"model": Answer(share, "tai chi", 1 - share)} for name, share in p.items()}
    told = replace(seen, answers=answers)
    assert sentence in told.sentence and f"| frozen | {frozen:.0%} (tai chi {1 - frozen:.0%}) |" in told.markdown


def test_what_survives_is_told_by_name(seen: Look) -> None:
    lost = replace(seen, survived={"blur": False, "grey": True, "noise": False})
    assert lost.lasting.startswith("After 1 of 3 everyday changes") and lost.lasting.endswith("It does not after: blur, noise.")
    assert (
        "all 2 everyday changes" in replace(seen, survived={"blur": True, "grey": True}).lasting
        and "not after" not in lost.lasting[:60]
    )


def test_it_can_be_told_in_another_language(seen: Look) -> None:
    other = replace(seen, say=lambda words, **values: f"«{words.format(**values)}»")
    assert "| «the clip» | «model» |" in other.markdown and "| «frozen» |" in other.markdown
    assert other.sentence[0] + other.sentence[-1] == other.lasting[0] + other.lasting[-1] == "«»"
    assert [entry.name for entry in other.entries] == [seen.action, "«what changes»", "«what moves»", "«where the model looks»"]
    assert other.strip == "«what changes»" and all(entry.note[0] == "«" for entry in other.entries[1:])


def test_a_run_without_a_clip_is_told(run: runs.Run, tmp_path: Path) -> None:
    (tmp_path / "run.json").write_bytes((run.folder / "run.json").read_bytes())
    with pytest.raises(RunError, match="clip"):
        look(runs.Run.open(tmp_path))
    assert np.array_equal(look(run).slice, look(run).slice)


def test_without_its_networks_the_frames_still_tell(run: runs.Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(cast: models.Cast) -> None:
        raise ModelError("Weights of “tiny” are not on this machine.")

    monkeypatch.setattr(models, "require_weights", missing)
    found = look(run)
    assert len(found.entries) == 3 and found.attention is None and found.change.shape == run.clip.shape[:1]
    assert found.markdown == "Weights of “tiny” are not on this machine."


def test_how_far_it_is_is_told(run: runs.Run) -> None:
    told: list[tuple[int, int | None]] = []
    look(run, lambda done, total: told.append((done, total)))
    assert told[0] == (3, PASSES) and told[-1] == (PASSES, PASSES) and told == sorted(told)
    assert len(told) == SAMPLES + len(QUESTIONS) + len(CHANGES)
