"""Runs on the command line: listed, shown, compared, resumed, replayed, deleted."""

from __future__ import annotations

import pytest

from leaps_core import runs
from tests.cli.helpers import refused

pytestmark = pytest.mark.usefixtures("little_models")


def test_runs_are_listed_shown_compared_and_deleted(leaps, synth, action):
    a, b = synth(), synth("--seed", 1)
    code, out, _ = leaps("runs")
    assert code == 0 and [line.split()[0] for line in out] == ["id", b.name, a.name] and action in out[1]
    code, out, _ = leaps("runs", "show", a.name)
    assert code == 0 and out[-1] == str(a) and any(line.split()[:2] == ["status", "done"] for line in out)
    code, out, _ = leaps("runs", "compare", a.name, b)
    assert code == 0 and ["seed", "0", "1"] in [line.split() for line in out] and "differ by" in out[-1]
    assert leaps("runs", "compare", a, a)[1][-1] == "The clips are the same."
    assert leaps("runs", "note", a.name, "two balls")[1] == [f"{a.name}: noted"]
    assert ["your", "note", "two", "balls"] in [line.split() for line in leaps("runs", "show", a.name)[1]]
    assert leaps("runs", "note", a.name, "")[1] == [f"{a.name}: no note"]
    code, out, _ = leaps("runs", "delete", a.name)
    assert code == 0 and not a.exists() and b.exists()
    assert refused(leaps("runs", "show", a.name), a.name, "Did you mean")


def test_a_run_is_replayed_and_resumed(leaps, synth, tmp_path):
    folder = synth("--out", tmp_path / "mine")
    code, out, _ = leaps("runs", "replay", folder, "--out", tmp_path / "again")
    assert code == 0 and out[-1] == str(tmp_path / "again")
    assert leaps("runs", "compare", folder, tmp_path / "again")[1][-1] == "The clips are the same."
    assert refused(leaps("runs", "resume", folder), "complete")
    code, out, _ = leaps("runs", "resume", folder, "--steps", 3)
    assert code == 0 and out[-1] == str(folder) and runs.Run.open(folder).done == 7
    assert refused(leaps("runs", "delete", folder), "outside of")


@pytest.mark.parametrize("command", ["show", "delete", "resume", "replay"])
def test_an_unknown_run_is_one_line_and_code_2(leaps, command):
    assert refused(leaps("runs", command, "../nowhere"), "../nowhere")


def test_no_runs_yet(leaps):
    code, out, err = leaps("runs")
    assert code == 0 and out == [] and "No runs yet" in err


def test_interrupted_runs_are_listed_as_such_and_go_on(leaps, synth):
    run = runs.Run.open(synth())
    assert "note:" not in leaps("runs")[2]
    run.save(status="running", legs=[])
    (run.folder / "checkpoint.pt").unlink()
    code, out, err = leaps("runs")
    assert code == 0 and " interrupted " in out[1] and "runs resume ID" in err
    code, out, err = leaps("runs", "resume", run.id)
    assert code == 0 and " done " in leaps("runs")[1][1]
