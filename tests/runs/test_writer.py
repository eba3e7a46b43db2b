"""What a run writes, however it ends, and what survives a full disk."""

from __future__ import annotations

import errno
import re
import sys
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from leaps_core import SynthesisConfig, models, runs
from leaps_core.errors import RunError
from leaps_core.inversion import loop
from leaps_core.runs import record
from tests.runs.engine import ALL_FILES, FRAMES, SIZE, FullDisk, config, files_of, made, synthesize

pytestmark = pytest.mark.usefixtures("home")


def test_a_run_leaves_all_files_and_nothing_else(home):
    run = runs.Run.open(made(runs.perform(config(), owner="ada")).folder)
    assert run.folder.parent == home / "runs" and "-bowling-tiny-3-" in run.id
    assert files_of(run) == ALL_FILES
    assert (run.status, run.owner, run.done, run.config) == ("done", "ada", 6, config())
    assert run.final == {"model": 0.9, "verifier": None, "judge": 0.8}
    assert run.notices == ["from the stimulus", "a notice"]
    assert run.record["versions"]["torch"] and run.record["device"] == "cpu" and run.record["threads"] >= 1
    assert [line["step"] for line in run.metrics] == [1, 2, 3, 4, 5, 6]
    assert set(run.metrics[0]) == {"step", "seconds", "losses", "weighted", "probabilities", "top5"}
    assert run.clip.shape == (FRAMES, SIZE, SIZE, 3) and run.clip.dtype == np.uint8
    assert np.array_equal(run.tensor.transpose(1, 2, 3, 0), run.tensor.transpose(1, 2, 3, 0).astype(np.float32))
    assert np.array_equal((run.tensor.transpose(1, 2, 3, 0) * 255).round(), run.clip)
    assert run.stimulus.shape == (1, FRAMES, SIZE, SIZE, 3)


def test_snapshots_have_the_final_size_also_of_the_coarse_stage():
    clips, steps, embeddings = made(runs.perform(config())).snapshots
    assert clips.shape == (6, FRAMES, SIZE, SIZE, 3) and clips.dtype == np.uint8
    assert steps.tolist() == [1, 2, 3, 4, 5, 6] and embeddings[:, 0].tolist() == [1, 2, 3, 4, 5, 6]
    assert clips[0].std() > 0


def test_the_run_can_be_read_while_it_goes_on():
    iterator = runs.perform(config())
    run = [next(iterator) for _ in range(3)][-1][0]
    other = runs.Run.open(run.folder)
    assert other.status == "running" and len(other.metrics) == 3
    assert [found.id for found in runs.list_runs(demos=False)] == [run.id]
    iterator.close()
    assert runs.Run.open(run.folder).status == "stopped"


def test_an_interrupt_saves():
    iterator = runs.perform(config())
    for _ in range(3):
        run, _ = next(iterator)
    with pytest.raises(KeyboardInterrupt):
        iterator.throw(KeyboardInterrupt)
    run = runs.Run.open(run.folder)
    assert (run.status, run.done, files_of(run)) == ("stopped", 3, ALL_FILES)
    assert made(runs.resume(run)).done == 6


def test_an_error_saves_what_there_is_and_comes_through(monkeypatch):
    def broken(*arguments, **options):
        yield from list(synthesize(*arguments, **options))[:2]
        raise ZeroDivisionError("bug")

    monkeypatch.setattr(loop, "synthesize", broken)
    with pytest.raises(ZeroDivisionError):
        list(runs.perform(config()))
    (run,) = runs.list_runs(demos=False)
    assert (run.status, run.error, len(run.snapshots.steps)) == ("failed", "bug", 2)


def test_a_run_without_a_step_leaves_nothing(monkeypatch, home):
    def broken(*arguments, **options):
        raise RunError("no")
        yield

    monkeypatch.setattr(loop, "synthesize", broken)
    with pytest.raises(RunError, match="no"):
        list(runs.perform(config()))
    assert list((home / "runs").iterdir()) == []


def test_memory_used_up_is_said_plainly(monkeypatch):
    def broken(*arguments, **options):
        yield from list(synthesize(*arguments, **options))[:1]
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 bytes.")

    monkeypatch.setattr(loop, "synthesize", broken)
    with pytest.raises(RunError, match="Memory is used up.* would fit|smaller model") as raised:
        list(runs.perform(config()))
    assert raised.value.__cause__ is raised.value.__context__ is None, "nothing holds on to what the run had"
    (run,) = runs.list_runs(demos=False)
    assert run.status == "failed" and run.error.startswith("Memory is used up") and run.clip.any()


