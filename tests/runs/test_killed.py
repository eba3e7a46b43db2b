"""Runs whose process is killed: each goes on to the end that it would have had."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from leaps_core import files, runs
from leaps_core.errors import RunError
from leaps_core.inversion.control import Control
from leaps_core.runs import record, waiting, writer
from tests.runs.engine import ALL_FILES, config, files_of, made

ROOT = Path(__file__).parents[2]


def test_twenty_kills_at_random_moments_and_in_writes_leave_no_trace() -> None:
    code = "from tests import tiny; tiny.register(); from benchmarks import kills; kills.main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "--kills", "20", "--model", "tiny"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={"PATH": "/usr/bin:/bin", "OMP_NUM_THREADS": "1"},
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in done.stdout.splitlines()[2:]]
    assert sum(int(row[1]) for row in rows) >= 20 and all(row[-1] == "nothing" for row in rows), done.stdout
    assert all(sum(int(row[column]) for row in rows) for column in (2, 3, 4, 5)), "each kind of moment came up"


@pytest.fixture
def often(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkpoint after each step."""
    monkeypatch.setattr(writer, "PERIOD", 0.0)
    monkeypatch.setattr(writer, "SHARE", 1e9)


def killed(
    monkeypatch: pytest.MonkeyPatch, at: int, control: Control | None = None, legs: Sequence[dict[str, int]] = ()
) -> runs.Run:
    """A run as it lies there when its process was killed after step `at`."""
    with monkeypatch.context() as patched:
        patched.setattr(writer.Writer, "finish", lambda self, *_: self.lock.release())
        iterator = runs.perform(config(), control, legs=legs)
        run = next(run for run, step in iterator if step.index == at)
        iterator.close()
    return runs.Run.open(run.folder)


@pytest.mark.usefixtures("often")
def test_an_interrupted_run_shows_what_there_is_and_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    whole, run = made(runs.perform(config())), killed(monkeypatch, 3)
    assert (run.status, run.done, run.final) == ("interrupted", 3, None)
    assert run.snapshots.steps.tolist() == [1, 2, 3] and np.array_equal(run.clip, run.snapshots.clips[-1])
    assert run.snapshots.clips.shape[2:4] == run.snapshots.clips[0].shape[1:3]
    (run.folder / ".half.part").touch()
    run = made(runs.resume(run))
    assert (run.status, files_of(run)) == ("done", ALL_FILES), "nothing half-written is left"
    assert np.array_equal(run.tensor, whole.tensor) and np.array_equal(run.snapshots.clips, whole.snapshots.clips)


@pytest.mark.usefixtures("often")
@pytest.mark.parametrize("at", [1, 3, 4])
def test_the_legs_that_lay_ahead_are_made(monkeypatch: pytest.MonkeyPatch, at: int) -> None:
    legs = [{"to": 2, "total": 4}, {"to": 5, "total": 6}]
    whole = made(runs.perform(config(), legs=legs))
    run = killed(monkeypatch, at, legs=legs)
    assert run.again.legs == legs == run.longer(6 - run.done).legs
    replayed, run = made(runs.replay(run)), made(runs.resume(run))
    for one in (replayed, run):
        assert (one.status, one.done) == ("stopped", 5) and np.array_equal(one.tensor, whole.tensor)
    assert run.again == (config(), [], run.legs) and run.legs[-1] == legs[-1]


@pytest.mark.usefixtures("often")
def test_what_was_changed_after_the_checkpoint_is_changed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    change = {"step": 3, "field": "r", "value": 0.02}
    whole = made(runs.perform(config(), Control([change])))
    run = killed(monkeypatch, 4, Control([change]))
    for step in (2, 1):  # as if the newer checkpoints had not been written
        with monkeypatch.context() as patched:
            patched.setattr(writer.Writer, "_keep", lambda self: None)
            earlier = killed(patched, step)
        assert earlier.done == 0 and not earlier.has("checkpoint.pt")
    (run.folder / "checkpoint.pt").unlink()
    run = made(runs.resume(runs.Run.open(run.folder)))
    assert run.changes == [change] and np.array_equal(run.tensor, whole.tensor), "from its beginning"


@pytest.mark.usefixtures("often")
def test_the_checkpoint_says_where_to_go_on_whatever_the_record_says(monkeypatch: pytest.MonkeyPatch) -> None:
    whole, run = made(runs.perform(config())), killed(monkeypatch, 4)
    run.save(legs=[{"to": 2, "total": 6}])  # killed between the two
    run = made(runs.resume(runs.Run.open(run.folder)))
    assert run.legs == [{"to": to, "total": 6} for to in (2, 4, 6)] and np.array_equal(run.tensor, whole.tensor)
    assert [row["step"] for row in run.metrics] == [1, 2, 3, 4, 5, 6]


