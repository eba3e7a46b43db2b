"""The published models: their records agree with the networks that are built, and every one of them can be inverted."""

from __future__ import annotations

import copy
from dataclasses import replace
from functools import partial
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
from leaps_core.models.rev_mvit import rev_mvit
from leaps_core.models.uniformerv2 import uniformerv2
from leaps_core.synthesis import Step, clip_shape, coarse_shape, stimulus_clips, synthesize
from leaps_core.video import write_mp4

SPECS = {spec.key: spec for spec, _ in kinetics.MODELS}
PAPER = {"slow_r50", "r2plus1d_r50", "csn_r50", "csn_r101", "x3d_xs", "x3d_s", "x3d_m", "x3d_l", "timesformer", "swin_t",
         "swin_s", "swin_b", "mvitv2_s", "mvitv2_b", "rev_mvit_b", "uniformerv2_b16_8", "uniformerv2_l14_8",
         "uniformerv2_l14_16"}
HEAVY = {"uniformerv2_l14_8", "uniformerv2_l14_16", "hiera_b", "vivit_b", "vjepa2_l_ssv2"}
TAPS = {"slow_r50": 17, "r2plus1d_r50": 17, "csn_r50": 17, "csn_r101": 34, "x3d_xs": 27, "x3d_s": 27, "x3d_m": 27, "x3d_l": 56,
        "timesformer": 13, "swin_t": 13, "swin_s": 25, "swin_b": 25, "mvitv2_s": 17, "mvitv2_b": 25, "rev_mvit_b": 17,
        "uniformerv2_b16_8": 13, "uniformerv2_l14_8": 25, "uniformerv2_l14_16": 25, "r3d_18": 9, "mc3_18": 9, "r2plus1d_18": 9,
        "s3d": 12, "mvit_v1_b": 17, "videomae_b": 13, "hiera_b": 25, "vivit_b": 13, "vjepa2_l_ssv2": 25}
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


@pytest.mark.parametrize(("key", "norms"), [("slow_r50", 53), ("r2plus1d_r50", 69), ("csn_r50", 53), ("csn_r101", 104),
                                            ("x3d_m", 83), ("x3d_l", 170), ("r3d_18", 20), ("r2plus1d_18", 37), ("s3d", 77)])
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

    for key, name, weights in (("swin_t", "swin3d_t", "KINETICS400_V1"), ("swin_s", "swin3d_s", "KINETICS400_V1"),
                               ("swin_b", "swin3d_b", "KINETICS400_IMAGENET22K_V1"),
                               ("mvitv2_s", "mvit_v2_s", "KINETICS400_V1"),
                               *((name, name, "KINETICS400_V1")
                                 for name in ("r3d_18", "mc3_18", "r2plus1d_18", "s3d", "mvit_v1_b"))):
        given, spec = get_model_weights(name)[weights], SPECS[key]
        assert spec.sources[0].url == given.url and spec.sources[0].sha256 in given.url and len(spec.sources[0].sha256) == 8
        view = given.transforms()
        assert spec.mean == pytest.approx(view.mean) and spec.std == pytest.approx(view.std)
        assert set(view.crop_size) == {spec.size}
        assert spec.params == given.meta["num_params"] and 100 * spec.accuracy == pytest.approx(
            given.meta["_metrics"]["Kinetics-400"]["acc@1"])


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


@pytest.mark.parametrize(("key", "settings", "reason"), [
    ("vivit_b", {"frames": 16}, "takes 32 only"), ("uniformerv2_b16_8", {"size": 112}, "takes 224 only"),
    ("mvitv2_s", {"frames": 7}, "multiples of 2"), ("x3d_l", {"size": 300}, "multiples of 32"),
    ("swin_t", {"size": 32}, "from 64 on")])
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
    config = SynthesisConfig(model=spec.key, action=models.labels(spec.world)[5], verifier="none", judge="none", steps=2,
                             frames=frames, size=size, coarse=0, device="cpu")
    steps: list[Step] = list(synthesize(config, stimulus=stimulus))
    assert [step.index for step in steps] == [1, 2]
    assert steps[0].clip.shape == (1, 3, frames, size, size) and not torch.equal(steps[0].clip, steps[1].clip)
    assert steps[0].losses["priming"] > 0 and {"cross_entropy", "priming"} <= steps[0].losses.keys()
    assert all(np.isfinite(value) for step in steps for value in step.losses.values())


