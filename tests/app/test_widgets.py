"""The parts of the page that draw themselves in the browser: what they are given."""

from __future__ import annotations

from pathlib import Path

import pytest

from app import widgets
from app.texts import sections
from leaps_core import SynthesisConfig, runs

SPACE = "\N{NO-BREAK SPACE}"


def test_a_network_that_did_not_look_is_blank() -> None:
    assert widgets.percent(None) == "–" and widgets.percent(0.0) == f"0{SPACE}%" and widgets.percent(0.996) == f"100{SPACE}%"
    config = SynthesisConfig(model="tiny", action="bowling")
    assert widgets.scores(config, {"model": 0.5, "judge": 0.0}) == f"model 50{SPACE}% · judge 0{SPACE}%"
    assert widgets.scores(config, None) == "no scores"


def test_whoever_looks_at_a_clip_is_told_whose_idea_of_a_photograph_is_in_it_and_what_the_object_judge_saw() -> None:
    config = SynthesisConfig(model="tiny", action="bowling", frame_verifier="efficientnet_lite0", naturalness=1.0)
    seen = {"model": 1.0, "objects": [["soccer ball", 0.4], ["ping-pong ball", 0.2]], "object_rank": 2}
    assert widgets.scores(config, seen) == (
        f"model 100{SPACE}% · the object judge sees soccer ball first, the action's object at place 2 · "
        "drawn towards photographs by EfficientNet-Lite0"
    )
    assert "photographs" not in widgets.scores(config.replace(naturalness=0.0), seen)


def test_a_card_says_whose_run_it_is_and_shows_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEAPS_HOME", str(tmp_path))
    config = SynthesisConfig(model="tiny", action="bowling", steps=2, judge="none", verifier="none")
    run = [run for run, _ in runs.perform(config)][-1]
    demo = next(run for run in runs.list_runs() if run.demo)
    own, bundled = widgets.cards([run, demo], most=2, chosen=[run.id])["cards"]
    assert own["id"] == run.id and own["title"] == "bowling" and own["lines"][0] == "Tiny" == own["order"]["model"]
    assert own["lines"][2].startswith("done · 2 steps · 20") and "T" not in own["lines"][2]
    assert bundled["lines"][2] == "demo"
    assert own["thumb"]["n"] == 8 == bundled["thumb"]["n"] and own["thumb"] != bundled["thumb"]
    assert widgets.cards([], empty="None.") == {"cards": [], "most": 1, "small": False, "empty": "None.", "chosen": []}


def test_a_model_that_is_gone_is_called_by_its_key() -> None:
    assert widgets.model_name("puppet_csn") == "Puppet CSN" and widgets.model_name("mine_of_old") == "mine_of_old"


def test_the_bars_have_title_and_sentence_on_the_page() -> None:
    template = str(widgets.bars().html_template)
    assert f"<h4>{sections('plots')['top5'].title}</h4>" in template
    assert f"<p>{sections('plots')['top5'].text.replace(chr(39), '&#x27;')}</p>" in template