@pytest.mark.usefixtures("often")
def test_an_interrupted_run_is_replayed_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = made(runs.perform(config()))
    assert np.array_equal(made(runs.replay(killed(monkeypatch, 3))).tensor, whole.tensor)
    longer = made(runs.perform(config()))
    with monkeypatch.context() as patched:
        patched.setattr(writer.Writer, "finish", lambda self, *_: self.lock.release())
        iterator = runs.resume(longer, steps=5)
        next(run for run, step in iterator if step.index == 8)
        iterator.close()
    longer = runs.Run.open(longer.folder)
    assert longer.legs == [{"to": 6, "total": 6}, {"to": 8, "total": 11}] and longer.status == "interrupted"
    again, ended = made(runs.replay(longer)), made(runs.resume(longer))
    assert again.legs == [{"to": 6, "total": 6}, {"to": 11, "total": 11}]
    assert np.array_equal(again.tensor, ended.tensor) and ended.snapshots.steps.tolist() == list(range(1, 12))


@pytest.mark.usefixtures("often")
def test_going_on_without_a_step_loses_no_snapshots(monkeypatch: pytest.MonkeyPatch) -> None:
    run = killed(monkeypatch, 3)
    with monkeypatch.context() as patched:
        patched.setattr(runs.perform.__globals__["Writer"], "add", lambda self, step: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            list(runs.resume(run))
    run = runs.Run.open(run.folder)
    assert run.status == "interrupted" and run.snapshots.steps.tolist() == [1, 2, 3]
    assert made(runs.resume(run)).snapshots.steps.tolist() == [1, 2, 3, 4, 5, 6]


@pytest.mark.usefixtures("home")
def test_checkpoints_are_no_more_often_than_they_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    times, clock = list[float](), iter(range(1000))
    monkeypatch.setattr(writer, "time", SimpleNamespace(monotonic=lambda: float(next(clock))))  # a second at each look
    monkeypatch.setattr(writer, "PERIOD", 2.0)
    monkeypatch.setattr(writer, "SHARE", 0.1)
    keep = writer.Writer._keep
    monkeypatch.setattr(writer.Writer, "_keep", lambda self: (times.append(self.index), keep(self)))
    made(runs.perform(config(steps=40)))
    assert times == [2, 21], "each takes two seconds, which are a tenth of those from one to the next"


@pytest.mark.usefixtures("home")
def test_a_branch_that_was_interrupted_at_once_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    start = made(runs.perform(config(), control := Control()), 3, control.stop).checkpoint()
    whole = made(runs.perform(config(), checkpoint=start))
    with monkeypatch.context() as patched:
        patched.setattr(writer.Writer, "finish", lambda self, *_: self.lock.release())
        iterator = runs.perform(config(), checkpoint=start)
        run, _ = next(iterator)
        iterator.close()
    assert np.array_equal(made(runs.resume(runs.Run.open(run.folder))).tensor, whole.tensor)


def test_half_a_snapshot_is_left_out(tmp_path: Path) -> None:
    path, clip = tmp_path / waiting.FILE, np.arange(96, dtype=np.uint8).reshape(2, 4, 4, 3)
    file = waiting.Waiting(path, upto=0)
    for step in (1, 5, 9):
        file.add(step, np.full(3, step, np.float32), clip + step)
    file.close()
    data = path.read_bytes()
    path.write_bytes(data[:-20])
    assert [step for (step, _, _), _ in waiting.read(path)] == [1, 5]
    again = waiting.Waiting(path, upto=4)
    again.add(7, np.zeros(3, np.float32), clip)
    assert again.steps == [1, 7] and [found[0, 0, 0, 0] for found in again.clips()] == [1, 0]
    assert list(waiting.read(tmp_path / "none")) == []


@pytest.mark.usefixtures("home")
def test_a_run_that_was_killed_before_its_first_snapshot_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    run = killed(monkeypatch, 1)
    (run.folder / waiting.FILE).write_bytes(b"")
    with pytest.raises(RunError, match="no snapshots yet"):
        _ = run.clip


@pytest.mark.usefixtures("home")
def test_a_folder_in_which_a_process_was_killed_before_there_was_a_run_is_as_good_as_new(tmp_path: Path) -> None:
    for left in (record.LOCK, f".half{files.UNFINISHED}"):
        (tmp_path / left).touch()
    with record.hold(tmp_path), pytest.raises(RunError, match="being written at this moment"):
        made(runs.perform(config(), folder=tmp_path))
    assert files_of(made(runs.perform(config(), folder=tmp_path))) == ALL_FILES
