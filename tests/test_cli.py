"""The command line: what it prints, where, and with which exit code. Synthesis is real, of a very small network."""

from __future__ import annotations

import errno
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import av
import numpy as np
import pytest

from leaps_core import models, runs
from leaps_core.cli import main
from leaps_core.config import FIELDS
from tests.test_video import film, hush, levels

ROOT = Path(__file__).parents[1]


def register():
    """Two very small networks that know the bundled world."""
    import torch
    from torch import nn

    def build():
        torch.manual_seed(0)
        return nn.Sequential(
            nn.Conv3d(3, 4, 3, padding=1),
            nn.BatchNorm3d(4),
            nn.ReLU(),
            nn.AdaptiveAvgPool3d(1),
            nn.Flatten(),
            nn.Linear(4, len(models.labels("puppets"))),
        )

    models.specs()
    for key in ("little", "other"):
        models.register(
            models.ModelSpec(
                key=key,
                name=key.title(),
                family="Test",
                world="puppets",
                frames=4,
                size=16,
                size_step=4,
                taps="0|2",
                embedding_layer="2",
                default_verifier="other",
            ),
            build,
        )
    models.register(
        models.ModelSpec(
            key="referee",
            name="Referee",
            family="Test",
            world="puppets",
            frames=4,
            size=16,
            taps="0",
            embedding_layer="0",
            role="judge",
            accuracy=0.975,
            params=123_456,
        ),
        build,
    )


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """A LEAPS_HOME of one's own, no demos, and the small networks alone."""
    monkeypatch.setenv("LEAPS_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(runs, "DEMOS", tmp_path / "demos")
    models.specs()
    for name in ("_builders", "_loaded"):
        monkeypatch.setattr(models, name, dict(getattr(models, name)))
    monkeypatch.setattr(models, "_registry", {})
    register()
    return tmp_path / "home"


@pytest.fixture
def action():
    return models.labels("puppets")[0]


@pytest.fixture
def leaps(capsys):
    """Run a command: (exit code, lines on stdout, stderr)."""

    def run(*arguments):
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as end:
            code = end.code
        out, err = capsys.readouterr()
        return code, out.splitlines(), err

    return run


@pytest.fixture
def synth(leaps, action):
    """Make a short run; the folder that was printed."""

    def run(*arguments):
        code, out, err = leaps("synth", "--model", "little", "--action", action, "--steps", 4, *arguments)
        assert code == 0, err
        return Path(out[-1])

    return run


def refused(result, *words):
    """Whether a command ended in one line on stderr that has all words, and code 2."""
    code, out, err = result
    assert code == 2 and out == [] and err.startswith("leaps: ") and err.count("\n") == 1, result
    for word in words:
        assert word in err, err
    return True


# ---------------------------------------------------------------------------------------------------------------- synth


def test_model_and_action_are_enough(leaps, action, home, monkeypatch):
    monkeypatch.setattr(FIELDS["steps"], "default", 200)
    code, out, err = leaps("synth", "--model", "little", "--action", action, "--set", "steps=3")
    run = runs.Run.open(out[-1])
    assert code == 0 and run.folder.parent == home / "runs" and run.status == "done"
    assert run.config.stimuli == ("bundled:0",) and len(run.metrics) == 3
    assert re.search(rf"{action}: model .* %, verifier .* %, judge .* %", out[-2])
    assert "3/3" in err and "cross_entropy" in err and re.search(r"\[\d\d:\d\d<\d\d:\d\d", err)  # losses and ETA


def test_every_option_reaches_the_run(synth, tmp_path):
    folder = synth(
        "--stimulus",
        "bundled:1",
        "bundled:2",
        "--verifier",
        "none",
        "--seed",
        9,
        "--out",
        tmp_path / "mine",
        "--set",
        "r=0.01",
        "canvas=pixels",
        "--set",
        "margin=null",
        "flip=true",
    )
    run = runs.Run.open(folder)
    assert folder == tmp_path / "mine"
    assert (run.config.stimuli, run.config.verifier, run.config.seed) == (("bundled:1", "bundled:2"), "none", 9)
    assert (run.config.r, run.config.canvas, run.config.margin, run.config.flip) == (0.01, "pixels", None, True)
    assert len(run.stimulus) == 2


def test_a_run_without_stimulus_says_so(leaps, action):
    code, out, err = leaps("synth", "--model", "little", "--action", action, "--steps", 2, "--stimulus", "none")
    assert code == 0 and "note: " in err and "nprimed" in err
    assert runs.Run.open(out[-1]).config.stimuli == ()


def test_a_file_primes_and_its_path_becomes_absolute(synth, tmp_path, monkeypatch):
    from leaps_core.puppets import render_clip
    from leaps_core.video import write_mp4

    write_mp4(render_clip(models.labels("puppets")[0], 5, 8, 32), tmp_path / "mine.mp4")
    monkeypatch.chdir(tmp_path)
    run = runs.Run.open(synth("--stimulus", "mine.mp4"))
    assert run.config.stimuli == (str(tmp_path / "mine.mp4"),) and run.stimulus.std() > 1


def test_again_needs_nothing_but_the_json(leaps, synth):
    first = synth("--seed", 5, "--set", "r=0.02")
    code, out, _ = leaps("synth", "--again", first / "run.json")
    assert code == 0 and Path(out[-1]) != first
    assert np.array_equal(runs.Run.open(out[-1]).tensor, runs.Run.open(first).tensor)
    code, out, _ = leaps("synth", "--again", first, "--seed", 6)
    other = runs.Run.open(out[-1])
    assert (other.config.seed, other.config.r) == (6, 0.02)


def test_the_papers_settings_give_way_to_explicit_ones(leaps, action, monkeypatch):
    monkeypatch.setattr(models, "paper_settings", lambda spec: {"steps": 2000, "canvas": "pixels", "norm": 0.005})
    code, out, _ = leaps("synth", "--model", "little", "--action", action, "--paper", "--steps", 2)
    run = runs.Run.open(out[-1])
    assert code == 0 and (run.config.steps, run.config.canvas, run.config.norm) == (2, "pixels", 0.005)


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["--model", "litle"], ["litle", "Did you mean “little”?"]),
        (["--action", "bowlin"], ["bowlin", "Did you mean “bowling”?"]),
        (["--model", "referee"], ["judge"]),
        (["--verifier", "little"], ["itself"]),
        (["--verifier", "othr"], ["Did you mean “other”?"]),
        (["--steps", "0"], ["steps", "1 to 20000"]),
        (["--steps", "many"], ["--steps", "invalid int"]),
        (["--set", "learning_rat=1"], ["Did you mean “learning_rate”?"]),
        (["--set", "r=nan"], ["“r”", "0 to 0.05"]),
        (["--set", "r=NaN"], ["“r”", "0 to 0.05"]),
        (["--set", "r=much"], ["“r”"]),
        (["--set", "r"], ["FIELD=VALUE"]),
        (["--stimulus", "nowhere.mp4"], ["nowhere.mp4"]),
        (["--stimulus", "none", "bundled:0"], ["none alone"]),
        (["--out", "."], ["new or empty"]),
        (["--again", "nowhere.json"], ["nowhere.json"]),
        (["--nonsense"], ["--nonsense", "--help"]),
    ],
)
def test_what_a_person_gets_wrong_is_one_line_and_code_2(leaps, home, arguments, words):
    wanted = {"--model": "little", "--action": "bowling", "--steps": "2"}
    rest = [part for name, value in wanted.items() if name not in arguments for part in (name, value)]
    assert refused(leaps("synth", *arguments, *rest), *words)
    assert not (home / "runs").exists()


