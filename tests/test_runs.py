"""Runs on disk, with a made-up engine: what is written, what survives, who may do what. Then with the real one."""

from __future__ import annotations

import errno
import importlib
import io
import json
import os
import subprocess
import sys
import threading
import types
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from leaps_core import models, runs
from leaps_core.config import SynthesisConfig
from leaps_core.errors import LeapsError, RunError

FRAMES, SIZE = 4, 8
SPEC = models.ModelSpec(
    key="tiny", name="Tiny", family="Test", world="tests", frames=FRAMES, size=SIZE, taps="0", embedding_layer="0"
)


class Control:
    """The engine's interface, without an engine: changes act at once, the canvas is one number."""

    def __init__(self, changes=()):
        self.planned, self.changes, self.state, self.point = list(changes), [], "running", {}

    def stop(self):
        self.state = "stopped"

    def checkpoint(self):
        return self.point


@dataclass
class Step:
    index: int
    total: int
    clip: torch.Tensor
    final: dict | None
    snapshot: bool = True
    notices: tuple = ("a notice",)
    seconds: float = 0.1
    top5: tuple = (("bowling", 0.5), ("tai chi", 0.25))

    def __post_init__(self):
        self.losses, self.weighted = {"cross_entropy": 1 / self.index}, {"cross_entropy": 1 / self.index}
        self.probabilities = {"model": 0.5, "verifier": None, "judge": None}
        self.embedding = np.full(3, self.index, np.float32)

    @property
    def frames(self):
        return (self.clip[0].permute(1, 2, 3, 0).numpy() * 255).round().astype(np.uint8)


def synthesize(config, control, *, stimulus=None, checkpoint=None):
    """The value of a clip depends on seed, stimulus, every step so far, and the changes."""
    start = {"value": torch.tensor(config.seed / 7 + float(stimulus.mean()) / 300), "index": 0, "rate": 0.1}
    value, index, rate = (checkpoint or start).values()

    def step(final):
        size = SIZE // 2 if index * 2 <= config.steps else SIZE  # coarse to fine
        clip = (value * torch.arange(1, 1 + 3 * FRAMES * size**2) % 1).reshape(1, 3, FRAMES, size, size)
        return Step(index, config.steps, clip, {"model": 0.9, "verifier": None, "judge": 0.8} if final else None)

    while index < config.steps and control.state != "stopped":
        index += 1
        for change in control.planned:
            if change["step"] == index:  # acts before the step of that number
                control.changes.append(change)
                rate = change["value"]
        value = value + rate * index / config.steps
        control.point = {"value": value, "index": index, "rate": rate}
        yield step(index == config.steps)
    if control.state == "stopped" and index:
        yield step(True)


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """A LEAPS_HOME of one's own, and the made-up engine in place of the real one."""
    monkeypatch.setenv("LEAPS_HOME", str(tmp_path / "home"))
    for name in ("_registry", "_builders", "_labels"):
        models.specs()
        monkeypatch.setattr(models, name, dict(getattr(models, name)))
    models.register(SPEC, lambda: torch.nn.Identity(), ("bowling", "tai chi"))
    engine = types.ModuleType("leaps_core.synthesis")
    engine.synthesize, engine.Control = synthesize, Control
    engine.estimate = lambda config: {"memory": 1000, "seconds": 1.0, "steps_per_second": 1.0}
    engine.stimulus_clips = lambda config, spec: (
        np.full((len(config.stimuli), FRAMES, SIZE, SIZE, 3), 100, np.uint8),
        ("from the stimulus",),
    )
    monkeypatch.setitem(sys.modules, "leaps_core.synthesis", engine)
    return tmp_path / "home"


def config(**settings):
    return SynthesisConfig(**{"model": "tiny", "action": "bowling", "steps": 6, "seed": 3, **settings})


def made(iterator, at=None, act=None):
    """The run, once the iterator has ended; after step `at`, `act` is called."""
    found = None
    for found, step in iterator:  # noqa: B007
        if step.index == at:
            act()
    return found


def stopped(at, changes=()):
    """A run stopped after step `at`."""
    control = Control(changes)
    return made(runs.perform(config(), control), at, control.stop)


def files(run):
    return {path.name for path in run.folder.iterdir()}


