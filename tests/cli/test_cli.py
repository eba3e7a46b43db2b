"""The command line as a whole: what it prints, where, and with which exit code."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from leaps_core import runs
from tests.cli.helpers import ROOT, in_a_process, refused

pytestmark = pytest.mark.usefixtures("little_models")


def test_closed_folders_are_one_line_and_code_2(leaps, action, tmp_path, monkeypatch):
    (tmp_path / "a.mp4").touch()
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert refused(leaps("synth", "--model", "little", "--action", action, "--stimulus", tmp_path / "a.mp4"), "closed")

    def closed(name, *owner):
        raise PermissionError(errno.EACCES, "Permission denied", "/closed/x")

    monkeypatch.setattr(runs, "find", closed)
    assert refused(leaps("runs", "show", "x"), "/closed/x", "permissions")


def test_ctrl_c_saves_and_tells_how_to_go_on(leaps, action, home, tmp_path):
    with open(tmp_path / "err", "w+") as err:
        process = in_a_process(["synth", "--model", "little", "--action", action, "--steps", "20000"], stderr=err)
        deadline = time.monotonic() + 120
        while not list(home.glob("runs/*/metrics.jsonl")) or len(runs.list_runs()[0].metrics) < 3:
            assert process.poll() is None and time.monotonic() < deadline, (tmp_path / "err").read_text()
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=120)
    said = (tmp_path / "err").read_text()
    run = runs.Run.open(out.splitlines()[-1])
    assert process.returncode == 130 and "Traceback" not in said
    assert (run.status, run.done) == ("stopped", len(run.metrics)) and run.final and run.clip.any()
    assert f"runs resume {run.id}" in said
    code, out, _ = leaps("runs", "resume", run.id, "--steps", 2)
    assert code == 0 and Path(out[-1]) == run.folder and runs.Run.open(run.folder).done == run.done + 2


def test_help_and_lists_do_not_wait_for_torch():
    code = (
        "import contextlib, sys; from leaps_core.cli import main\n"
        "for line in ('synth --help', 'models', 'actions puppet_r50', 'runs'):\n"
        "    with contextlib.suppress(SystemExit): main(line.split())\n"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, stdout=subprocess.DEVNULL, timeout=120)


@pytest.mark.parametrize("command", [[], ["synth"], ["models"], ["actions"], ["runs"], ["runs", "resume"], ["runs", "compare"]])
def test_help_has_an_example_and_fits_the_screen(leaps, command):
    code, out, _ = leaps(*command, "--help")
    text = "\n".join(out)
    assert code == 0 and ("example" in text or "columns mean" in text) and max(map(len, out)) <= 120
