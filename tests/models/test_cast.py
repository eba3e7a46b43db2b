"""Who takes part in a run, resolved from a config's names."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from leaps_core import SynthesisConfig, models
from leaps_core.errors import ModelError

CONFIG = SynthesisConfig(model="tiny", action="bowling", verifier="tiny_verifier", judge="tiny_judge")


def test_names_become_records_and_a_class() -> None:
    cast = models.resolve(CONFIG)
    assert (cast.model, cast.verifier, cast.judge) == tuple(map(models.spec, ("tiny", "tiny_verifier", "tiny_judge")))
    assert models.labels("puppets")[cast.class_index] == "bowling" and cast.notices == ()
    assert cast.networks == {"model": cast.model, "verifier": cast.verifier, "judge": cast.judge}
    alone = models.resolve(CONFIG.replace(verifier="none", judge="none"))
    assert alone.networks == {"model": cast.model} and alone.verifier is alone.judge is None and len(alone.notices) == 2


def test_weights_of_everyone_are_required(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEAPS_HOME", str(tmp_path))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    models.require_weights(models.resolve(CONFIG))
    far = replace(models.spec("x3d_xs"), key="far")
    for part in ("model", "verifier", "judge"):
        with pytest.raises(ModelError, match="download far"):
            models.require_weights(replace(models.resolve(CONFIG), **{part: far}))


def test_an_automatic_verifier_is_one_that_is_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEAPS_HOME", str(tmp_path))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    asked = SynthesisConfig(model="swin_t", action="zumba")
    assert models.resolve(asked).verifier is None
    cached = tmp_path / "hub" / "checkpoints"
    cached.mkdir(parents=True)
    for file in ("r3d_18-b3b3357e.pth", "s3d-d76dad2f.pth"):
        (cached / file).touch()
    assert models.resolve(asked).verifier == models.spec("s3d"), "the leaner of the two"


def test_a_caution_reaches_the_person() -> None:
    assert any("16 %" in notice for notice in models.resolve(SynthesisConfig(model="rev_mvit_b", action="zumba")).notices)


def test_paper_settings_are_a_valid_config_with_the_models_row() -> None:
    paper = CONFIG.replace(**models.paper_settings(models.spec("tiny")))
    assert (paper.lambda_1, paper.lambda_L, paper.r, paper.canvas) == (0.75, 0.1, 1e-3, "pixels")
    with pytest.raises(ModelError):
        models.paper_settings(models.spec("tiny_tokens"))
