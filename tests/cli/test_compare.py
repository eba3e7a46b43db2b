"""One action through several models or settings."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from leaps_core import runs
from leaps_core.cli import main
from leaps_core.runs import figure


def test_compare_on_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LEAPS_HOME", str(tmp_path))
    out = tmp_path / "out"
    assert (
        main(
            [
                "compare",
                "tiny",
                "tiny_verifier",
                "--action",
                "bowling",
                "--steps",
                "2",
                "--vary",
                "r=0,0.02",
                "--set",
                "judge=none",
                "--out",
                str(out),
            ]
        )
        == 0
    )
    said = capsys.readouterr().out.splitlines()
    assert said[-1] == str(out) and said[0].startswith("Tiny, r 0: model ") and len(runs.list_runs(demos=False)) == 4
    assert Image.open(out / "comparison.png").height == figure._top(5) and (out / "comparison.mp4").stat().st_size > 1000
    assert main(["compare", "tiny", "--action", "bowling", "--vary", "r"]) == 2
    assert "expected FIELD=VALUE" in capsys.readouterr().err
