"""Comparisons: what sets runs apart, and one action through several models or settings."""

from __future__ import annotations

import numpy as np
import pytest

from leaps_core import models, runs
from leaps_core.errors import ConfigError, LeapsError
from leaps_core.inversion.control import Control
from leaps_core.runs import comparison
from tests.runs.engine import config, made

SETTINGS = {"steps": 2, "seed": 3}


def test_models_and_values_are_multiplied() -> None:
    made = comparison.variants(["tiny", "tiny_verifier"], "bowling", SETTINGS, "r", [0.0, 0.01])
    assert [(one.config.model, one.config.r) for one in made] == [
        ("tiny", 0.0),
        ("tiny", 0.01),
        ("tiny_verifier", 0.0),
        ("tiny_verifier", 0.01),
    ]
    assert all(one.config.seed == 3 for one in made)
    assert comparison.differences([one.config for one in made]) == [
        "Tiny, r 0",
        "Tiny, r 0.01",
        "Tiny verifier, r 0",
        "Tiny verifier, r 0.01",
    ]
    assert comparison.differences([one.config for one in made[:2]]) == ["r 0", "r 0.01"]
    assert comparison.differences([one.config for one in made[:2]], str.upper) == ["R 0", "R 0.01"], "as a page calls it"
    alone = comparison.variants(["tiny", "tiny"], "bowling", SETTINGS)
    assert comparison.differences([one.config for one in alone]) == ["Tiny"]


def test_each_model_has_the_settings_that_suit_it_and_names_tell_only_what_was_chosen() -> None:
    given = {"verifier": "none", "frame_verifier": "none", "stimuli": ()}
    robust, published = (models.configure(key, "bowling", given) for key in ("tiny", "i3d"))
    assert robust.evidence_last == 1 > published.evidence_last
    assert comparison.differences([robust, published]) == ["Tiny", models.spec("i3d").name]
    assert comparison.differences([robust, published.replace(evidence=0.7)])[1].endswith("evidence 0.7")
    made = comparison.variants(["tiny", "tiny_verifier"], "bowling", SETTINGS, preset="quick")
    assert [one.config.steps for one in made] == [2, 2]  # what is given comes after the preset


@pytest.mark.parametrize(
    ("keys", "field", "values", "sentence"),
    [
        ([], "", [], "comparison of 0"),
        (["tiny"], "r", range(9), "“r” is"),
        (["tiny"], "seed", range(9), "comparison of 9"),
        (["tiny", "puppet_judge"], "", [], "is the judge"),
        (["tiny", "nobody"], "", [], "no model “nobody”"),
        (["tiny", "x3d_xs"], "", [], "knows no action|not on this machine"),
        (["tiny"], "action", ["a", "b"], "can't be varied"),
        (["tiny"], "speed", [1, 2], "no setting “speed”"),
    ],
)
def test_what_can_not_be_compared_is_refused(keys: list[str], field: str, values: list[float], sentence: str) -> None:
    with pytest.raises(LeapsError, match=sentence):
        comparison.variants(keys, "bowling", SETTINGS, field, values)


def test_errors_are_the_configs_own() -> None:
    with pytest.raises(ConfigError, match="expected a number from 0"):
        comparison.variants(["tiny"], "bowling", SETTINGS, "r", [-1, 0])


@pytest.mark.usefixtures("home")
def test_compare_tells_runs_apart():
    a = made(runs.perform(config()))
    b = made(runs.perform(config(seed=4), Control([{"step": 1, "field": "r", "value": 0.02}])))
    found = runs.compare(a, b)
    assert found["settings"] == {"seed": (3, 4)} and found["final"]["judge"] == (0.8, 0.8)
    assert found["changes"] == ([], [{"step": 1, "field": "r", "value": 0.02}])
    assert found["difference"] == pytest.approx(np.abs(a.clip.astype(float) - b.clip).mean() / 255)
    assert runs.compare(a, a)["difference"] == 0
    (b.folder / "clip.npz").unlink()
    assert runs.compare(a, b)["difference"] is None


def test_a_finished_runs_figures_are_a_line() -> None:
    final = {"model": 0.987, "verifier": None, "judge": 0.5, "motion": 0.01, "seconds": 12.4}
    assert comparison.note(final) == "model 99% · judge 50% · 12 s"
    assert comparison.note({"model": 1.0}) == "model 100%" and comparison.note(None) == ""
