"""What can be downloaded of a run."""

from __future__ import annotations

import json
from pathlib import Path

from app import stage
from leaps_core.config import SynthesisConfig
from leaps_core.runs import Run


def test_a_downloaded_json_tells_neither_owner_nor_folders(tmp_path: Path) -> None:
    config = SynthesisConfig(model="any", action="bowling", stimuli=("bundled:3", "/srv/uploads/mine.mp4"))
    record = {"owner": "somebody", "config": config.model_dump(mode="json"), "changes": []}
    made = stage.copies(Run(tmp_path, record, config))
    assert made["json"] is not None and made["mp4"] is None, "what isn't there can't be downloaded"
    shown = json.loads(made["json"].read_text("utf-8"))
    assert shown["owner"] == "" and shown["config"]["stimuli"] == ["bundled:3", "mine.mp4"]
    assert record["config"]["stimuli"][1].startswith("/srv"), "the run itself keeps them"