@pytest.mark.parametrize(
    "name, words",
    [
        ("empty.mp4", "0 bytes"),
        ("junk.webm", "junk.webm"),
        ("cut.mp4", "cut.mp4"),
        ("sound.mp4", "no video"),
        ("vast.mp4", "4096 × 2304"),
        ("text.txt", "no known type"),
        ("folder.mp4", "is a folder"),
    ],
)
def test_a_stimulus_that_can_not_be_read_is_one_line_and_code_2(leaps, home, action, tmp_path, name, words):
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "junk.webm").write_text("This is no video. " * 100)
    (tmp_path / "text.txt").write_text("hello")
    (tmp_path / "folder.mp4").mkdir()
    whole = film(tmp_path / "cut.mp4", levels(4), container={"movflags": "faststart"}).read_bytes()
    (tmp_path / "cut.mp4").write_bytes(whole[: whole.index(b"mdat") + 4])
    with av.open(tmp_path / "sound.mp4", "w") as file:
        hush(file, file.add_stream("aac", rate=48000, layout="mono"), 0.5)
    film(tmp_path / "vast.mp4", [np.zeros((16, 4112, 3), np.uint8)])
    assert refused(leaps("synth", "--model", "little", "--action", action, "--stimulus", tmp_path / name), words)
    assert not (home / "runs").exists()


