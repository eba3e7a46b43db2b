"""The controls: every setting has a widget, and what they say is what is run."""

from __future__ import annotations

import math
import subprocess
import sys

import gradio as gr
import pytest

from app import controls
from app.texts import Section, sections
from leaps_core import models
from leaps_core.config import FIELDS, LIVE_SETTINGS, STEERING, SynthesisConfig, info
from leaps_core.errors import LeapsError

CONFIG = SynthesisConfig(model="any", action="juggling balls", r=0.01, margin=None, flip=True, stimuli=("bundled:3",))


def test_a_bundled_clip_primes_models_of_its_own_world_only() -> None:
    bundled, own, none = controls.KINDS
    assert controls.stimulus_for(bundled, ["puppet_csn"]) == controls.stimulus_for(bundled, []) == bundled
    assert controls.stimulus_for(bundled, ["i3d"]) == controls.stimulus_for(bundled, ["puppet_csn", "i3d"]) == none
    assert controls.stimulus_for(own, ["i3d"]) == own and controls.stimulus_for(none, ["puppet_csn"]) == none


def test_every_setting_can_be_set() -> None:
    assert set(controls.ORDER) | set(controls.STIMULUS) == set(FIELDS)


def test_every_live_setting_acts_on_the_running_clip() -> None:
    assert set(controls.live_settings()) == set(LIVE_SETTINGS)


def test_sliders_have_the_ranges_of_the_config() -> None:
    for name in STEERING:
        slider, facts = controls.widget(name), info(name)
        if facts["log"]:  # what the script reads
            assert f"data-min='{facts['min']}' data-max='{facts['max']}' data-step='{facts['step']}'" in slider.html_template
            assert slider.value == facts["default"]
            continue
        assert (slider.minimum, slider.maximum, slider.value) == (facts["min"], facts["max"], facts["default"])


def test_every_slider_and_plot_has_a_sentence() -> None:
    sliders = [name for name in controls.ORDER if info(name)["log"] or isinstance(controls.widget(name), gr.Slider)]
    for name in {*STEERING, *controls.MAIN, *sliders}:
        assert sections("settings")[name].text.endswith((".", "!"))
    assert {"losses", "probabilities", "top5", "timeline"} <= set(sections("plots"))


def test_what_is_recommended_stands_well_inside_a_logarithmic_slider() -> None:
    logarithmic = [name for name in FIELDS if info(name)["log"]]
    assert {"r", "coherence", "smoothness", "learning_rate"} <= set(logarithmic)
    for key in ("puppet_csn", "i3d"):
        config = models.configure(key, "tai chi")
        for name in logarithmic:
            value, facts = getattr(config, name), info(name)
            share = math.log(value / facts["step"]) / math.log(facts["max"] / facts["step"]) if value > facts["min"] else 0.2
            assert 0.15 < share < 0.95, (key, name, share)


def test_controls_say_the_config_that_was_filled_in() -> None:
    said = controls.config_of(controls.values_of(CONFIG), controls.Choice("bundled clip", 3, None, None).settings)
    assert said == CONFIG


def test_the_stimulus_widgets_name_what_they_can_of_a_config() -> None:
    bundled, own = CONFIG.replace(stimuli=("bundled:3/tai chi", "bundled:4")), CONFIG.replace(stimuli=("a.mp4",))
    choices = {
        "bundled": controls.Choice("bundled clip", 3, None, None),
        "another": controls.Choice("bundled clip", 4, None, None),
        "of earlier": controls.Choice("own video", 0, None, 0),
        "that": controls.Choice("own video", 0, "a.mp4", 0),
        "other": controls.Choice("own video", 0, "b.mp4", 0),
        "later": controls.Choice("own video", 0, "a.mp4", 5),
        "none": controls.Choice("none", 0, None, None),
    }
    assert [key for key, choice in choices.items() if choice.names(bundled)] == ["bundled"]
    assert [key for key, choice in choices.items() if choice.names(own)] == ["of earlier", "that"]
    assert [key for key, choice in choices.items() if choice.names(CONFIG.replace(stimuli=()))] == ["none"]


def test_stimulus_is_bundled_uploaded_or_none() -> None:
    assert controls.Choice("bundled clip", 7, None, None).settings["stimuli"] == ("bundled:7",)
    assert controls.Choice("own video", 0, "a.mp4", 2.5).settings == {"stimuli": ("a.mp4",), "stimulus_start": 2.5}
    assert controls.Choice("none", 0, None, None).settings["stimuli"] == ()
    with pytest.raises(LeapsError, match="No video"):
        _ = controls.Choice("own video", 0, None, None).settings


def test_a_start_second_that_is_not_shown_does_not_act(monkeypatch: pytest.MonkeyPatch) -> None:
    with gr.Blocks():
        stimulus = controls.stimulus(Section("Stimulus", ""), "video")
    monkeypatch.setattr(controls, "is_long", lambda file: file == "long.mp4")
    assert "value" not in stimulus.needed("own video", "long.mp4")[stimulus.start].constructor_args
    assert stimulus.needed("own video", "short.mp4")[stimulus.start].value == 0


@pytest.mark.parametrize(("field", "value"), [("r", float("nan")), ("steps", 0), ("seed", -1), ("action", None)])
def test_bad_values_are_refused(field: str, value: object) -> None:
    values = controls.values_of(CONFIG)
    values[controls.ORDER.index(field)] = value
    with pytest.raises(LeapsError):
        controls.config_of(values, controls.Choice("none", 0, None, None).settings)


def test_it_is_told_where_a_models_settings_were_found_on_another_one() -> None:
    assert all("not tried on this one" in controls.model_facts(key) for key in ("slow_r50", "swin_t"))
    assert not any("not tried" in controls.model_facts(key) for key in ("puppet_csn", "i3d"))


def test_durations_read_well() -> None:
    assert controls.duration(24.2) == "24 s" and controls.duration(102) == "102 s" and controls.duration(240) == "4 min"


def test_the_page_needs_no_torch() -> None:
    code = "import sys; from app import page; page.build(); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], timeout=120, check=False).returncode == 0


def test_an_action_of_the_model_before_is_no_error_of_gradios() -> None:
    action = controls.widget("action")
    assert (
        action.get_block_name() == "dropdown"
        and action.preprocess("an action of another world") == "an action of another world"
    )
