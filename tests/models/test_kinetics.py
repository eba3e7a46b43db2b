"""The published models: their records agree with the networks that are built, and every one of them can be inverted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from leaps_core import SynthesisConfig, models, runs
from leaps_core.errors import ConfigError, ModelError
from leaps_core.models import kinetics
from leaps_core.models.adapter import VideoModel
from leaps_core.models.inspection import inspect
from leaps_core.synthesis import Step, clip_shape, coarse_shape, stimulus_clips, synthesize
from leaps_core.video import write_mp4

SPECS = {spec.key: spec for spec, _ in kinetics.MODELS}
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


@pytest.fixture(autouse=True)
def registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Models of these tests are gone after them."""
    models.specs()
    for name in ("_registry", "_builders", "_loaded"):
        monkeypatch.setattr(models, name, dict(getattr(models, name)))


def test_all_models_of_the_paper_are_there_with_their_settings() -> None:
    assert {spec.key for spec in SPECS.values() if spec.paper} == PAPER
    assert models.paper_settings(models.spec("x3d_l"))["lambda_1"] == 0.75


@pytest.mark.parametrize("key", SPECS)
def test_records_agree_with_the_networks(key: str) -> None:
    spec = models.spec(key)
    found = inspect(spec)
    assert found.clip == (spec.frames, spec.size, spec.size)
    assert found.parameters == spec.params and bool(found.batch_norms) == spec.batch_norm == spec.can_verify
    assert len(found.taps) == TAPS[key]
    assert all(tap.channels in tap.shape for tap in found.taps)
    assert found.taps[-1].moments > 1, "coherence needs more than one moment"


@pytest.mark.parametrize(
    ("key", "norms"),
    [
        ("slow_r50", 53),
        ("r2plus1d_r50", 69),
        ("csn_r50", 53),
        ("csn_r101", 104),
        ("x3d_m", 83),
        ("x3d_l", 170),
        ("r3d_18", 20),
        ("r2plus1d_18", 37),
        ("s3d", 77),
    ],
)
def test_all_batch_norms_are_seen(key: str, norms: int) -> None:
    assert inspect(models.spec(key)).batch_norms == norms


def test_labels_are_those_of_the_libraries() -> None:
    from torchvision.models.video import R3D_18_Weights

    names = models.labels("kinetics400")
    assert list(names) == R3D_18_Weights.KINETICS400_V1.meta["categories"] == sorted(names)
    assert (names[0], names[169], names[399]) == ("abseiling", "juggling balls", "zumba")
    ssv2 = models.labels("ssv2")
    assert len(set(ssv2)) == 174 and list(ssv2) == sorted(ssv2, key=str.lower)


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


def test_models_that_are_not_here_say_how_to_get_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEAPS_HOME", str(tmp_path))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    assert models.state(models.spec("x3d_xs")) == "download"
    with pytest.raises(ModelError, match="download x3d_xs"):
        models.load("x3d_xs")


def test_an_automatic_verifier_is_one_that_is_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEAPS_HOME", str(tmp_path))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    asked = SynthesisConfig(model="swin_t", action="zumba")
    assert models.choose(asked).verifier is None
    cached = tmp_path / "hub" / "checkpoints"
    cached.mkdir(parents=True)
    for file in ("r3d_18-b3b3357e.pth", "s3d-d76dad2f.pth"):
        (cached / file).touch()
    assert models.choose(asked).verifier == models.spec("s3d"), "the leaner of the two"


def test_a_caution_reaches_the_person() -> None:
    assert any("16 %" in notice for notice in models.choose(SynthesisConfig(model="rev_mvit_b", action="zumba")).notices)


@pytest.mark.parametrize(
    ("key", "settings", "reason"),
    [
        ("vivit_b", {"frames": 16}, "takes 32 only"),
        ("uniformerv2_b16_8", {"size": 112}, "takes 224 only"),
        ("mvitv2_s", {"frames": 7}, "multiples of 2"),
        ("x3d_l", {"size": 300}, "multiples of 32"),
        ("swin_t", {"size": 32}, "from 64 on"),
    ],
)
def test_clips_that_an_architecture_can_not_take_are_refused(key: str, settings: dict[str, int], reason: str) -> None:
    with pytest.raises(ConfigError, match=reason):
        clip_shape(SynthesisConfig(model=key, action="zumba", **settings), SPECS[key])


def test_stimuli_are_sampled_as_the_model_was_trained(tmp_path: Path) -> None:
    """A video of 10 s whose grey value is its time: frames lie stride/30 s apart, or are spread over all of it."""
    grey = np.arange(0, 250, 2, dtype=np.uint8)  # 125 frames, 12.5 a second: 25 a second of time
    write_mp4(np.broadcast_to(grey[:, None, None, None], (125, 64, 64, 3)).copy(), tmp_path / "time.mp4", fps=12.5)
    for key, apart in (("x3d_xs", 12 / 30), ("slow_r50", 8 / 30), ("uniformerv2_b16_8", 10 / 8)):
        config = SynthesisConfig(model=key, action="zumba", stimuli=(str(tmp_path / "time.mp4"),))
        clips, notices = stimulus_clips(config, SPECS[key])
        seconds = clips[0].mean((1, 2, 3)) / 25
        assert len(seconds) == SPECS[key].frames and np.allclose(np.diff(seconds), apart, atol=0.15), key
        assert abs((seconds[-1] - seconds[0]) / (len(seconds) - 1) - apart) < 0.05
        assert any("apart" in notice for notice in notices) == bool(SPECS[key].stride)


def test_a_run_without_weights_is_refused_before_it_begins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEAPS_HOME", str(tmp_path / "leaps"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    config = SynthesisConfig(model="x3d_xs", action="zumba", stimuli=())
    with pytest.raises(ModelError, match="download x3d_xs"):
        synthesize(config)
    with pytest.raises(ModelError, match="download x3d_xs"):
        next(runs.perform(config))
    assert not list((tmp_path / "leaps").rglob("run.json")), "no run is left behind"


def test_own_sizes_are_allowed_and_fixed_ones_never_coarse() -> None:
    for spec in SPECS.values():
        shape = clip_shape(SynthesisConfig(model=spec.key, action="any"), spec)
        assert shape == (spec.frames, spec.size, spec.size)
        assert (coarse_shape(shape, spec) == shape) == ("size" in spec.fixed)


@pytest.mark.parametrize("key", heavy(SPECS))
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
    assert torch.allclose(model(pixel), torch.zeros(1, 3, 1, 1, 1), atol=1e-6)
    assert torch.allclose(model(pixel + torch.tensor(code[1]).view(1, 3, 1, 1, 1)), torch.ones(1, 3, 1, 1, 1), atol=1e-5)


def test_hashes_are_enforced_only_where_they_can_be_trusted() -> None:
    """mmaction2's file names look hashed, but files were published again under their old names."""
    for spec in SPECS.values():
        for source in spec.sources:
            assert bool(source.sha256) == source.url.startswith("https://download.pytorch.org/"), source.url


def test_every_dead_host_has_a_living_one_before_it() -> None:
    for spec in SPECS.values():
        assert "aliyuncs" not in spec.sources[0].url


def test_labels_files_hold_the_same_classes() -> None:
    assert sorted(kinetics.labels("kinetics400_uniformerv2")) == list(kinetics.labels("kinetics400"))
