"""Which models there are."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from torch import nn

from leaps_core import models
from leaps_core.errors import ModelError
from leaps_core.models import bundled, catalogue, registry
from leaps_core.models.spec import ModelSpec
from tests import tiny


@pytest.mark.usefixtures("own_registry")
def test_registering_needs_labels_once() -> None:
    spec = ModelSpec("mine", "Mine", "own", "elsewhere", 8, 32, r"stem", "stem", size_step=8)
    with pytest.raises(ModelError, match="labels"):
        models.register(spec, lambda: nn.Identity())
    models.register(spec, lambda: tiny.TinyNet(9), labels=("jump", "run"))
    assert models.labels("elsewhere") == ("jump", "run") and models.spec("mine") in models.specs()


def test_models_are_in_the_order_in_which_they_come() -> None:
    keys = [spec.key for spec in models.specs()]
    order = [
        *bundled.RECORDS,
        *(spec.key for spec, _ in catalogue.MODELS),
        "tiny",
        "tiny_verifier",
        "tiny_tokens",
        "tiny_judge",
    ]
    assert [key for key in keys if key in order] == order


@pytest.mark.usefixtures("own_registry")
def test_providers_are_asked_once_at_the_first_look() -> None:
    asked: list[str] = []

    def late() -> list[str]:
        asked.append("late")
        models.register(replace(models.spec("tiny"), key="late"), lambda: tiny.TinyNet(9))
        return ["one.py can't be loaded: it is broken."]

    registry.provide(late)
    assert not asked
    assert models.spec("late").name == "Tiny" and models.spec("tiny") and asked == ["late"]
    assert models.failures()[-1] == "one.py can't be loaded: it is broken."
    with pytest.raises(ModelError, match="Did you mean “late”.*one.py can't be loaded"):
        models.spec("latte")


def test_unknown_names_are_told() -> None:
    with pytest.raises(ModelError, match="no model “tinny”. Did you mean “tiny”. Known: .*puppet_csn"):
        registry.builder("tinny")
    with pytest.raises(ModelError, match="no world “mars”. Known: puppets, kinetics400, ssv2"):
        models.labels("mars")


@pytest.mark.usefixtures("own_registry")
def test_what_goes_wrong_in_a_builder_is_told() -> None:
    models.register(replace(models.spec("tiny"), key="broken"), lambda: nn.Conv3d(0, -1, "x"))  # type: ignore[arg-type]
    with pytest.raises(ModelError, match="“broken” can't be built: "):
        models.network("broken")
    assert isinstance(models.network("tiny"), tiny.TinyNet)


@pytest.mark.usefixtures("own_registry")
@pytest.mark.parametrize(
    ("facts", "labels", "sentence"),
    [
        ({"mean": (123.7, 116.3, 103.5), "std": (58.4, 57.1, 57.4)}, ("a", "b"), "values from 0 to 1.*Divide"),
        ({"std": (0.0, 0.0, 0.0)}, ("a", "b"), "std above 0"),
        ({"taps": "*.block"}, ("a", "b"), "no regular expression"),
        ({}, ("a", "b", "a"), "label “a” twice"),
        ({"world": "kinetics400"}, ("a", "b"), "other labels than its world “kinetics400”, which has 400: “a” stands where"),
        ({"world": "theirs"}, ("b", "a"), "“b” stands where “a” does there"),
        ({"world": "theirs"}, ("a", "b", "c"), "“c” stands where “nothing”"),
    ],
)
def test_records_and_labels_that_can_not_be_are_refused(facts: dict[str, Any], labels: tuple[str, ...], sentence: str) -> None:
    record = ModelSpec("mine", "Mine", "own", "mine", 8, 32, "stem", "stem")
    models.register(replace(record, key="theirs", world="theirs"), lambda: tiny.TinyNet(9), labels=("a", "b"))
    with pytest.raises(ModelError, match=sentence):
        models.register(replace(record, **facts), lambda: tiny.TinyNet(9), labels)
    assert "mine" not in [spec.key for spec in models.specs()] and len(models.labels("kinetics400")) == 400
    models.register(replace(record, key="theirs", world="theirs"), lambda: tiny.TinyNet(9), labels=("b", "a"))
    assert models.labels("theirs") == ("b", "a"), "alone in its world, a model may be registered again with others"
