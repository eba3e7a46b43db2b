"""New runs, resumed ones, replays: with a made-up engine, then with the real one."""

from __future__ import annotations

import io
import os
import sys
import threading

import numpy as np
import pytest
import torch

from leaps_core import machine, models, runs
from leaps_core.errors import LeapsError, RunError
from leaps_core.inversion import loop
from leaps_core.inversion.control import Control
from tests.runs.engine import FRAMES, SIZE, config, contents_of, files_of, made, stopped

pytestmark = pytest.mark.usefixtures("home")


def test_two_at_once_get_folders_of_their_own():
    iterators = [runs.perform(config()) for _ in range(3)]
    assert len({next(iterator)[0].folder for iterator in iterators}) == 3
    for iterator in iterators:
        iterator.close()


def test_a_folder_must_be_new_or_empty(tmp_path):
    (tmp_path / "empty").mkdir()
    assert made(runs.perform(config(), folder=tmp_path / "empty")).folder == tmp_path / "empty"
    with pytest.raises(RunError, match="new or empty"):
        next(runs.perform(config(), folder=tmp_path / "empty"))
    (tmp_path / "file").write_text("mine")
    with pytest.raises(RunError, match="new or empty"):
        next(runs.perform(config(), folder=tmp_path / "file"))
    assert (tmp_path / "file").read_text() == "mine"


def test_nobody_else_writes_into_a_run_that_goes_on():
    run = stopped(2)
    first = runs.resume(run)
    next(first)
    with pytest.raises(RunError, match="being written"):
        next(runs.resume(runs.Run.open(run.folder)))
    with pytest.raises(RunError, match="being written"):
        runs.delete(runs.Run.open(run.folder))
    first.close()
    assert made(runs.resume(runs.Run.open(run.folder))).status == "done"


@pytest.mark.parametrize("settings", [{"model": "none such"}, {"action": "none such"}])
def test_what_cannot_run_makes_no_folder(settings, home):
    with pytest.raises(LeapsError, match="none such"):
        next(runs.perform(config(**settings)))
    assert not home.exists()


def test_too_little_memory_is_refused_before_anything_is_made(monkeypatch, home):
    monkeypatch.setattr(machine, "free_memory", lambda device: 999)
    with pytest.raises(RunError, match="GiB"):
        next(runs.perform(config()))
    assert not home.exists()


def test_a_resumed_run_ends_as_if_it_had_never_stopped():
    whole, run = made(runs.perform(config())), stopped(2)
    assert (run.status, run.done) == ("stopped", 2)
    with open(run.folder / "metrics.jsonl", "a") as file:  # of a process that was killed before it saved its checkpoint
        file.write('{"step": 3}\n')
    run = made(runs.resume(runs.Run.open(run.folder)))
    assert (run.status, run.done, run.config.steps) == ("done", 6, 6)
    assert [line["step"] for line in run.metrics] == [1, 2, 3, 4, 5, 6]
    assert run.snapshots.steps.tolist() == [1, 2, 3, 4, 5, 6] and np.array_equal(run.tensor, whole.tensor)
    assert np.array_equal(run.snapshots.clips[3:], whole.snapshots.clips[3:])


def test_a_complete_run_goes_on_for_more_steps():
    run = made(runs.perform(config()))
    with pytest.raises(RunError, match="complete"):
        next(runs.resume(run))
    run = made(runs.resume(run, steps=4))
    assert (run.status, run.config.steps, len(run.metrics), len(run.snapshots.clips)) == ("done", 10, 10, 10)
    assert runs.Run.open(run.folder).config.steps == 10


def test_a_resumed_run_keeps_its_changes_and_adds_new_ones():
    early, late = ({"step": 2, "field": "r", "value": 0.03}, {"step": 5, "field": "r", "value": 0.01})
    run = stopped(3, [early])
    run = made(runs.resume(runs.Run.open(run.folder), control=Control([late])))
    assert runs.Run.open(run.folder).changes == [early, late]


def test_a_resume_that_fails_before_its_first_step_changes_nothing(monkeypatch):
    run = made(runs.perform(config()))
    before = contents_of(run)
    monkeypatch.setattr(loop, "synthesize", lambda *_, **__: iter([1 / 0]))
    with pytest.raises(ZeroDivisionError):
        list(runs.resume(run, steps=3))
    assert contents_of(run) == before


def test_a_damaged_checkpoint_is_a_clear_error():
    run = stopped(2)
    (run.folder / "checkpoint.pt").write_bytes(b"PK nonsense")
    with pytest.raises(RunError, match="replay it instead"):
        next(runs.resume(run))
    (run.folder / "checkpoint.pt").unlink()
    with pytest.raises(RunError, match="no checkpoint"):
        next(runs.resume(run))
    assert made(runs.replay(run)).done == 2  # and the folder's lock is free


def test_a_checkpoint_with_code_in_it_is_not_run(tmp_path):
    class Trap:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / "sprung"),)

    run, file = stopped(2), io.BytesIO()
    torch.save({"index": Trap()}, file)
    (run.folder / "checkpoint.pt").write_bytes(file.getvalue())
    with pytest.raises(RunError, match="damaged"):
        next(runs.resume(run))
    assert not (tmp_path / "sprung").exists()


def test_a_replay_gives_the_same_clip_changes_included():
    changes = [{"step": 3, "field": "r", "value": 0.02}]
    run = made(runs.perform(config(), Control(changes), stimulus=np.full((2, FRAMES, SIZE, SIZE, 3), 37, np.uint8)))
    again = made(runs.replay(runs.Run.open(run.folder)))
    assert again.folder != run.folder and again.changes == changes
    assert np.array_equal(again.tensor, run.tensor)
    assert not np.array_equal(made(runs.perform(config())).tensor, run.tensor)


