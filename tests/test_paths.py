"""Where things lie."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from leaps_core import paths

ROOT = Path(__file__).parents[1]


def test_what_is_shipped_is_there() -> None:
    assert paths.ASSETS.is_dir()
    for folder, ending in (
        (paths.DEMOS, "*/run.json"),
        (paths.BANKS, "*.parquet"),
        (paths.WEIGHTS, "*.safetensors"),
        (paths.LABELS, "*.txt"),
        (paths.FINDINGS, "*/study.json"),
    ):
        assert folder.parent == paths.ASSETS and any(folder.glob(ending)), folder


def test_the_persons_own_folder_is_a_variables_or_in_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = (paths.own_runs, paths.own_banks, paths.own_maps, paths.own_models, paths.own_weights, paths.studies)
    monkeypatch.setenv("LEAPS_HOME", str(tmp_path))
    assert paths.home() == tmp_path and {place().parent for place in own} == {tmp_path}
    assert [place().name for place in own] == ["runs", "banks", "maps", "models", "weights", "studies"]
    monkeypatch.setenv("LEAPS_HOME", "~/elsewhere")
    assert paths.home() == Path.home() / "elsewhere"
    for unset in (lambda: monkeypatch.setenv("LEAPS_HOME", ""), lambda: monkeypatch.delenv("LEAPS_HOME")):
        unset()
        assert paths.home() == Path.home() / ".leaps"
    assert not list(tmp_path.iterdir()), "asking makes no folder"


@pytest.mark.parametrize(
    ("called", "told"),
    [
        ("/usr/bin/leaps", "leaps"),
        ("leaps.exe", "leaps"),
        ("/srv/leaps_core/__main__.py", "python -m leaps_core"),
        ("app.py", "python -m leaps_core"),
    ],
)
def test_the_program_is_called_as_the_person_called_it(called: str, told: str) -> None:
    code = "import sys; sys.argv[0] = sys.argv[1]; from leaps_core.paths import PROGRAM; print(PROGRAM)"
    done = subprocess.run([sys.executable, "-c", code, called], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == told


def test_folders_of_this_machine_can_be_hidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEAPS_HOME", "/srv/leaps")
    assert paths.hidden("/srv/leaps/runs/a can't be used, /etc neither.") == "…/runs/a can't be used, /etc neither."
    assert paths.hidden(f"{tmp_path} and {Path.home()}/x") == f"…{str(tmp_path).removeprefix(tempfile.gettempdir())} and …/x"
