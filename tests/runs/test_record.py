"""Runs as they lie on disk: what is read of them, and what of damaged ones."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from leaps_core import models, runs
from leaps_core.errors import RunError
from tests.runs.engine import config, made, stopped

pytestmark = pytest.mark.usefixtures("home")


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


def test_a_run_whose_process_died_is_interrupted_not_running(home):
    code = (
        "import json, os, pathlib, sys; from leaps_core.runs.record import hold\n"
        "folder = pathlib.Path(sys.argv[1]); lock = hold(folder)\n"
        "print('locked', flush=True); sys.stdin.read()"
    )
    run = made(runs.perform(config()))
    run.save(status="running")
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(run.folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    assert process.stdout.readline()
    assert runs.Run.open(run.folder).status == "running"
    with pytest.raises(RunError, match="being written"):
        next(runs.resume(run, steps=2))
    process.kill()
    process.communicate()
    assert runs.Run.open(run.folder).status == "interrupted"


def test_what_run_json_says_is_told_by_properties() -> None:
    before = datetime.now(UTC)
    run = runs.Run.open(made(runs.perform(config(), owner="ada")).folder)
    assert before <= run.created <= datetime.now(UTC)
    assert run.weights == models.fingerprint(models.spec("tiny")) and run.error == "" and not run.branched
    assert run.legs == [{"to": 6, "total": 6}] and run.done == 6
    branch = made(runs.perform(config(), checkpoint=stopped(2).checkpoint()))
    assert branch.branched and not run.branched
    for name in ("weights", "error", "branched"):  # which runs of early versions don't have
        run.record.pop(name, None)
    assert (run.weights, run.error, run.branched) == ("", "", False)


def test_what_is_shared_of_a_run_names_neither_owner_nor_folders() -> None:
    run = made(runs.perform(config(stimuli=("/home/ada/secret/mine.mp4", "bundled:3")), owner="ada"))
    shared, own = json.loads(run.shared), run.record
    assert shared["owner"] == "" and shared["config"]["stimuli"] == ["mine.mp4", "bundled:3"]
    assert "secret" not in run.shared and "ada" not in run.shared and run.owner == "ada"
    assert {**shared, "owner": "ada", "config": own["config"]} == own, "all else as it is"
    assert runs.from_json(run.shared)[0] == run.config.replace(stimuli=("mine.mp4", "bundled:3"))