@pytest.mark.parametrize("key", ["x3d_xs", "rev_mvit_b", "swin_t", "mvitv2_s", "timesformer", "videomae_b"])
def test_features_are_means_over_space_and_time(key: str) -> None:
    """By hand from the tap's full output: an axis too many or too few changes the mean."""
    spec = SPECS[key]
    torch.manual_seed(0)
    model = VideoModel(replace(spec, sources=()), models.network(key))
    size, outputs = 2 * spec.size_step, {}

    def keep(name: str, module: nn.Module, inputs: Any, output: Any) -> None:
        outputs[name] = output[0] if isinstance(output, tuple) else output

    for name in model.taps:
        model.network.get_submodule(name).register_forward_hook(partial(keep, name))
    with torch.no_grad():
        seen = model.observe(torch.rand(2, 3, 4, size, size))
    for name, found in zip(model.taps, seen.features, strict=True):
        value = outputs[name]
        if value.ndim == 3:
            by_hand = value[:, int(spec.class_token):].mean(1)
        else:
            by_hand = value.mean((1, 2, 3) if spec.layout == "channels_last" else (2, 3, 4))
        assert torch.allclose(found, by_hand, atol=1e-5), name
    assert seen.temporal is not None and torch.allclose(seen.temporal.mean(2), seen.features[-1], atol=1e-5)


def test_moments_are_told_apart_in_every_layout() -> None:
    """What changes the last frames of one clip of a batch changes the later moments of that clip only."""
    for key in ("timesformer", "videomae_b", "mvitv2_s", "uniformerv2_b16_8"):
        spec = SPECS[key]
        torch.manual_seed(0)
        small = key == "uniformerv2_b16_8"  # its published size is fixed, and large for a test
        network = uniformerv2(400, 32, 2, 4, 16, 32, 2) if small else models.network(key)
        model = VideoModel(replace(spec, embedding_layer=spec.embedding_layer.replace("11", "3")) if small else spec, network)
        model.taps = model.taps[:1]  # the stem: no moment has looked at another yet, but for the width of its convolution
        size = 32 if small else 2 * spec.size_step
        clip = torch.rand(2, 3, 8, size, size)
        other = clip.clone()
        other[1, :, 6:] = 0
        with torch.no_grad():
            changed = (model.observe(clip).temporal - model.observe(other).temporal).abs().sum(1) > 1e-6  # type: ignore[operator]
        later = changed.shape[1] * 3 // 4
        assert not changed[0].any() and not changed[1, :later - 1].any() and changed[1, -1], key


def test_recomputing_blocks_gives_the_same_gradient_with_less_kept() -> None:
    spec = replace(SPECS["mvitv2_s"], sources=(), recompute=False)
    torch.manual_seed(0)
    plain = VideoModel(spec, models.network("mvitv2_s"))
    again = VideoModel(replace(spec, recompute=True), copy.deepcopy(plain.network))
    results = []
    for model in (plain, again):
        clip = torch.rand(1, 3, 4, 64, 64, generator=torch.Generator().manual_seed(0)).requires_grad_()
        kept: dict[int, int] = {}

        def pack(value: torch.Tensor, kept: dict[int, int] = kept) -> torch.Tensor:
            kept[value.untyped_storage().data_ptr()] = value.untyped_storage().nbytes()
            return value

        weights = {parameter.untyped_storage().data_ptr() for parameter in model.parameters()}
        with torch.autograd.graph.saved_tensors_hooks(pack, lambda value: value):
            seen = model.observe(clip)
        assert seen.temporal is not None
        (seen.logits[0, 5] + sum(tap.square().sum() for tap in seen.features) + seen.temporal.square().sum()).backward()
        results.append((clip.grad, sum(size for place, size in kept.items() if place not in weights)))
    assert torch.allclose(results[0][0], results[1][0], rtol=1e-4, atol=1e-7)  # type: ignore[arg-type]
    assert results[1][1] < results[0][1] / 4
    assert not any("forward" in module.__dict__ for module in again.modules())