ALL_FILES = {
    ".lock",
    "run.json",
    "metrics.jsonl",
    "snapshots.npz",
    "stimulus.npz",
    "clip.npz",
    "clip.mp4",
    "clip.webp",
    "checkpoint.pt",
}


# -------------------------------------------------------------------------------------------------------------- writing


def test_a_run_leaves_all_files_and_nothing_else(home):
    run = runs.Run.open(made(runs.perform(config(), owner="ada")).folder)
    assert run.folder.parent == home / "runs" and run.id.endswith("-bowling-tiny-3")
    assert files(run) == ALL_FILES
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


def test_an_interrupt_saves():
    iterator = runs.perform(config())
    for _ in range(3):
        run, _ = next(iterator)
    with pytest.raises(KeyboardInterrupt):
        iterator.throw(KeyboardInterrupt)
    run = runs.Run.open(run.folder)
    assert (run.status, run.done, files(run)) == ("stopped", 3, ALL_FILES)
    assert made(runs.resume(run)).done == 6


def test_an_error_saves_what_there_is_and_comes_through(monkeypatch):
    def broken(*arguments, **options):
        yield from list(synthesize(*arguments, **options))[:2]
        raise ZeroDivisionError("bug")

    monkeypatch.setattr(sys.modules["leaps_core.synthesis"], "synthesize", broken)
    with pytest.raises(ZeroDivisionError):
        list(runs.perform(config()))
    (run,) = runs.list_runs(demos=False)
    assert (run.status, run.record["error"], len(run.snapshots.steps)) == ("failed", "bug", 2)


def test_a_run_without_a_step_leaves_nothing(monkeypatch, home):
    def broken(*arguments, **options):
        raise RunError("no")
        yield

    monkeypatch.setattr(sys.modules["leaps_core.synthesis"], "synthesize", broken)
    with pytest.raises(RunError, match="no"):
        list(runs.perform(config()))
    assert list((home / "runs").iterdir()) == []


@pytest.mark.parametrize("settings", [{"model": "none such"}, {"action": "none such"}])
def test_what_cannot_run_makes_no_folder(settings, home):
    with pytest.raises(LeapsError, match="none such"):
        next(runs.perform(config(**settings)))
    assert not home.exists()


def test_too_little_memory_is_refused_before_anything_is_made(monkeypatch, home):
    monkeypatch.setattr(runs, "_free_memory", lambda device: 999)
    with pytest.raises(RunError, match="GiB"):
        next(runs.perform(config()))
    assert not home.exists()


def test_a_containers_limit_counts(tmp_path: Path) -> None:
    assert runs._container_memory(tmp_path) is None
    for name, text in (("memory.max", "max\n"), ("memory.current", "700\n"), ("memory.stat", "anon 600\ninactive_file 90\n")):
        (tmp_path / name).write_text(text)
    assert runs._container_memory(tmp_path) is None
    (tmp_path / "memory.max").write_text("1000\n")
    assert runs._container_memory(tmp_path) == 390


def test_memory_used_up_is_said_plainly(monkeypatch):
    def broken(*arguments, **options):
        yield from list(synthesize(*arguments, **options))[:1]
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 bytes.")

    monkeypatch.setattr(sys.modules["leaps_core.synthesis"], "synthesize", broken)
    with pytest.raises(RunError, match="fewer frames"):
        list(runs.perform(config()))


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path):
    path = tmp_path / "file"
    runs._save(path, b"old")
    with pytest.raises(ZeroDivisionError), runs._replacing(path) as part:
        part.write_bytes(b"ne")
        raise ZeroDivisionError
    assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]


class FullDisk:
    """From `full = True` on, nothing new fits: replacing files fails as on a full disk."""

    def __init__(self, monkeypatch, *, only=""):
        self.full, replace = False, os.replace

        def refusing(source, target):
            if self.full and only in str(target):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(target))
            replace(source, target)

        monkeypatch.setattr(os, "replace", refusing)


def test_a_full_disk_is_one_clear_error_and_breaks_nothing(monkeypatch):
    good, disk = made(runs.perform(config())), FullDisk(monkeypatch)
    iterator = runs.perform(config())
    run, _ = next(iterator)
    disk.full = True
    with pytest.raises(RunError, match="full.*free some space"):
        list(iterator)
    assert not [name for name in files(run) if name.endswith(".part")]
    listed = runs.list_runs(demos=False)
    assert {found.id: found.status for found in listed} == {good.id: "done", run.id: "failed"}
    disk.full = False
    assert made(runs.perform(config())).status == "done"


