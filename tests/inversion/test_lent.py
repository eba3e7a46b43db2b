"""Runs on a graphics card that is lent for seconds, with a stand-in of its lender."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from leaps_core import SynthesisConfig, machine, runs
from leaps_core.errors import LeapsError, RunError
from leaps_core.inversion import lent, loop
from leaps_core.inversion.control import Control
from leaps_core.runs import Run, writer
from tests.tiny import QUICK

CONFIG = SynthesisConfig(model="tiny", action="bowling", **{**QUICK, "steps": 8}, frames=4, size=16, precision="float32")
CHANGES = [{"step": 3, "field": "coherence", "value": 0.0}, {"step": 6, "field": "learning_rate", "value": 0.02}]
LENDER = Path(__file__).parents[1] / "lender"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty LEAPS_HOME."""
    monkeypatch.setenv("LEAPS_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def lender(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The stand-in; chunks of one step each."""
    monkeypatch.setenv("SPACES_ZERO_GPU", "true")
    monkeypatch.syspath_prepend(str(LENDER))
    monkeypatch.setattr(lent, "MOST", lent.SPARE)
    lent._lent.cache_clear()
    import spaces

    yield spaces
    sys.modules.pop("spaces")
    lent._lent.cache_clear()


def made(steps: Iterator[tuple[Run, Any]], each: Callable[[int], object] = lambda index: None) -> Run:
    """The run, once it ended."""
    found = list[Run]()
    for run, step in steps:
        found.append(run)
        each(step.index)
    return Run.open(found[-1].folder)


def same(one: Run, other: Run) -> bool:
    """Whether two runs made the same steps, bit for bit."""
    losses = [[{**row, "seconds": 0} for row in run.metrics] for run in (one, other)]
    shots = zip(one.snapshots, other.snapshots, strict=True)
    return np.array_equal(one.tensor, other.tensor) and losses[0] == losses[1] and all(np.array_equal(*both) for both in shots)


@pytest.mark.parametrize("chunk", [0.0, 60.0], ids=["a step each", "one for all"])
def test_chunks_make_the_run_that_one_go_makes(lender: Any, monkeypatch: pytest.MonkeyPatch, chunk: float) -> None:
    monkeypatch.setattr(lent, "MOST", lent.SPARE + chunk)
    monkeypatch.setattr(writer, "PERIOD", 0.0)  # a checkpoint is due before there is any
    run = made(runs.perform(CONFIG, Control(CHANGES)))
    assert (run.status, run.changes, run.done) == ("done", CHANGES, 8) and run.final and run.final["judge"] is not None
    assert len(lender.asked) == (1 if chunk else 8) and run.record["device"] == "cpu"
    monkeypatch.delenv("SPACES_ZERO_GPU")
    assert same(run, made(runs.perform(CONFIG, Control(CHANGES)))) and len(lender.asked) == (1 if chunk else 8)
    more = made(runs.resume(run, 2))
    assert more.done == 10, "the checkpoint is that of any run"


def test_what_is_moved_acts_from_the_next_chunk_on_and_the_run_can_be_done_again(lender: Any) -> None:
    control = Control()
    run = made(runs.perform(CONFIG, control), lambda index: index == 4 and control.set(coherence=0.0))
    assert run.changes == [{"step": 5, "field": "coherence", "value": 0.0}]
    assert same(run, made(runs.replay(run)))


def test_stop_acts_after_a_chunk_and_what_was_stopped_goes_on_and_is_replayed(
    lender: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    control = Control()
    run = made(runs.perform(CONFIG, control), lambda index: index == 3 and control.stop())
    assert (run.status, run.done) == ("stopped", 3) and run.final and run.final["judge"] is not None
    again = made(runs.replay(run))
    assert (again.status, again.done) == ("stopped", 3) and same(run, again)
    on = made(runs.resume(run))
    assert (on.status, on.done) == ("done", 8)
    monkeypatch.setattr(lent, "MOST", lent.SPARE + 60)  # a leg ends where it ended
    assert same(on, made(runs.replay(on)))


def test_nothing_is_borrowed_while_a_run_is_paused(lender: Any) -> None:
    control, ready = Control(), threading.Event()

    def pause(index: int) -> None:
        if index == 2:
            control.pause()
            threading.Timer(0.5, lambda: (asked.append(len(lender.asked)), ready.set(), control.resume())).start()

    asked: list[int] = []
    assert made(runs.perform(CONFIG, control), pause).done == 8
    assert ready.is_set() and asked == [2]


def test_no_more_seconds_are_asked_for_than_are_needed(lender: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lent, "MOST", 10.0)
    plan: Any = None
    assert lent._seconds(plan, [], None, 100, float("inf")) == 10, "nobody knows yet how fast it is"
    assert lent._seconds(plan, [], {"done": 60}, 100, 1.0) == 10
    assert lent._seconds(plan, [], {"done": 60}, 100, 0.05) == 7
    made(runs.perform(CONFIG))
    assert lender.asked == [10]


def test_what_goes_wrong_in_a_worker_is_told_and_what_was_made_is_kept(lender: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    real = loop.synthesize

    def failing(*args: Any, **kwargs: Any) -> Iterator[Any]:
        for step in real(*args, **kwargs):
            if step.index == 4:
                raise LeapsError("The term “norm” became nan.")
            yield step

    monkeypatch.setattr(loop, "synthesize", failing)
    monkeypatch.setattr(lent, "MOST", lent.SPARE + 60)
    seen = list[Run]()
    with pytest.raises(LeapsError, match="^The term “norm” became nan.$"):
        for run, _ in runs.perform(CONFIG):
            seen.append(run)
    run = Run.open(seen[-1].folder)
    assert (run.status, run.done, run.error) == ("failed", 3, "The term “norm” became nan.")
    monkeypatch.setattr(loop, "synthesize", real)
    assert made(runs.resume(run)).done == 8


def test_a_refusal_is_told_in_words_and_a_run_without_a_step_is_none(
    lender: Any, monkeypatch: pytest.MonkeyPatch, home: Path
) -> None:
    monkeypatch.setattr(lender, "refusal", "You have exceeded your <b>GPU quota</b> (10s left).")
    with pytest.raises(RunError, match=r"can't be had: You have exceeded your GPU quota \(10s left\)\. .*device=cpu"):
        list(runs.perform(CONFIG))
    assert not runs.list_runs(demos=False)
    run = made(runs.perform(CONFIG.replace(device="cpu")))
    assert run.status == "done" and not lender.asked, "a person who asks for the processor needs none"


def test_a_refusal_in_the_middle_keeps_what_was_made(lender: Any) -> None:
    def refuse(index: int) -> None:
        if index == 3:
            lender.refusal = "No GPU is free."

    with pytest.raises(RunError, match="No GPU is free"):
        made(runs.perform(CONFIG), refuse)
    run = runs.list_runs(demos=False)[0]
    assert (run.status, run.done) == ("failed", 3)
    lender.refusal = ""
    assert made(runs.resume(run)).done == 8


def test_where_a_card_is_lent_this_process_has_none(lender: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)  # as the lender says, to have models built for it
    assert machine.lends("auto") and not machine.lends("cpu")
    assert machine.pick_device("auto").type == "cpu" and machine.pick_precision("auto", "auto") == "bfloat16"
    with pytest.raises(LeapsError, match="device=auto"):
        machine.pick_device("cuda")
    monkeypatch.setattr(machine, "_borrowed", True)
    assert machine.pick_device("auto").type == "cuda" and not machine.lends("auto")


def test_the_lender_knows_the_work_before_the_page_is_up(lender: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    lent.prepare()
    assert lent._lent.cache_info().currsize == 2
    lent._lent.cache_clear()
    monkeypatch.setenv("SPACES_ZERO_GPU", "")
    lent.prepare()
    assert lent._lent.cache_info().currsize == 0, "and no other place needs the package"