@pytest.mark.parametrize("frames", [4, 8])
def test_reversible_layers_are_computed_back(frames: int) -> None:
    """The same logits, features and gradient as plain autograd, with one layer's activations a run kept."""
    torch.manual_seed(0)
    plan = (("rev", 4), ("down", 2), *[("rev", 2)] * 6, ("down", 1), ("rev", 1), ("rev", 1))
    spec = replace(SPECS["rev_mvit_b"], sources=())
    network = rev_mvit(400, 24, plan, 8, 64)
    for value in network.parameters():
        nn.init.normal_(value, std=0.3)
    plain = VideoModel(spec, copy.deepcopy(network))
    plain.network.rev_backbone.reversible = False
    results = []
    for model in (plain, VideoModel(spec, network)):
        clip = torch.rand(2, 3, frames, 64, 64, generator=torch.Generator().manual_seed(0)).requires_grad_()
        kept: dict[int, int] = {}

        def pack(value: torch.Tensor, kept: dict[int, int] = kept) -> torch.Tensor:
            kept[value.untyped_storage().data_ptr()] = value.untyped_storage().nbytes()
            return value

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda value: value):
            seen = model.observe(clip)
        assert seen.temporal is not None and len(seen.features) == 1 + len(plan)
        loss = (seen.logits[:, 7].sum() + seen.temporal[:, :, 0].square().sum()
                + sum((index + 1) * tap.square().sum() for index, tap in enumerate(seen.features)))
        loss.backward()
        results.append((seen, clip.grad, sum(kept.values())))
    (one, gradient, all_kept), (other, computed, few_kept) = results
    assert torch.allclose(one.logits, other.logits, atol=1e-5)
    assert all(torch.allclose(a, b, atol=1e-5) for a, b in zip(one.features, other.features, strict=True))
    assert gradient is not None and computed is not None
    assert torch.allclose(gradient, computed, atol=1e-3 * gradient.std().item())
    assert few_kept < all_kept / 2


def test_library_networks_load_published_files(tmp_path: Path) -> None:
    """A file in the published format, with random weights, through the project's loader: the library's own logits. The
    clips are the smallest that pass the libraries' heads."""
    from pytorchvideo.models import hub
    from torchvision.models import video as tv

    torch.manual_seed(0)
    mvit = tv.mvit_v2_s()
    mvit.pos_encoding.temporal_size, mvit.pos_encoding.spatial_size = 2, (16, 16)  # of a small clip; its tables are relative
    cases: list[tuple[str, nn.Module, str | None, tuple[int, int, int]]] = [
        ("x3d_xs", hub.x3d_xs(head_activation=None), "model_state", (4, 160, 160)),
        ("x3d_s", hub.x3d_s(head_activation=None), "model_state", (13, 160, 160)),
        ("x3d_m", hub.x3d_m(head_activation=None), "model_state", (16, 193, 193)),
        ("slow_r50", hub.slow_r50(), "model_state", (8, 193, 193)),
        ("r2plus1d_r50", hub.r2plus1d_r50(head_activation=None), "model_state", (13, 193, 193)),
        ("csn_r101", hub.csn_r101(), "model_state", (25, 193, 193)),
        ("r3d_18", tv.r3d_18(), None, (8, 64, 64)), ("mc3_18", tv.mc3_18(), None, (8, 64, 64)),
        ("r2plus1d_18", tv.r2plus1d_18(), None, (8, 64, 64)), ("s3d", tv.s3d(), None, (13, 209, 209)),
        ("swin_t", tv.swin3d_t(), None, (4, 64, 64)), ("mvitv2_s", mvit, None, (4, 64, 64)),
        ("swin_s", tv.swin3d_s(), None, (4, 64, 64)), ("swin_b", tv.swin3d_b(), None, (4, 64, 64)),
        ("mvit_v1_b", tv.mvit_v1_b(), None, (16, 224, 224))]
    for key, library, container, shape in cases:
        for module in library.modules():  # statistics of their own, so that mixed-up norms show
            if isinstance(module, nn.BatchNorm3d):
                module.running_mean.uniform_(-0.2, 0.2)  # type: ignore[union-attr]
                module.running_var.uniform_(0.5, 1.5)  # type: ignore[union-attr]
        weights = library.eval().state_dict()
        torch.save({"epoch": 1, container: weights, "optimizer_state": {"state": {}}} if container else weights,
                   tmp_path / "published.pth")
        model = VideoModel(SPECS[key], models.network(key), tmp_path / "published.pth")
        clip = torch.randn(1, 3, *shape)
        with torch.no_grad():
            expected, found = library(clip), model.network(clip)
        assert torch.allclose(found, expected, atol=1e-4 * expected.std().item()), key