def test_a_disk_too_full_for_snapshots_keeps_the_rest(monkeypatch):
    disk = FullDisk(monkeypatch, only="snapshots.npz")
    disk.full = True
    with pytest.raises(RunError, match="full"):
        list(runs.perform(config()))
    (run,) = runs.list_runs(demos=False)
    assert files(run) == ALL_FILES - {"snapshots.npz"} and run.status == "failed" and run.clip.any()
    with pytest.raises(RunError, match="no snapshots.npz"):
        _ = run.snapshots


def test_a_disk_that_fills_while_the_run_goes_on_ends_it(monkeypatch):
    iterator = runs.perform(config())
    run, _ = next(iterator)
    monkeypatch.setattr(np, "save", lambda *_: (_ for _ in ()).throw(OSError(errno.ENOSPC, "No space left on device")))
    with pytest.raises(RunError, match="full"):
        next(iterator)
    assert runs.Run.open(run.folder).status == "failed"
    assert runs.Run.open(run.folder).clip.any()


def test_a_disk_full_from_the_start_leaves_nothing(monkeypatch, home):
    FullDisk(monkeypatch).full = True
    with pytest.raises(RunError, match="full"):
        next(runs.perform(config()))
    assert list((home / "runs").iterdir()) == []


# ---------------------------------------------------------------------------------------------- resume, replay, compare


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
    before = {name: (run.folder / name).read_bytes() for name in files(run)}
    monkeypatch.setattr(sys.modules["leaps_core.synthesis"], "synthesize", lambda *_, **__: iter([1 / 0]))
    with pytest.raises(ZeroDivisionError):
        list(runs.resume(run, steps=3))
    assert {name: (run.folder / name).read_bytes() for name in files(run)} == before


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
    assert again.record["legs"] == run.record["legs"] == [{"to": 4, "total": 6}, {"to": 9, "total": 11}]


def test_a_branch_cannot_be_replayed():
    start = stopped(3).checkpoint()
    run = made(runs.perform(config(), checkpoint=start))
    assert [line["step"] for line in run.metrics] == [4, 5, 6]
    with pytest.raises(RunError, match="another run's checkpoint"):
        next(runs.replay(run))


def test_compare_tells_runs_apart():
    a = made(runs.perform(config()))
    b = made(runs.perform(config(seed=4), Control([{"step": 1, "field": "r", "value": 0.02}])))
    found = runs.compare(a, b)
    assert found["settings"] == {"seed": (3, 4)} and found["final"]["judge"] == (0.8, 0.8)
    assert found["changes"] == ([], [{"step": 1, "field": "r", "value": 0.02}])
    assert found["difference"] == pytest.approx(np.abs(a.clip.astype(float) - b.clip).mean() / 255)
    assert runs.compare(a, a)["difference"] == 0
    (b.folder / "clip.npz").unlink()
    assert runs.compare(a, b)["difference"] is None


def test_json_alone_is_enough_to_do_it_again(tmp_path):
    changes = [{"step": 2, "field": "r", "value": 0.02}]
    run = made(runs.perform(config(), Control(changes)))
    text = (run.folder / "run.json").read_text()
    assert runs.from_json(text) == runs.from_json(run.folder) == runs.from_json(run.folder / "run.json")
    again, found = runs.from_json(text)
    assert (again, found) == (config(), changes)
    assert np.array_equal(made(runs.perform(again, Control(found))).tensor, run.tensor)
    assert runs.from_json(config().model_dump_json()) == (config(), [])


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "{}",
        '{"config": 3}',
        '{"model": "tiny", "action": "a", "steps": 0}',
        '{"model": "tiny", "action": "a", "nonsense": 1}',
        "{" + "[" * 100_000,
        '{"config": {"model": "a", "action": "b"}, "changes": [{"step": 1}]}',
        '{"config": {"model": "a", "action": "b"}, "changes": [{"step": 1, "field": "seed", "value": 1}]}',
        '{"config": {"model": "a", "action": "b"}, "changes": [{"step": 1, "field": "r", "value": 9}]}',
    ],
)
def test_other_json_is_refused(text):
    with pytest.raises(LeapsError):
        runs.from_json(text)


