"""Studies on the command line, on tiny networks (those of the catalogue: tests/studies)."""

from __future__ import annotations

from pathlib import Path

import pytest

from leaps_core import banks
from leaps_core.cli import main


def test_the_banks_of_a_study_are_options_of_its_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = [str(banks.build(banks.plan_puppets(160), key, tmp_path / f"{key}.parquet").path) for key in ("tiny", "tiny_judge")]
    command = ["study", "embedding", "--model", "tiny", "--seeds", "2", "--out", str(tmp_path / "s"), "--bank"]
    settings = ["--set", "steps=3", "verifier=tiny_verifier", "judge=tiny_judge", "r=0.01"]
    assert main([*command, *files, *settings]) == 0
    said = capsys.readouterr().out
    assert said.count("the paper's claim") == 2 and said.rstrip().endswith(str(tmp_path / "s"))
    assert main([*command, str(tmp_path / "no.parquet"), *settings]) == 2
    assert "There is no bank" in capsys.readouterr().err
