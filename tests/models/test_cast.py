"""Who takes part in a run, resolved from a config's names."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from leaps_core import SynthesisConfig, models, paths
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


def test_a_model_may_verify_itself_if_it_can() -> None:
    cast = models.resolve(SynthesisConfig(model="tiny", action="tai chi", verifier="self", judge="none"))
    assert cast.verifier == cast.model and cast.optimised == (cast.model,)
    with pytest.raises(ModelError, match="“tiny_tokens” has no batch norm"):
        models.resolve(SynthesisConfig(model="tiny_tokens", action="tai chi", verifier="self"))


@pytest.mark.parametrize(
    ("setting", "key", "said"),
    [
        ("frame_verifier", "tiny_judge", "is the judge.*can't be the frame verifier. Able: efficientnet_lite0"),
        ("frame_verifier", "efficientnet_lite1", "is an object judge"),
        ("object_judge", "efficientnet_lite0", "is a frame verifier.*can't be the object judge"),
        ("verifier", "efficientnet_lite0", "is a frame verifier"),
        ("judge", "efficientnet_lite1", "is an object judge.*can't be the judge"),
        ("model", "efficientnet_lite0", "is a frame verifier.*can't be inverted"),
        ("frame_verifier", "efficientnet_lite", "There is no model .* Did you mean"),
    ],
)
def test_networks_stay_in_their_roles(setting: str, key: str, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        models.resolve(SynthesisConfig(**{"model": "tiny", "action": "tai chi", setting: key}))


def test_an_action_without_objects_is_told() -> None:
    asked = {"model": "i3d", "object_judge": "efficientnet_lite1"}
    without = models.resolve(SynthesisConfig(action="tai chi", **asked))
    assert without.object_judge is None and "knows no object of “tai chi”" in " ".join(without.notices)
    names = models.labels("imagenet1k")
    cast = models.resolve(SynthesisConfig(action="playing trumpet", **asked))
    assert [names[i] for i in cast.objects] == ["cornet", "trombone", "French horn"]


def test_the_table_of_objects_names_what_there_is() -> None:
    table = json.loads((paths.LABELS / "kinetics400_objects.json").read_text("utf-8"))
    pictures = models.labels("imagenet1k")
    assert len(table) >= 40 and set(table) <= set(models.labels("kinetics400"))
    assert {name for names in table.values() for name in names} <= set(pictures)
    assert len(pictures) == len(set(pictures)) == 1000


def test_what_a_run_lacks_is_known_before_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEAPS_HOME", str(tmp_path))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    lacking = models.missing(models.configure("i3d", "playing trumpet"))
    assert [spec.key for spec in lacking] == ["i3d", "efficientnet_lite0", "efficientnet_lite1"]
    with pytest.raises(ModelError, match="download i3d efficientnet_lite0` \\(about 65 MB\\)"):
        models.require_weights(models.resolve(models.configure("i3d", "playing trumpet")))