# --------------------------------------------------------------------------------------------- list, open, find, delete


def test_the_list_is_newest_first_and_skips_broken_runs(home, caplog):
    made_runs = [made(runs.perform(config(seed=seed))) for seed in range(3)]
    broken = home / "runs" / "broken"
    broken.mkdir()
    (broken / "run.json").write_text('{"config": ')
    (home / "runs" / "no run at all").mkdir()
    assert [run.id for run in runs.list_runs(demos=False)] == [run.id for run in reversed(made_runs)]
    assert "broken" in caplog.text


def test_listing_reads_run_json_only():
    run = made(runs.perform(config()))
    for name in files(run) - {"run.json"}:
        (run.folder / name).unlink()
    assert [found.status for found in runs.list_runs(demos=False)] == ["done"]


def test_a_visitor_sees_own_runs_and_the_demos(monkeypatch, tmp_path):
    monkeypatch.setattr(runs, "DEMOS", tmp_path / "demos")
    demo = made(runs.perform(config(), folder=tmp_path / "demos" / "one"))
    ada, bob = made(runs.perform(config(), owner="ada")), made(runs.perform(config(), owner="bob"))
    assert [run.id for run in runs.list_runs(owner="ada")] == [ada.id, demo.id]
    assert [run.id for run in runs.list_runs(demos=False)] == [bob.id, ada.id]
    assert runs.find(demo.id, owner="ada").demo and runs.find(ada.id, owner="ada").id == ada.id
    with pytest.raises(RunError, match="no run"):
        runs.find(bob.id, owner="ada")
    with pytest.raises(RunError, match="somebody else"):
        runs.delete(bob, owner="ada")
    with pytest.raises(RunError, match="demo"):
        runs.delete(demo, owner="ada")
    with pytest.raises(RunError, match="demo"):
        next(runs.resume(demo, steps=3))
    assert bob.folder.is_dir() and demo.folder.is_dir()
    runs.delete(ada, owner="ada")
    assert not ada.folder.exists() and [run.id for run in runs.list_runs(demos=False)] == [bob.id]


def test_nothing_outside_of_the_runs_folder_is_found_or_deleted(tmp_path, home):
    mine = made(runs.perform(config()))
    outside = made(runs.perform(config(), folder=tmp_path / "outside"))
    (home / "runs" / "link").symlink_to(outside.folder)
    tricks = ["", ".", "..", "../../outside", str(outside.folder), "link", f"{mine.id}/../{mine.id}"]
    for name in tricks:
        with pytest.raises(RunError, match="no run"):
            runs.find(name)
    for folder in (outside.folder, home / "runs" / "link", home / "runs" / ".." / ".." / "outside"):
        with pytest.raises(RunError, match="outside of"):
            runs.delete(runs.Run.open(folder))
    assert files(outside) == ALL_FILES and files(mine) == ALL_FILES


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"config": {}}', "\x00\xff"])
def test_a_broken_run_is_a_clear_error(tmp_path, text):
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(RunError, match="run.json"):
        runs.Run.open(tmp_path)
    with pytest.raises(RunError, match="No such file"):
        runs.Run.open(tmp_path / "nowhere")


