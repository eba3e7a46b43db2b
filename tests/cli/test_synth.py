"""Making a clip: every option reaches the run, and what a person gets wrong is told. Synthesis is real, of a very small
network."""

from __future__ import annotations

import errno
import re
from pathlib import Path

import av
import numpy as np
import pytest

from leaps_core import files, machine, models, runs, video
from leaps_core.config import FIELDS
from leaps_core.puppets import render_clip
from tests.cli.helpers import refused
from tests.video.helpers import film, hush, levels

pytestmark = pytest.mark.usefixtures("little_models")


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
    video.write_mp4(render_clip(models.labels("puppets")[0], 5, 8, 32), tmp_path / "mine.mp4")
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
    steps = runs.Run.open(first).config.steps
    (first / "run.json").write_text((first / "run.json").read_text().replace(f'"to": {steps}', '"to": 1'))
    ends = []
    for more in ([], ["--steps", steps + 1]):  # as it was stopped; or all at once
        code, out, _ = leaps("synth", "--again", first, *more)
        ends.append(runs.Run.open(out[-1]).legs)
    assert ends == [[{"to": 1, "total": steps}], [{"to": steps + 1, "total": steps + 1}]]


def test_the_papers_settings_give_way_to_explicit_ones(leaps, action, monkeypatch):
    monkeypatch.setattr(models.presets, "paper_settings", lambda spec: {"steps": 2000, "canvas": "pixels", "norm": 0.005})
    code, out, _ = leaps("synth", "--model", "little", "--action", action, "--paper", "--steps", 2)
    run = runs.Run.open(out[-1])
    assert code == 0 and (run.config.steps, run.config.canvas, run.config.norm) == (2, "pixels", 0.005)


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["--model", "litle"], ["litle", "Did you mean “little”?"]),
        (["--action", "bowlin"], ["bowlin", "Did you mean “bowling”?"]),
        (["--model", "referee"], ["judge"]),
        (["--verifier", "othr"], ["Did you mean “other”?"]),
        (["--steps", "0"], ["steps", "1 to 20000"]),
        (["--steps", "many"], ["--steps", "invalid int"]),
        (["--set", "learning_rat=1"], ["Did you mean “learning_rate”?"]),
        (["--set", "r=nan"], ["“r”", "0 to 0.1"]),
        (["--set", "r=NaN"], ["“r”", "0 to 0.1"]),
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

    monkeypatch.setattr(files, "write", full)
    code, _, err = leaps("synth", "--model", "little", "--action", action, "--steps", 2)
    assert code == 2 and "is full" in err.splitlines()[-1]


def test_model_or_action_missing_is_said(leaps):
    assert refused(leaps("synth"), "--model and --action missing")
    assert refused(leaps("synth", "--model", "little"), "--action missing")


def test_too_little_memory_is_one_line_and_code_2(leaps, action, monkeypatch):
    monkeypatch.setattr(machine, "free_memory", lambda device: 10)
    assert refused(leaps("synth", "--model", "little", "--action", action), "memory")


def test_help_tells_of_every_setting(leaps):
    text = "\n".join(leaps("synth", "--help")[1])
    assert all(f"{name}=" in text or f"--{name} " in text for name in FIELDS)
