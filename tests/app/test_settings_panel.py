"""The settings' side: what stays when others of it are filled in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import pytest

from app import player, session
from app.controls import Choice
from app.filled import begins
from app.settings_panel import SettingsPanel
from leaps_core import models, puppets, video
from leaps_core.config import SynthesisConfig
from tests.app.helpers import said

SETTINGS = {"seed": 5, "stimuli": ("bundled:7",), "verifier": "none"}
MINE = Choice("own video", 0, "", 0)


@pytest.fixture
def panel(runs_home: Path) -> Iterator[SettingsPanel]:
    with gr.Blocks():
        yield SettingsPanel(session.build())


@pytest.fixture
def mine(tmp_path: Path) -> str:
    video.write_mp4(np.random.default_rng(0).integers(0, 256, (16, 64, 64, 3), np.uint8), tmp_path / "mine.mp4")
    return str(tmp_path / "mine.mp4")


def config(**settings: Any) -> SynthesisConfig:
    """A run of the tiny model."""
    return models.configure("tiny", "bowling", SETTINGS | settings)


def uploaded(panel: SettingsPanel, file: str) -> list[Any]:
    """What they say after an upload."""
    count = len(MINE.__dict__)
    return [*said(panel, panel.fill(config()))[:-count], "own video", 0, file, 0]


def test_an_own_video_stays_when_a_model_or_a_preset_is_chosen(panel: SettingsPanel, mine: str) -> None:
    values = uploaded(panel, mine)
    preview = player.tracks(player.track("preview", "stimulus", Choice("own video", 0, mine, 0).clip("tiny", "bowling")[0]))
    for told in (panel.choose_model(None, *values), panel.fill_in("quick", None, *values)):
        assert begins(told[panel.run], said(panel, told, values))[0].stimuli == (mine,) and told[panel.preview] == preview
    told = panel.choose_model(None, "puppet_csn", *values[1:])
    begun, *_ = begins(told[panel.run], said(panel, told, values))
    assert begun == models.configure("puppet_csn", "bowling", {"seed": 5, "stimuli": (mine,)})


def test_the_weights_of_whoever_takes_part_are_offered(panel: SettingsPanel, monkeypatch: pytest.MonkeyPatch) -> None:
    values = said(panel, panel.fill(config(judge="tiny_verifier")))
    assert not panel.show_estimate(*values)[panel.weights].visible
    state = models.state
    monkeypatch.setattr(models, "state", lambda spec: "download" if spec.key == "tiny_verifier" else state(spec))
    monkeypatch.setattr("leaps_core.models.cast.state", lambda spec: "download" if spec.key == "tiny_verifier" else state(spec))
    told = panel.show_estimate(*values)
    assert told[panel.weights].visible and "weights" in told[panel.weights].value and told[panel.estimate]
    assert told[panel.weights].interactive

    def download(*_: object) -> None:
        coming = panel.show_estimate(*values)[panel.weights]
        assert coming.visible and not coming.interactive and coming.value == "Downloading …"

    monkeypatch.setattr("app.settings_panel.weights.download", download)
    first, last = panel.download(*values)
    assert not first[panel.weights].interactive and panel.facts in last
    assert panel.show_estimate(*values)[panel.weights].interactive
    values[0] = "nobody"
    assert "nobody" in panel.show_estimate(*values)[panel.estimate]


def test_what_is_no_video_goes_when_a_model_is_chosen(panel: SettingsPanel, tmp_path: Path) -> None:
    (tmp_path / "notes.mp4").write_text("no video")
    told = panel.choose_model(None, *uploaded(panel, str(tmp_path / "notes.mp4")))
    assert begins(told[panel.run], said(panel, told))[0].stimuli == models.configure("tiny", "bowling").stimuli


def test_the_number_of_a_bundled_clip_stays(panel: SettingsPanel) -> None:
    values = said(panel, panel.fill(config()))
    for told in (panel.choose_model(None, "puppet_csn", *values[1:]), panel.fill_in("recommended", None, *values)):
        assert begins(told[panel.run], said(panel, told, values))[0].stimuli == ("bundled:7",)


def test_a_preset_and_a_model_leave_the_stimuli_that_the_controls_cant_name(panel: SettingsPanel) -> None:
    odd = config(stimuli=("bundled:3/tai chi", "bundled:4"))
    first = panel.fill(odd)
    values = said(panel, first)
    for told in (
        panel.fill_in("recommended", first[panel.run], *values),
        panel.choose_model(first[panel.run], "puppet_csn", *values[1:]),
    ):
        assert begins(told[panel.run], said(panel, told, values))[0].stimuli == odd.stimuli


def test_the_stimulus_that_is_shown_is_the_one_that_start_takes(panel: SettingsPanel) -> None:
    def clip(action: str) -> Any:
        frames = puppets.render_clip(action, 3, models.spec("tiny").frames, models.spec("tiny").size)
        return player.tracks(player.track("preview", "stimulus", frames))

    told = panel.fill(config(stimuli=("bundled:3/tai chi",)))
    run, chosen = told[panel.run], ("bundled clip", 3, None, 0)
    assert told[panel.preview] == panel.show_stimulus(run, "tiny", "bowling", *chosen)[panel.preview] == clip("tai chi")
    assert panel.show_stimulus(run, "tiny", "side kick", *chosen)[panel.preview] == clip("side kick"), "another action"
    assert panel.show_stimulus(None, "tiny", "bowling", *chosen)[panel.preview] == clip("bowling")


def test_of_a_run_that_is_made_as_it_was_it_is_told_where_it_ends(
    panel: SettingsPanel, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(gr, "Info", lambda text, **_: told.append(text))
    panel.fill(config(steps=4), again=True)
    panel.fill(config(steps=4), legs=[{"to": 2, "total": 3}, {"to": 4, "total": 4}], again=True)
    panel.fill(config(steps=4), legs=[{"to": 2, "total": 4}])  # it is only looked at
    assert told == []
    panel.fill(config(steps=4), legs=[{"to": 2, "total": 4}], again=True)
    assert told == ["This run ends at step 2 of 4, as it did."]
