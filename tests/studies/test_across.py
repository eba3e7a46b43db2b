"""Figures S1 to S4's study: many models, and whether the loss grows with their layers."""

from __future__ import annotations

from leaps_core.studies import across
from leaps_core.studies.study import Asked
from tests.studies.helpers import rows_of

STUDY = across.STUDY
MODELS = ("tiny", "tiny_tokens", "tiny_verifier", "puppet_csn", "puppet_r50", "puppet_x3d")
ASKED = Asked(MODELS, ("bowling",), seeds=2)


def report(*layers: int):
    rows = rows_of(STUDY, ASKED, lambda at: 0.5)
    for row in rows:
        place = MODELS.index(row["model"])
        row["primed"], row["loss_priming"] = layers[place], 0.1 * place
    return STUDY.read(ASKED, rows)


def test_a_loss_that_grows_with_the_layers_is_said_to() -> None:
    found = report(3, 5, 9, 12, 14, 20)
    assert "the final loss grows with the number of primed layers (Spearman's ρ 1.00" in found.claims[0]
    assert [row["primed layers"] for row in found.table] == [3, 5, 9, 12, 14, 20]
    assert found.table[0]["final loss"].value == 0.75, "the terms of the paper's loss, and no others"


def test_one_that_does_not_is_said_not_to() -> None:
    assert "does not clearly grow" in report(20, 14, 12, 9, 5, 3).claims[0]
    nearly = report(3, 5, 9, 20, 14, 12).claims[0]
    assert "does not clearly grow with the number of primed layers (Spearman's ρ 0.77, p 0.1" in nearly


def test_a_few_models_are_too_few() -> None:
    asked = Asked(MODELS[:2], ("bowling",), seeds=1)
    assert "2 models are too few" in STUDY.read(asked, rows_of(STUDY, asked, lambda at: 0.5)).claims[0]


def test_the_layout_has_a_row_for_each_model() -> None:
    assert [name for name, _ in report(1, 2, 3, 4, 5, 6).layouts["bowling"]][:2] == ["Tiny", "Tiny tokens"]