def test_hiera_loads_a_published_file_gives_logits_and_its_moments_are_told_apart(tmp_path: Path) -> None:
    """The library's own class gives probabilities in eval mode; its `reroll` puts tokens back in their places."""
    from hiera import hiera_base_16x224

    torch.manual_seed(0)
    library = hiera_base_16x224().eval()
    nn.init.normal_(library.head.projection.weight, std=0.2)  # it starts close to 0, where all classes look alike
    torch.save({"epoch": 1, "model_state": library.state_dict(), "optimizer_state": {}}, tmp_path / "published.pth")
    model = VideoModel(SPECS["hiera_b"], models.network("hiera_b"), tmp_path / "published.pth")
    moments: dict[int, torch.Tensor] = {}
    for index in (0, 3, 6, 23):
        def keep(module: nn.Module, inputs: Any, output: Any, index: int = index) -> None:
            moments[index] = library.reroll(output, index).mean((2, 3))

        library.blocks[index].register_forward_hook(keep)
    clip = torch.rand(1, 3, 16, 224, 224)
    with torch.no_grad(), model._watch(16, True, False) as (taps, _):
        expected, found = library(model.normalise(clip)), model(clip)
    assert found.std() > 0.1 and torch.allclose(found.softmax(1), expected, rtol=1e-3, atol=1e-7)
    for index, by_hand in moments.items():
        assert torch.allclose(taps[f"blocks.{index}"][1], by_hand.transpose(1, 2), atol=1e-4), index


@pytest.mark.parametrize("key", ["videomae_b", "vivit_b", "vjepa2_l_ssv2", "timesformer"])
def test_hub_files_load_with_their_old_names(key: str, tmp_path: Path) -> None:
    """Small networks of each class: names as the hub's files have them, logits as the library's own class gives them."""
    import json

    import transformers
    from safetensors.torch import save_file

    from leaps_core.models import builders, checkpoints

    spec = SPECS[key]
    small: dict[str, Any] = {"hidden_size": 24, "num_attention_heads": 2, "num_hidden_layers": 2, "image_size": 32}
    if key == "vjepa2_l_ssv2":
        small = {"hidden_size": 48, "num_attention_heads": 2, "num_hidden_layers": 2, "crop_size": 32,
                 "frames_per_clip": 8, "num_pooler_layers": 1, "pred_hidden_size": 24, "pred_num_attention_heads": 2,
                 "pred_num_hidden_layers": 1}
    else:
        small |= {"intermediate_size": 48, "num_frames": 8}
    name, kind = {"videomae_b": ("videomae", "VideoMAE"), "vivit_b": ("vivit", "Vivit"), "vjepa2_l_ssv2": ("vjepa2", "VJEPA2"),
                  "timesformer": ("timesformer", "Timesformer")}[key]
    torch.manual_seed(0)
    count = kinetics.WORLDS[spec.world]
    network = getattr(builders, name)(count, **small).eval()
    config = getattr(transformers, f"{kind}Config")(num_labels=count, **small)
    library = getattr(transformers, f"{kind}ForVideoClassification")(config).eval()
    for value in library.parameters():
        nn.init.normal_(value, std=0.1)
    old = {_old(key, name): value.clone() for name, value in library.state_dict().items()}
    save_file(old, tmp_path / "model.safetensors")
    names = models.labels(spec.world)
    turned = list(reversed(range(count)))
    (tmp_path / "config.json").write_text(json.dumps({"id2label": {str(row): names[turned[row]] for row in range(count)}}))
    checkpoints.load(spec, network, tmp_path / "model.safetensors")
    clip = torch.randn(1, 3, 8, 32, 32)
    with torch.no_grad():
        found, expected = network(clip), library(clip.transpose(1, 2)).logits  # frames first
    assert expected.std() > 0.1
    assert torch.allclose(found, expected[:, turned], atol=1e-5), "classes by name, not by place"
    (tmp_path / "config.json").write_text(json.dumps({"id2label": {str(row): f"LABEL_{row}" for row in range(count)}}))
    with pytest.raises(ModelError, match="classes"):
        checkpoints.load(spec, network, tmp_path / "model.safetensors")


def _old(key: str, name: str) -> str:
    """A tensor's name in the files on the hub, of its name in today's classes."""
    pairs = {"videomae_b": [("attention.attention.query.bias", "attention.attention.q_bias"),
                            ("attention.attention.value.bias", "attention.attention.v_bias")],
             "vivit_b": [("vivit.layers.", "vivit.encoder.layer."), ("attention.q_proj", "attention.attention.query"),
                         ("attention.k_proj", "attention.attention.key"), ("attention.v_proj", "attention.attention.value"),
                         ("attention.o_proj", "attention.output.dense"), ("mlp.fc1", "intermediate.dense"),
                         ("mlp.fc2", "output.dense")]}.get(key, [])
    for new, old in pairs:
        name = name.replace(new, old)
    return name
