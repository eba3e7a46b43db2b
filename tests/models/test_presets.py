"""Presets: settings that suit a model."""

from __future__ import annotations

from dataclasses import replace

import pytest

from leaps_core import models
from leaps_core.config import FIELDS
from leaps_core.errors import ConfigError, ModelError


def test_bundled_models_keep_the_fields_own_defaults_but_for_three() -> None:
    config = models.configure("puppet_r50", "tai chi")
    own = ("model", "action", "precision", "evidence", "verify_every")
    assert all(getattr(config, name) == FIELDS[name].default for name in FIELDS if name not in own)
    assert (config.precision, FIELDS["precision"].default) == ("auto", "float32")
    assert (config.evidence, FIELDS["evidence"].default) == (1, 0), "runs of earlier say nothing of it"
    assert (config.verify_every, FIELDS["verify_every"].default) == (2, 1)
    assert models.preset(models.spec("puppet_r50"), "paper")["verify_every"] == 1, "the paper's verifier looks at each step"
    assert models.configure("puppet_r50", "tai chi", name="quick").steps == 40


@pytest.mark.parametrize(("key", "verifier"), [("i3d", "self"), ("x3d_s", "self"), ("swin_t", "none")])
def test_published_networks_have_settings_of_their_family(key: str, verifier: str) -> None:
    config = models.configure(key, "tai chi", {"seed": 3, "smoothness": 0.2})
    assert (config.verifier, config.frame_verifier, config.diversity_form) == (verifier, "efficientnet_lite0", "relative")
    assert config.evidence > 0 and config.stimuli == () and (config.seed, config.smoothness) == (3, 0.2)
    assert models.configure(key, "tai chi", name="quick").steps < config.steps


def test_a_preset_leaves_nothing_of_the_one_before() -> None:
    config = models.configure("slow_r50", "tai chi")
    paper = config.replace(**models.preset(models.spec("slow_r50"), "paper"))
    assert (paper.canvas, paper.evidence, paper.frame_verifier, paper.diversity_form, paper.views) == (
        "pixels",
        0.0,
        "none",
        "paper",
        1,
    )
    assert paper.replace(**models.preset(models.spec("slow_r50"))) == config


@pytest.mark.usefixtures("own_registry")
def test_a_models_own_settings_come_on_top_of_its_familys_and_leave_nothing_behind() -> None:
    spec = models.spec("slow_r50")
    own = replace(spec, key="mine", settings={"r": 0.03, "decay": 1.3})
    models.register(own, lambda: pytest.fail("nothing is built"))
    config = models.configure("mine", "tai chi")
    assert (config.r, config.decay) == (0.03, 1.3) and config.diversity_form == "relative"
    assert config.replace(model="slow_r50", **models.preset(spec)) == models.configure("slow_r50", "tai chi")
    assert models.preset(own, "paper")["r"] == spec.paper.r and models.preset(own, "paper")["decay"] == FIELDS["decay"].default  # type: ignore[union-attr]


def test_whose_settings_were_found_on_another_network_says_so() -> None:
    assert not models.untried(models.spec("puppet_r50")) and not models.untried(models.spec("i3d"))
    for key in ("slow_r50", "swin_t"):
        assert "found on another network (I3D) and not tried on this one" in models.untried(models.spec(key))
    assert not models.untried(replace(models.spec("swin_t"), settings={"evidence": 0.5}))


def test_what_is_no_preset_is_told() -> None:
    with pytest.raises(ConfigError, match="Did you mean “quick”"):
        models.preset(models.spec("i3d"), "quik")
    with pytest.raises(ModelError, match="The paper has no settings for “i3d”"):
        models.preset(models.spec("i3d"), "paper")
