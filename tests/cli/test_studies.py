"""Studies on the command line, on tiny networks (those of the catalogue: tests/studies)."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from leaps_core import banks
from leaps_core.cli import main
from leaps_core.studies import catalogue, student
from tests.cli import helpers

TWO = ["--model", "tiny", "tiny_verifier"]
ASKED: dict[str, list[str]] = {
    "grid": ["--budget", "2"],
    "models": TWO,
    "multi-stimuli": ["--actions", "bowling"],
    "transfer": ["--actions", "bowling", "tai chi"],
}
"""What a study is asked for besides one seed of the tiny model."""


@pytest.mark.parametrize("name", [name for name in catalogue.STUDIES if name != "embedding"])
def test_each_study_is_a_command(name: str, tmp_path: Path, leaps: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    if name == "grid":
        pytest.importorskip("optuna")
    for constant, value in {"STEPS": 2, "BATCH": 2, "HELD_OUT": 1, "FRAMES": 4, "SIZE": 32}.items():
        monkeypatch.setattr(student, constant, value)
    command = ["study", name, "--model", "tiny", "--seeds", "1", "--out", tmp_path / "s", *ASKED.get(name, [])]
    code, out, _ = leaps(*command, "--set", "steps=2", "verifier=tiny_verifier", "judge=tiny_judge")
    assert code == 0 and out[-1] == str(tmp_path / "s") and out[0].startswith("| "), "the table, and where it lies"
    rows = [json.loads(path.read_text()) for path in (tmp_path / "s" / "rows").iterdir()]
    assert rows and all(row["status"] == "done" for row in rows), rows
    assert (tmp_path / "s" / "table.csv").is_file() and (tmp_path / "s" / "clips.parquet").is_file()


def test_a_killed_study_is_ended_by_two_processes_and_says_what_one_alone_says(tmp_path: Path) -> None:
    command = ["study", "regularizers", "--model", "little", "--actions", "bowling", "tai chi", "--seeds", "2"]
    settings = ["--set", "steps=10", "judge=referee"]
    asked = [*command, "--out", str(tmp_path / "s"), *settings]
    first = helpers.in_a_process(asked)
    rows = tmp_path / "s" / "rows"
    while not list(rows.glob("*.json")):
        assert first.poll() is None, "it ended before it could be killed"
        time.sleep(0.01)
    first.send_signal(signal.SIGKILL)
    first.wait()
    assert len(list(rows.glob("*.json"))) < 24, "killed in the midst of it, perhaps while it wrote a row"
    both = [helpers.in_a_process(asked) for _ in range(2)]
    said = [process.communicate()[0] for process in both]
    assert [process.returncode for process in both] == [0, 0] and len(list(rows.glob("*.json"))) == 24
    whole, _ = helpers.in_a_process([*command, "--out", str(tmp_path / "whole"), *settings]).communicate()
    for text in said:
        assert text.splitlines()[:-1] == whole.splitlines()[:-1] != [], "the same table and claims, but for the folder"


def test_the_banks_of_a_study_are_options_of_its_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = [str(banks.build(banks.plan_puppets(160), key, tmp_path / f"{key}.parquet").path) for key in ("tiny", "tiny_judge")]
    command = ["study", "embedding", "--model", "tiny", "--seeds", "2", "--out", str(tmp_path / "s"), "--bank"]
    settings = ["--set", "steps=3", "verifier=tiny_verifier", "judge=tiny_judge", "r=0.01"]
    assert main([*command, *files, *settings]) == 0
    said = capsys.readouterr().out
    assert said.count("the paper's claim") == 2 and said.rstrip().endswith(str(tmp_path / "s"))
    assert main([*command, str(tmp_path / "no.parquet"), *settings]) == 2
    assert "There is no bank" in capsys.readouterr().err
