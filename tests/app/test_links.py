"""Links that bring their settings along."""

from __future__ import annotations

from urllib.parse import parse_qsl

import pytest

from app import links
from leaps_core import models
from leaps_core.config import SynthesisConfig
from leaps_core.errors import ConfigError, LeapsError
from leaps_core.models import presets
from leaps_core.runs import Again


def test_a_link_says_what_differs_from_the_defaults_and_nothing_else() -> None:
    config = SynthesisConfig(model="tiny", action="tai chi", coherence=2.5, verifier="tiny_verifier", stimuli=("bundled:7",))
    params = dict(parse_qsl(links.query(Again(config))))
    assert params == {
        "model": "tiny",
        "action": "tai chi",
        "rest": "default",
        "verifier": "tiny_verifier",
        "coherence": "2.5",
        "stimuli": '["bundled:7"]',
    }
    assert links.read(params) == config


def test_a_link_leads_to_the_same_settings_when_others_suit_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    config = models.configure("puppet_csn", "tai chi")
    params = dict(parse_qsl(links.query(Again(config))))
    monkeypatch.setitem(presets.PUPPET, "recommended", {"evidence": 7.0, "r": 0.01})
    assert links.read(params) == config
    by_hand = links.read({"model": "puppet_csn", "action": "tai chi"})
    assert by_hand is not None and by_hand.evidence == 7


@pytest.mark.parametrize("settings", [{}, {"margin": None, "flip": True, "steps": 7}, {"stimuli": (), "r": 0.0}])
def test_what_a_link_says_is_read_again(settings: dict[str, object]) -> None:
    config = models.configure("tiny", "bowling", settings)
    assert links.read(dict(parse_qsl(links.query(Again(config))))) == config


def test_an_own_video_stays_at_home() -> None:
    config = models.configure("tiny", "bowling", {"stimuli": ("/home/me/mine.mp4",)})
    assert "mine" not in links.query(Again(config))
    with pytest.raises(ConfigError, match="does not hold"):
        links.read({"model": "tiny", "action": "bowling", "stimuli": '["/etc/passwd"]'})


def test_other_words_are_passed_over() -> None:
    assert links.read({"__theme": "dark"}) is None and links.read({"model": "tiny"}) is None
    found = links.read({"model": "tiny", "action": "bowling", "__theme": "dark", "fbclid": "1"})
    assert found == models.configure("tiny", "bowling")


def test_what_was_changed_while_a_run_went_on_travels_along() -> None:
    config = models.configure("tiny", "bowling", {"steps": 30})
    changed = [{"step": 9, "field": "r", "value": 0.01}, {"step": 12, "field": "flip", "value": True}]
    params = dict(parse_qsl(links.query(Again(config, changed))))
    assert links.read(params) == config and links.again(params, config) == (config, changed, [])
    assert links.again({"model": "tiny"}, config) == (config, [], [])


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("{", "expected"),
        ("3", "expected"),
        ("[[9]]", "expected"),
        ('[[9, "seed", 3]]', "live settings"),
        ('[["9", "r", 0.01]]', "live settings"),
        ('[[9, "r", 99]]', "expected a number from 0 to"),
        ('{"a": 1}', "expected"),
    ],
)
def test_changes_that_cant_be_are_told(said: str, told: str) -> None:
    with pytest.raises(LeapsError, match=told):
        links.again({"changes": said}, models.configure("tiny", "bowling"))


def test_the_legs_of_a_run_travel_along() -> None:
    config, legs = models.configure("tiny", "bowling", {"steps": 30}), [{"to": 4, "total": 9}, {"to": 20, "total": 30}]
    params = dict(parse_qsl(links.query(Again(config, (), legs))))
    assert params["legs"] == "[[4, 9], [20, 30]]" and links.asked(params, None) == (config, [], legs)
    assert "legs" not in links.query(Again(config))
    assert links.asked(params | {"steps": "31"}, None) == (config.replace(steps=31), [], ()), "of another number of steps"


@pytest.mark.parametrize("said", ["{", "3", "[[9]]", "[[9, 9.5]]", "[[0, 30]]", "[[31, 30]]", "[[9, 30], [4, 30]]"])
def test_legs_that_cant_be_are_told(said: str) -> None:
    with pytest.raises(LeapsError, match="legs"):
        links.again({"legs": said}, models.configure("tiny", "bowling", {"steps": 30}))
