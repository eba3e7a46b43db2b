"""The published models: their records agree with the networks that are built, and every one of them can be inverted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from leaps_core import SynthesisConfig, models, synthesize
from leaps_core.inversion.step import Step
from leaps_core.models import catalogue
from leaps_core.models.adapter import VideoModel
from leaps_core.models.inspection import inspect

pytestmark = pytest.mark.usefixtures("own_registry")

SPECS = {spec.key: spec for spec, _ in catalogue.MODELS}
INVERTED = {key: spec for key, spec in SPECS.items() if spec.role == "model"}
PAPER = {
    "slow_r50",
    "r2plus1d_r50",
    "csn_r50",
    "csn_r101",
    "x3d_xs",
    "x3d_s",
    "x3d_m",
    "x3d_l",
    "timesformer",
    "swin_t",
    "swin_s",
    "swin_b",
    "mvitv2_s",
    "mvitv2_b",
    "rev_mvit_b",
    "uniformerv2_b16_8",
    "uniformerv2_l14_8",
    "uniformerv2_l14_16",
}
HEAVY = {"uniformerv2_l14_8", "uniformerv2_l14_16", "hiera_b", "vivit_b", "vjepa2_l_ssv2"}
TAPS = {
    "slow_r50": 17,
    "r2plus1d_r50": 17,
    "csn_r50": 17,
    "csn_r101": 34,
    "x3d_xs": 27,
    "x3d_s": 27,
    "x3d_m": 27,
    "x3d_l": 56,
    "timesformer": 13,
    "swin_t": 13,
    "swin_s": 25,
    "swin_b": 25,
    "mvitv2_s": 17,
    "mvitv2_b": 25,
    "rev_mvit_b": 17,
    "uniformerv2_b16_8": 13,
    "uniformerv2_l14_8": 25,
    "uniformerv2_l14_16": 25,
    "r3d_18": 9,
    "mc3_18": 9,
    "r2plus1d_18": 9,
    "s3d": 12,
    "i3d": 11,
    "mvit_v1_b": 17,
    "videomae_b": 13,
    "hiera_b": 25,
    "vivit_b": 13,
    "vjepa2_l_ssv2": 25,
}
"""The stem and every block."""


def heavy(keys: Any) -> list[Any]:
    """Parameters of a test, the heavy models marked slow."""
    return [pytest.param(key, marks=pytest.mark.slow) if key in HEAVY else key for key in keys]


def random_model(key: str) -> models.ModelSpec:
    """A published model with random weights, choosable as random_KEY."""
    spec = replace(SPECS[key], key=f"random_{key}", sources=(), caution="")
    torch.manual_seed(0)
    models.register(spec, lambda: models.network(key))
    return spec


def test_all_models_of_the_paper_are_there_with_their_settings() -> None:
    assert {spec.key for spec in SPECS.values() if spec.paper} == PAPER
    assert models.paper_settings(models.spec("x3d_l"))["lambda_1"] == 0.75


def test_every_row_of_the_paper_is_one_of_table_s1() -> None:
    rows = {
        (1.0, 0.3, 7.5e-3),
        (0.75, 0.1, 5e-3),
        (1.0, 0.2, 5e-3),
        (1.0, 0.2, 1e-3),
        (1.0, 0.1, 1e-3),
        (0.75, 0.1, 1e-3),
        (1.0, 0.2, 2.5e-3),
        (0.75, 0.2, 1e-3),
        (0.625, 0.1, 1e-3),
        (0.75, 0.1, 2.5e-3),
        (0.625, 0.1, 5e-3),
    }
    found = {spec.key: (spec.paper.lambda_1, spec.paper.lambda_L, spec.paper.r) for spec in SPECS.values() if spec.paper}
    assert len(found) == 18 and set(found.values()) <= rows, found


@pytest.mark.parametrize("key", INVERTED)
def test_records_agree_with_the_networks(key: str) -> None:
    spec = models.spec(key)
    found = inspect(spec)
    assert found.clip == (spec.frames, spec.size, spec.size)
    assert found.parameters == spec.params and bool(found.batch_norms) == spec.batch_norm == spec.can_verify
    assert len(found.taps) == TAPS[key]
    assert all(tap.channels in tap.shape for tap in found.taps)
    assert found.taps[-1].timesteps > 1, "coherence needs more than one moment"


@pytest.mark.parametrize("key", [key for key in SPECS if key not in INVERTED])
def test_records_of_networks_of_frames_agree_with_the_networks(key: str) -> None:
    spec, found = SPECS[key], inspect(SPECS[key])
    assert found.parameters == spec.params and found.batch_norms and not found.taps and not spec.can_verify


def test_torchvisions_facts_are_torchvisions() -> None:
    from torchvision.models import get_model_weights

    for key, name, weights in (
        ("swin_t", "swin3d_t", "KINETICS400_V1"),
        ("swin_s", "swin3d_s", "KINETICS400_V1"),
        ("swin_b", "swin3d_b", "KINETICS400_IMAGENET22K_V1"),
        ("mvitv2_s", "mvit_v2_s", "KINETICS400_V1"),
        *((name, name, "KINETICS400_V1") for name in ("r3d_18", "mc3_18", "r2plus1d_18", "s3d", "mvit_v1_b")),
    ):
        given, spec = get_model_weights(name)[weights], SPECS[key]
        assert spec.sources[0].url == given.url and spec.sources[0].sha256 in given.url and len(spec.sources[0].sha256) == 8
        view = given.transforms()
        assert spec.mean == pytest.approx(view.mean) and spec.std == pytest.approx(view.std)
        assert set(view.crop_size) == {spec.size}
        assert spec.params == given.meta["num_params"] and 100 * spec.accuracy == pytest.approx(
            given.meta["_metrics"]["Kinetics-400"]["acc@1"]
        )


@pytest.mark.parametrize("key", heavy(INVERTED))
def test_every_model_inverts(key: str) -> None:
    spec = random_model(key)
    frames = spec.frames if "frames" in spec.fixed else spec.min_frames
    size = spec.size if "size" in spec.fixed else 2 * spec.size_step
    stimulus = np.random.default_rng(0).integers(0, 256, (1, 8, 40, 40, 3), np.uint8)
    config = SynthesisConfig(
        model=spec.key,
        action=models.labels(spec.world)[5],
        verifier="none",
        judge="none",
        steps=2,
        frames=frames,
        size=size,
        coarse=0,
        device="cpu",
    )
    steps: list[Step] = list(synthesize(config, stimulus=stimulus))
    assert [step.index for step in steps] == [1, 2]
    assert steps[0].clip.shape == (1, 3, frames, size, size) and not torch.equal(steps[0].clip, steps[1].clip)
    assert steps[0].losses["priming"] > 0 and {"cross_entropy", "priming"} <= steps[0].losses.keys()
    assert all(np.isfinite(value) for step in steps for value in step.losses.values())


N45 = ((0.45,) * 3, (0.225,) * 3)
IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
TORCHVISION = ((0.43216, 0.394666, 0.37645), (0.22803, 0.22145, 0.216989))
HALF = ((0.5,) * 3, (0.5,) * 3)


def test_swin_b_is_the_one_of_the_paper() -> None:
    spec = SPECS["swin_b"]
    assert "22k" in spec.sources[0].url and (spec.frames, spec.stride) == (32, 2)


@pytest.mark.parametrize(
    ("code", "keys"),
    [
        (
            N45,
            (
                "slow_r50",
                "r2plus1d_r50",
                "csn_r101",
                "x3d_xs",
                "x3d_s",
                "x3d_m",
                "x3d_l",
                "timesformer",
                "mvitv2_s",
                "mvitv2_b",
                "rev_mvit_b",
                "uniformerv2_b16_8",
                "uniformerv2_l14_8",
                "uniformerv2_l14_16",
                "mvit_v1_b",
                "hiera_b",
            ),
        ),
        (IMAGENET, ("csn_r50", "swin_t", "swin_s", "swin_b", "videomae_b", "vjepa2_l_ssv2")),
        (TORCHVISION, ("r3d_18", "mc3_18", "r2plus1d_18", "s3d")),
        (HALF, ("vivit_b",)),
    ],
)
def test_each_model_is_normalised_as_it_was_trained(
    code: tuple[tuple[float, ...], tuple[float, ...]], keys: tuple[str, ...]
) -> None:
    for key in keys:
        assert (SPECS[key].mean, SPECS[key].std) == code, key
    model = VideoModel(replace(SPECS[keys[0]], taps="0", embedding_layer="0"), nn.Sequential(nn.Identity()))
    pixel = torch.tensor(code[0]).view(1, 3, 1, 1, 1)
    assert torch.allclose(model.normalise(pixel), torch.zeros(1, 3, 1, 1, 1), atol=1e-6)
    assert torch.allclose(
        model.normalise(pixel + torch.tensor(code[1]).view(1, 3, 1, 1, 1)), torch.ones(1, 3, 1, 1, 1), atol=1e-5
    )


def test_hashes_are_enforced_only_where_they_can_be_trusted() -> None:
    """mmaction2's file names look hashed, but files were published again under their old names."""
    for spec in SPECS.values():
        for source in spec.sources:
            if source.url.startswith("pypi:"):
                assert len(source.sha256) == 64, source.url
                continue
            assert bool(source.sha256) == source.url.startswith("https://download.pytorch.org/"), source.url


def test_every_dead_host_has_a_living_one_before_it() -> None:
    for spec in SPECS.values():
        assert "aliyuncs" not in spec.sources[0].url