def test_a_full_disk_is_one_line_and_code_2(leaps, action, monkeypatch):
    def full(path, data):
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr(runs, "_save", full)
    code, _, err = leaps("synth", "--model", "little", "--action", action, "--steps", 2)
    assert code == 2 and "is full" in err.splitlines()[-1]


def test_closed_folders_are_one_line_and_code_2(leaps, action, tmp_path, monkeypatch):
    (tmp_path / "a.mp4").touch()
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert refused(leaps("synth", "--model", "little", "--action", action, "--stimulus", tmp_path / "a.mp4"), "closed")

    def closed(name, *owner):
        raise PermissionError(errno.EACCES, "Permission denied", "/closed/x")

    monkeypatch.setattr(runs, "find", closed)
    assert refused(leaps("runs", "show", "x"), "/closed/x", "permissions")


def test_model_or_action_missing_is_said(leaps):
    assert refused(leaps("synth"), "--model and --action missing")
    assert refused(leaps("synth", "--model", "little"), "--action missing")


def test_too_little_memory_is_one_line_and_code_2(leaps, action, monkeypatch):
    monkeypatch.setattr(runs, "_free_memory", lambda device: 10)
    assert refused(leaps("synth", "--model", "little", "--action", action), "memory")


def in_a_process(arguments, **options):
    """A real process with the small networks."""
    code = "import sys, test_cli, leaps_core.cli; test_cli.register(); sys.exit(leaps_core.cli.main(sys.argv[1:]))"
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        cwd=ROOT,
        text=True,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}"},
        **options,
    )


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


# --------------------------------------------------------------------------------------------------- models and actions


def test_models_as_json_and_as_a_table(leaps):
    code, out, _ = leaps("models", "--json")
    found = {entry["key"]: entry for entry in json.loads("\n".join(out))}
    assert code == 0 and set(found) == {"little", "other", "referee"}
    assert set(found["little"]) >= {
        "key",
        "name",
        "family",
        "world",
        "state",
        "role",
        "can_verify",
        "accuracy",
        "params",
        "robust",
        "size",
        "frames",
    }
    assert found["little"]["state"] in ("bundled", "cached", "local", "download")
    assert (found["little"]["can_verify"], found["referee"]["can_verify"]) == (True, False)
    assert (found["little"]["role"], found["referee"]["role"]) == ("model", "judge")

    code, out, _ = leaps("models")
    assert code == 0 and len(out) == 4
    column = out[0].index("accuracy")
    assert out[3][column:].startswith("97.5 %") and out[1][column:].startswith("–")


def test_actions_are_one_a_line(leaps):
    assert leaps("actions", "little")[:2] == (0, list(models.labels("puppets")))
    assert refused(leaps("actions", "litle"), "Did you mean “little”?")


# ----------------------------------------------------------------------------------------------------------------- runs


def test_runs_are_listed_shown_compared_and_deleted(leaps, synth, action):
    a, b = synth(), synth("--seed", 1)
    code, out, _ = leaps("runs")
    assert code == 0 and [line.split()[0] for line in out] == ["id", b.name, a.name] and action in out[1]
    code, out, _ = leaps("runs", "show", a.name)
    assert code == 0 and out[-1] == str(a) and any(line.split()[:2] == ["status", "done"] for line in out)
    code, out, _ = leaps("runs", "compare", a.name, b)
    assert code == 0 and ["seed", "0", "1"] in [line.split() for line in out] and "differ by" in out[-1]
    assert leaps("runs", "compare", a, a)[1][-1] == "The clips are the same."
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


# ----------------------------------------------------------------------------------------------------------------- help


@pytest.mark.parametrize("command", [[], ["synth"], ["models"], ["actions"], ["runs"], ["runs", "resume"], ["runs", "compare"]])
def test_help_has_an_example_and_fits_the_screen(leaps, command):
    code, out, _ = leaps(*command, "--help")
    text = "\n".join(out)
    assert code == 0 and ("example" in text or "columns mean" in text) and max(map(len, out)) <= 120


def test_help_tells_of_every_setting(leaps):
    text = "\n".join(leaps("synth", "--help")[1])
    assert all(f"{name}=" in text or f"--{name} " in text for name in FIELDS)
