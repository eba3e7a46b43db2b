"""A run as one HTML file."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from app import export
from leaps_core import models, runs
from leaps_core.errors import RunError
from tests.tiny import QUICK


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> runs.Run:
    settings = {**QUICK, "steps": 30, "coherence": 2.5, "stimuli": ("bundled:3",)}
    *_, (found, _) = runs.perform(models.configure("tiny", "bowling", settings), folder=tmp_path_factory.mktemp("e") / "run")
    found.save(owner="somebody")
    return found


def constant(text: str, name: str) -> list[dict[str, object]]:
    """A constant of the file's script."""
    found = re.search(rf"\b{name} = (\[.*?\])(?:, \w+ = |;\n)", text, re.DOTALL)
    assert found
    return list(json.loads(found[1]))


def test_it_holds_clip_way_plots_and_settings_and_loads_nothing(run: runs.Run) -> None:
    text = export.page(run)
    moments = constant(text, "moments")
    assert len(moments) == export.MOMENTS and moments[0]["note"] == "step 1" and str(moments[-1]["src"]).startswith("data:")
    assert [track["label"] for track in constant(text, "beside")] == ["stimulus"]
    assert len(constant(text, "figures")) == 2 and "<th>Coherence</th><td>2.5</td>" in text
    own = text.replace(text[text.index("<script>") : text.index("const moments")], "")  # Plotly's own addresses are its own
    assert not re.search(r"(src|href)=[\"']?(http|//)|@import|url\(", own)
    assert "somebody" not in text and "$" not in re.sub(r"<script>.*?</script>", "", text, flags=re.DOTALL)


def test_what_others_wrote_is_text(run: runs.Run, tmp_path: Path) -> None:
    for path in run.folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    record = json.loads((tmp_path / "run.json").read_text())
    record["config"]["action"] = "<script>alert(1)</script>"
    (tmp_path / "run.json").write_text(json.dumps(record))
    assert "<script>alert" not in export.page(runs.Run.open(tmp_path))


def test_a_run_without_snapshots_is_told(run: runs.Run, tmp_path: Path) -> None:
    (tmp_path / "run.json").write_bytes((run.folder / "run.json").read_bytes())
    with pytest.raises(RunError):
        export.page(runs.Run.open(tmp_path))


def test_a_run_of_an_earlier_version_is_saved(run: runs.Run, tmp_path: Path) -> None:
    for path in run.folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    record = json.loads((tmp_path / "run.json").read_text())
    record["config"] = {"floor" if name == "min_learning_rate" else name: value for name, value in record["config"].items()}
    record["config"]["floor"] = 0.007
    (tmp_path / "run.json").write_text(json.dumps(record))
    assert "<th>Min learning rate</th><td>0.007</td>" in export.page(runs.Run.open(tmp_path))