def test_other_weights_than_a_run_was_made_with_are_told(monkeypatch):
    run = stopped(4)
    assert not any("other weights" in notice for notice in made(runs.replay(run)).notices)
    monkeypatch.setattr(models, "fingerprint", lambda spec: "of another file")
    for again in (made(runs.replay(run)), made(runs.resume(run))):
        assert any("“tiny” has other weights" in notice for notice in again.notices)


def test_a_stopped_and_resumed_run_is_replayed_as_it_was():
    run = stopped(4)
    assert np.array_equal(made(runs.replay(run)).tensor, run.tensor)
    control = Control()
    run = made(runs.resume(run, steps=7, control=control), 9, control.stop)  # a longer schedule, and stopped again
    assert (run.done, run.config.steps) == (9, 11)
    again = made(runs.replay(runs.Run.open(run.folder)))
    assert np.array_equal(again.tensor, run.tensor) and again.status == "stopped"
    assert again.legs == run.legs == [{"to": 4, "total": 6}, {"to": 9, "total": 11}]


def test_a_branch_cannot_be_replayed():
    start = stopped(3).checkpoint()
    run = made(runs.perform(config(), checkpoint=start))
    assert [line["step"] for line in run.metrics] == [4, 5, 6]
    with pytest.raises(RunError, match="another run's checkpoint"):
        next(runs.replay(run))


def test_a_run_may_end_in_another_thread():
    iterator = runs.perform(config())
    run, _ = next(iterator)
    thread = threading.Thread(target=lambda: list(iterator), daemon=True)
    thread.start()
    thread.join(60)
    assert runs.Run.open(run.folder).status == "done"


def test_the_engine_replays_and_resumes_bit_for_bit(engine):
    control = Control()
    iterator = runs.perform(engine, control)
    for _ in range(2):
        next(iterator)
    control.set(r=0.02, jitter=0.2)
    run = made(iterator, 3, control.stop)
    assert (run.status, run.done, len(run.changes)) == ("stopped", 3, 2)
    assert run.final is not None and run.final["verifier"] is None
    control = Control()
    made(runs.resume(runs.Run.open(run.folder), control=control), 5, lambda: control.set(r=0.03))
    run = runs.Run.open(run.folder)
    assert (run.status, run.done) == ("done", 8)
    assert [(change["step"], change["field"]) for change in run.changes] == [(3, "r"), (3, "jitter"), (6, "r")]
    assert [line["step"] for line in run.metrics] == list(range(1, 9))
    assert run.snapshots.clips.shape == (8, FRAMES, 16, 16, 3)
    again = made(runs.replay(run))
    assert np.array_equal(again.tensor, run.tensor) and again.changes == run.changes
    whole = made(runs.perform(engine, Control(run.changes)))  # as if it had never been stopped
    assert np.array_equal(whole.tensor, run.tensor)


def test_the_engine_unprimed_run_can_be_replayed(engine):
    run = made(runs.perform(engine.replace(stimuli=(), steps=3)))
    assert run.stimulus.shape == (0, FRAMES, 16, 16, 3) and any("nprimed" in notice for notice in run.notices)
    assert np.array_equal(made(runs.replay(run)).tensor, run.tensor)


def test_a_whole_run_says_how_fast_this_machine_is(home, monkeypatch):
    learnt = []
    monkeypatch.setattr(sys.modules[runs.perform.__module__], "learn", lambda *said: learnt.append(said))
    run = made(runs.perform(config()))
    ((settings, reckoned, took),) = learnt
    first, *_, last = (row["seconds"] for row in run.metrics)
    assert settings.model == run.config.model and reckoned > 0, "without what comes before the first step"
    assert took == pytest.approx((last - first) * run.config.steps / (run.config.steps - 1))
    iterator = runs.perform(config())
    next(iterator)
    iterator.close()
    assert len(learnt) == 1, "a run that was stopped"
    made(runs.resume(run, 2))
    assert len(learnt) == 1, "a part of a run"


def test_runs_that_are_made_together_are_kept_as_any(tmp_path, monkeypatch):
    from tests import tiny

    monkeypatch.undo()  # the real engine
    monkeypatch.setenv("LEAPS_HOME", str(tmp_path))
    tiny.register()
    configs = [models.configure("tiny", "bowling", {**tiny.QUICK, "seed": seed}) for seed in (1, 2)]
    found = runs.perform_together(configs, [tmp_path / "a", tmp_path / "b"])
    for one, settings in zip(found, configs, strict=True):
        alone = made(runs.perform(settings))
        assert (one.status, one.done, one.config) == ("done", 3, alone.config) and one.final["judge"] is not None
        assert files_of(one) == files_of(alone) and np.allclose(one.tensor, alone.tensor, atol=1e-3)
        assert made(runs.resume(runs.Run.open(one.folder), 1)).done == 4


def test_ctrl_c_ends_all_that_are_made_together(tmp_path, monkeypatch):
    from leaps_core.runs.writer import Writer
    from tests import tiny

    monkeypatch.undo()  # the real engine
    monkeypatch.setenv("LEAPS_HOME", str(tmp_path))
    tiny.register()
    add = Writer.add

    def pressed(self, step):
        add(self, step)
        if self.run.config.seed == 1 and step.index == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(Writer, "add", pressed)
    configs = [models.configure("tiny", "bowling", {**tiny.QUICK, "seed": seed}) for seed in (1, 2)]
    with pytest.raises(KeyboardInterrupt) as caught:
        runs.perform_together(configs, [tmp_path / "a", tmp_path / "b"])
    assert caught.traceback, "which holds on to all that was going on"
    assert [runs.Run.open(tmp_path / name).status for name in "ab"] == ["stopped", "stopped"]