def test_a_full_disk_is_one_clear_error_and_breaks_nothing(monkeypatch):
    good, disk = made(runs.perform(config())), FullDisk(monkeypatch)
    iterator = runs.perform(config())
    run, _ = next(iterator)
    disk.full = True
    with pytest.raises(RunError, match="full.*free some space"):
        list(iterator)
    assert not [name for name in files_of(run) if name.endswith(".part")]
    listed = runs.list_runs(demos=False)
    assert {found.id: found.status for found in listed} == {good.id: "done", run.id: "interrupted"}, "not even run.json"
    disk.full = False
    assert made(runs.perform(config())).status == "done"
    again = made(runs.resume(runs.Run.open(run.folder)))
    assert again.status == "done" and np.array_equal(again.tensor, good.tensor)


def test_a_disk_too_full_for_snapshots_keeps_the_rest(monkeypatch):
    disk = FullDisk(monkeypatch, only="snapshots.npz")
    disk.full = True
    with pytest.raises(RunError, match="full"):
        list(runs.perform(config()))
    (run,) = runs.list_runs(demos=False)
    assert files_of(run) == ALL_FILES - {"snapshots.npz"} and run.status == "failed" and run.clip.any()
    with pytest.raises(RunError, match="no snapshots.npz"):
        _ = run.snapshots


def test_a_disk_that_fills_while_the_run_goes_on_ends_it(monkeypatch):
    iterator = runs.perform(config())
    run, _ = next(iterator)
    monkeypatch.setattr(np, "save", lambda *_, **__: (_ for _ in ()).throw(OSError(errno.ENOSPC, "No space left on device")))
    with pytest.raises(RunError, match="full"):
        next(iterator)
    assert runs.Run.open(run.folder).status == "failed"
    assert runs.Run.open(run.folder).clip.any()


def test_a_disk_full_from_the_start_leaves_nothing(monkeypatch, home):
    FullDisk(monkeypatch).full = True
    with pytest.raises(RunError, match="full"):
        next(runs.perform(config()))
    assert list((home / "runs").iterdir()) == []


def test_a_home_that_can_only_be_read_is_one_clear_error(monkeypatch, home):
    def refuse(*_, **__):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(RunError, match="Read-only file system"):
        next(runs.perform(config()))
    monkeypatch.undo()


def test_a_clock_that_was_put_back_harms_no_run(monkeypatch, home):
    class Clock(datetime):
        hours = 23

        @classmethod
        def now(cls, tz=None):
            cls.hours -= 1  # an hour back each time that somebody looks
            return cls(2026, 1, 1, cls.hours, tzinfo=tz)

    monkeypatch.setattr(sys.modules[runs.perform.__module__], "datetime", Clock)
    monkeypatch.setattr(record, "datetime", Clock)
    first, second = made(runs.perform(config(), owner="ada")), made(runs.perform(config(), owner="ada"))
    assert second.created < first.created and first.status == second.status == "done"
    assert {run.id for run in runs.list_runs(demos=False)} == {first.id, second.id}
    assert np.array_equal(runs.Run.open(first.folder).clip, runs.Run.open(second.folder).clip)


def test_a_visitors_folder_cant_be_guessed(monkeypatch, home):
    class Clock(datetime):
        @classmethod
        def now(cls, tz=None):
            return cls(2026, 1, 1, tzinfo=tz)

    monkeypatch.setattr(sys.modules[runs.perform.__module__], "datetime", Clock)
    mine = [made(runs.perform(config(), owner="ada")).id for _ in range(2)]
    plain = [made(runs.perform(config())).id for _ in range(2)]
    assert plain[1] == plain[0] + "-2" and mine[0].startswith(plain[0] + "-")
    assert all(re.fullmatch("[0-9a-f]{16}", run.rpartition("-")[2]) for run in mine) and mine[0] != mine[1]


def test_a_run_knows_the_weights_that_made_it(tmp_path: Path) -> None:
    config = SynthesisConfig(model="tiny", action="bowling", steps=1, verifier="none", judge="none")
    *_, (run, _) = runs.perform(config, folder=tmp_path / "run")
    assert runs.Run.open(run.folder).weights == models.fingerprint(models.spec("tiny"))
