"""The settings: what they allow, what they say of themselves, and what they tell a person who gives a wrong one."""

from __future__ import annotations

import re

import pytest
from pydantic import ValidationError

from leaps_core.config import (
    FIELDS,
    LIVE_SETTINGS,
    NETWORKS,
    RENAMED,
    STEERING,
    SynthesisConfig,
    bundled_action,
    bundled_seed,
    bundled_stimulus,
    current_name,
    info,
)
from leaps_core.errors import ConfigError

CONFIG = SynthesisConfig(model="m", action="a")


def test_every_setting_says_what_it_means_and_its_default_is_within_its_range() -> None:
    for name in FIELDS:
        facts = info(name)
        assert facts["text"].endswith("."), name
        for limit, beyond in (("min", lambda a, b: a < b), ("max", lambda a, b: a > b)):
            assert facts[limit] is None or facts["default"] is None or not beyond(facts["default"], facts[limit]), name
    assert {"r", "coherence", "diversity", "learning_rate", "noise"} <= set(LIVE_SETTINGS)
    assert "steps" not in LIVE_SETTINGS


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"stepz": 3}, "There is no setting “stepz”. Did you mean “steps”? Known: model, action"),
        ({"steps": 0}, "“steps” is 0; expected a number from 1 to 20000"),
        ({"r": float("nan")}, "“r” is nan; expected a number from 0 to 0.1"),
        ({"learning_rate": float("inf")}, "“learning_rate” is inf; expected a number from 0.0 to 1.0"),
        ({"canvas": "oil"}, "“canvas” is 'oil'; input should be 'fourier' or 'pixels'"),
        ({"seed": 1.5}, "“seed” is 1.5; expected a number from 0 to 2147483647"),
    ],
)
def test_what_cant_be_is_told_with_what_is_expected(settings: dict[str, object], sentence: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(sentence)):
        SynthesisConfig(**{"model": "m", "action": "a", **settings})
    with pytest.raises(ConfigError):
        CONFIG.replace(**settings)


def test_a_missing_model_is_told_and_two_mistakes_are_told_at_once() -> None:
    with pytest.raises(ConfigError, match="“model” is missing: Key of the model.*“steps” is -1"):
        SynthesisConfig(action="a", steps=-1)


def test_a_config_does_not_change_but_has_changed_copies() -> None:
    with pytest.raises(ValidationError):
        CONFIG.steps = 3  # type: ignore[misc]
    assert CONFIG.replace(steps=3).steps == 3 and CONFIG.steps == info("steps")["default"]
    assert SynthesisConfig.model_validate_json(CONFIG.model_dump_json()) == CONFIG


def test_bundled_clips_have_a_number() -> None:
    assert bundled_stimulus(12) == "bundled:12"
    assert bundled_seed("bundled:12") == 12 and bundled_seed("clip.mp4") is None
    for wrong in ("bundled:twelve", "bundled:²", "bundled:"):
        with pytest.raises(ConfigError, match="expected bundled:SEED"):
            bundled_seed(wrong)


def test_a_bundled_clip_may_show_another_action() -> None:
    other = bundled_stimulus(3, "tai chi")
    assert other == "bundled:3/tai chi" and bundled_seed(other) == 3
    assert bundled_action(other, "bowling") == "tai chi" and bundled_action("bundled:3", "bowling") == "bowling"
    assert bundled_action("/videos/clip.mp4", "bowling") == "bowling"


def test_names_that_settings_once_had_are_still_taken() -> None:
    assert RENAMED == {"floor": "min_learning_rate", "warmup": "warmup_steps"}
    assert set(RENAMED.values()) <= set(FIELDS) and not set(RENAMED) & set(FIELDS)
    old = SynthesisConfig(model="m", action="a", floor=0.01, warmup=3)
    assert old == SynthesisConfig(model="m", action="a", min_learning_rate=0.01, warmup_steps=3)
    assert CONFIG.replace(floor=0.01, warmup=3) == old and "floor" not in old.model_dump()
    assert info("floor") == info("min_learning_rate")
    assert [current_name(name) for name in ("floor", "warmup", "steps", "speed")] == [
        "min_learning_rate",
        "warmup_steps",
        "steps",
        "speed",
    ]
    with pytest.raises(ConfigError, match="“warmup_steps” is -1"):
        CONFIG.replace(warmup=-1)


def test_networks_and_sliders_are_settings() -> None:
    assert set(NETWORKS) <= set(FIELDS) and set(STEERING) <= set(LIVE_SETTINGS)


def test_there_is_nothing_to_say_of_an_unknown_setting() -> None:
    with pytest.raises(ConfigError, match="There is no setting “speed”"):
        info("speed")


def test_stimuli_and_settings_that_nobody_would_type_are_told() -> None:
    from leaps_core.cli.synth import setting

    for stimulus in ("bundled:" + "9" * 5000, "bundled:9999999999"):
        with pytest.raises(ConfigError, match="is no stimulus"):
            bundled_seed(stimulus)
    assert setting("stimuli=" + "[" * 100_000)[1] == "[" * 100_000
    with pytest.raises(ConfigError, match="self"):
        SynthesisConfig(**{"model": "m", "action": "a", "self": 1})
