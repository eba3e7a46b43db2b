"""The stage: captions, and what is seen beside a clip."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import gradio as gr
import numpy as np
import pytest

from app import stage
from app.views import View
from leaps_core import RunError, runs
from leaps_core.config import SynthesisConfig


def test_the_finished_clips_caption_says_what_the_line_below_says() -> None:
    clip = np.zeros((2, 8, 8, 3), np.uint8)
    rows = [{"step": step, "probabilities": {"model": 0.1 * step}, "top5": []} for step in (1, 2)]
    config = SynthesisConfig(model="puppet_csn", action="bowling")
    view = View("key", config, rows, [1, 2], [clip, clip], None, [], {"model": 0.82})
    with gr.Blocks():
        parts = stage.build()
    notes = [stage.picture(parts, view, *view.snapshot(step))[parts.player]["tracks"][-1]["note"] for step in (1, 2)]
    assert [note.replace("\N{NO-BREAK SPACE}", " ") for note in notes] == ["step 1 · model 10 %", "step 2 · model 82 %"]


def test_beside_a_finished_clip_it_is_seen_how_it_came_out_of_the_noise() -> None:
    clips = [np.full((4, size, size, 3), level, np.uint8) for size, level in ((4, 10), (8, 20), (8, 30))]
    rows = [{"step": step, "probabilities": {}, "top5": []} for step in (1, 2, 3)]
    view = View("key", SynthesisConfig(model="puppet_csn", action="bowling"), rows, [1, 2, 3], clips, None, [], {"model": 0.8})
    with gr.Blocks():
        parts = stage.build()
    for same, sent in ((False, True), (True, False)):
        first, last = stage.picture(parts, view, *view.snapshot(3), same_run=same)[parts.player]["tracks"]
        assert (first["label"], first["note"], "src" in first) == ("out of the noise", "steps 1 to 3", sent) and "src" in last
    going_on = stage.picture(parts, dataclasses.replace(view, final=None), *view.snapshot(3))[parts.player]["tracks"]
    assert [track["id"] for track in going_on] == ["clip"]


def test_a_run_that_failed_says_why(runs_home: Path) -> None:
    config = SynthesisConfig(model="tiny", action="bowling", steps=9, judge="none", verifier="none")
    making = runs.perform(config)
    run, _ = next(making)
    with pytest.raises(RunError):
        making.throw(MemoryError())
    said = stage.about(runs.Run.open(run.folder))
    assert said["state"] == "failed" and said["text"].startswith("1 steps · Memory is used up.")