def test_damaged_files_are_clear_errors_and_half_a_line_is_left_out():
    run = made(runs.perform(config()))
    for name in ("clip.npz", "snapshots.npz"):
        data = (run.folder / name).read_bytes()
        (run.folder / name).write_bytes(data[: len(data) // 2])
    for read in (lambda: run.clip, lambda: run.snapshots):
        with pytest.raises(RunError, match="damaged"):
            read()
    with open(run.folder / "metrics.jsonl", "a") as file:
        file.write('{"step": 7, "loss')
    assert len(run.metrics) == 6


def test_a_run_whose_process_died_is_failed_not_running(home):
    code = (
        "import json, os, pathlib, sys; from leaps_core import runs\n"
        "folder = pathlib.Path(sys.argv[1]); lock = runs._locked(folder)\n"
        "print('locked', flush=True); sys.stdin.read()"
    )
    run = made(runs.perform(config()))
    run.record["status"] = "running"
    runs._save(run.folder / "run.json", json.dumps(run.record).encode())
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(run.folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[1],
    )
    assert process.stdout.readline()
    assert runs.Run.open(run.folder).status == "running"
    with pytest.raises(RunError, match="being written"):
        next(runs.resume(run, steps=2))
    process.kill()
    process.communicate()
    assert runs.Run.open(run.folder).status == "failed"


def test_a_run_may_end_in_another_thread():
    iterator = runs.perform(config())
    run, _ = next(iterator)
    thread = threading.Thread(target=lambda: list(iterator), daemon=True)
    thread.start()
    thread.join(60)
    assert runs.Run.open(run.folder).status == "done"


def test_importing_goes_without_torch():
    code = (
        "import sys; import leaps_core\nfrom leaps_core import LeapsError, SynthesisConfig, Run\n"
        "import leaps_core.cli\nassert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[1], timeout=120)


# ------------------------------------------------------------------------------------------------------ the real engine


@pytest.fixture
def engine(monkeypatch):
    """The real engine in place of the made-up one, and a network small enough for it: a config's settings."""
    monkeypatch.delitem(sys.modules, "leaps_core.synthesis")
    real = importlib.import_module("leaps_core.synthesis")

    def build():
        torch.manual_seed(0)
        return torch.nn.Sequential(
            torch.nn.Conv3d(3, 4, 3, padding=1),
            torch.nn.BatchNorm3d(4),
            torch.nn.ReLU(),
            torch.nn.AdaptiveAvgPool3d(1),
            torch.nn.Flatten(),
            torch.nn.Linear(4, len(models.labels("puppets"))),
        )

    models.register(replace(SPEC, key="little", world="puppets", taps="0|2", embedding_layer="2", size=16, size_step=4), build)
    settings = {"model": "little", "verifier": "none", "judge": "none", "steps": 8, "seed": 1, "device": "cpu"}
    return real, SynthesisConfig(action=models.labels("puppets")[0], **settings)


def test_the_engine_replays_and_resumes_bit_for_bit(engine):
    real, settings = engine
    control = real.Control()
    iterator = runs.perform(settings, control)
    for _ in range(2):
        next(iterator)
    control.set(r=0.02, jitter=0.2)
    run = made(iterator, 3, control.stop)
    assert (run.status, run.done, len(run.changes)) == ("stopped", 3, 2)
    assert run.final is not None and run.final["verifier"] is None
    control = real.Control()
    made(runs.resume(runs.Run.open(run.folder), control=control), 5, lambda: control.set(r=0.03))
    run = runs.Run.open(run.folder)
    assert (run.status, run.done) == ("done", 8)
    assert [(change["step"], change["field"]) for change in run.changes] == [(3, "r"), (3, "jitter"), (6, "r")]
    assert [line["step"] for line in run.metrics] == list(range(1, 9))
    assert run.snapshots.clips.shape == (8, FRAMES, 16, 16, 3)
    again = made(runs.replay(run))
    assert np.array_equal(again.tensor, run.tensor) and again.changes == run.changes
    whole = made(runs.perform(settings, real.Control(run.changes)))  # as if it had never been stopped
    assert np.array_equal(whole.tensor, run.tensor)


def test_the_engine_unprimed_run_can_be_replayed(engine):
    run = made(runs.perform(engine[1].but(stimuli=(), steps=3)))
    assert run.stimulus.shape == (0, FRAMES, 16, 16, 3) and any("nprimed" in notice for notice in run.notices)
    assert np.array_equal(made(runs.replay(run)).tensor, run.tensor)


def test_a_packed_run_is_small_and_still_shows(engine):
    run = made(runs.perform(engine[1]))
    before, size = run.snapshots, sum(file.stat().st_size for file in run.folder.iterdir())
    stimulus = run.stimulus
    runs.pack(run)
    assert not (run.folder / "stimulus.npz").exists() and np.array_equal(run.stimulus, stimulus), "drawn anew"
    after = runs.Run.open(run.folder).snapshots
    assert after.clips.shape == before.clips.shape and np.array_equal(after.steps, before.steps)
    assert np.abs(after.clips.astype(float) - before.clips).mean() < 12, "each snapshot in its place, slightly lossy"
    assert np.array_equal(run.clip, made(runs.replay(run)).clip)
    assert sum(file.stat().st_size for file in run.folder.iterdir()) < 0.5 * size
