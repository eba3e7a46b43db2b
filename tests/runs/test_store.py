"""All runs of a machine: listed, found, deleted, packed; and who may do what."""

from __future__ import annotations

import numpy as np
import pytest

from leaps_core import paths, runs
from leaps_core.errors import RunError
from tests.runs.engine import ALL_FILES, config, files_of, made

pytestmark = pytest.mark.usefixtures("home")


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
    for name in files_of(run) - {"run.json"}:
        (run.folder / name).unlink()
    assert [found.status for found in runs.list_runs(demos=False)] == ["done"]


def test_a_visitor_sees_own_runs_and_the_demos(monkeypatch, tmp_path):
    monkeypatch.setattr(paths, "DEMOS", tmp_path / "demos")
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


def test_a_note_is_its_owners_alone_and_stays_with_the_run(monkeypatch, tmp_path):
    monkeypatch.setattr(paths, "DEMOS", tmp_path / "demos")
    demo = made(runs.perform(config(), folder=tmp_path / "demos" / "one"))
    run = made(runs.perform(config(), owner="ada"))
    assert run.note == ""
    runs.annotate(run, "  the arm is a trunk ü\n", "ada")
    assert runs.find(run.id, "ada").note == "the arm is a trunk ü" and "trunk" not in run.shared
    made(runs.resume(run, 2))
    assert runs.find(run.id, "ada").note == "the arm is a trunk ü"
    with pytest.raises(RunError, match="somebody else"):
        runs.annotate(run, "mine", "bob")
    with pytest.raises(RunError, match="demo"):
        runs.annotate(demo, "mine")
    with pytest.raises(RunError, match="2001 characters; 2000"):
        runs.annotate(run, 2001 * "x")
    assert run.note == "the arm is a trunk ü"
    runs.annotate(run, " ")
    assert run.note == "" and not (run.folder / "note.txt").exists()
    (run.folder / "note.txt").write_bytes(b"\xff\xfe")
    assert run.note == "", "what isn't a text is none"


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
    assert files_of(outside) == ALL_FILES and files_of(mine) == ALL_FILES


def test_a_packed_run_is_small_and_still_shows(engine):
    run = made(runs.perform(engine))
    before, size = run.snapshots, sum(file.stat().st_size for file in run.folder.iterdir())
    stimulus = run.stimulus
    runs.pack(run)
    assert not (run.folder / "stimulus.npz").exists() and np.array_equal(run.stimulus, stimulus), "drawn anew"
    after = runs.Run.open(run.folder).snapshots
    assert after.clips.shape == before.clips.shape and np.array_equal(after.steps, before.steps)
    assert np.abs(after.clips.astype(float) - before.clips).mean() < 12, "each snapshot in its place, slightly lossy"
    assert np.array_equal(run.clip, made(runs.replay(run)).clip)
    assert sum(file.stat().st_size for file in run.folder.iterdir()) < 0.5 * size


def test_space_is_made_by_the_oldest_visitors_runs():
    made_by = {owner: [made(runs.perform(config(seed=n), owner=owner)) for n in range(3)] for owner in ("ann", "")}
    first, second, third = (runs.find(run.id) for run in made_by["ann"])
    size = bytes_of(first, second, third)
    assert runs.tidy(size) == [] and runs.tidy(size - 1) == [first.id]
    second.save(pinned=True)
    fourth = made(runs.perform(config(seed=4), owner="bob"))
    going_on = runs.record.hold(third.folder)
    third.save(status="running")
    assert runs.tidy(0) == [], "one is pinned, one goes on, one is the newest"
    going_on.release()
    assert runs.find(third.id).status == "interrupted" and runs.tidy(0) == [third.id]
    assert {run.id for run in runs.list_runs(demos=False)} == {second.id, fourth.id, *(run.id for run in made_by[""])}


def test_interrupted_runs_go_after_those_that_are_done():
    first, second, third = (made(runs.perform(config(seed=n), owner="ann")) for n in range(3))
    first.save(status="running")
    size = bytes_of(first, second, third)
    assert runs.tidy(size - 1) == [second.id] and runs.tidy(bytes_of(first, third) - 1) == [first.id]


def bytes_of(*found):
    return sum(path.stat().st_size for run in found for path in run.folder.iterdir())
