"""What a model shows of a clip: taps, statistics, embeddings."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from leaps_core import models
from leaps_core.errors import ModelError
from leaps_core.models.adapter import VideoModel
from leaps_core.models.architectures import rev_mvit, uniformerv2
from leaps_core.models.spec import ModelSpec
from tests import tiny

CLIP = torch.rand(2, 3, 8, 32, 32, generator=torch.Generator().manual_seed(0))


def test_observe_equals_means_taken_by_hand() -> None:
    model = models.load("tiny")
    seen = model.observe(CLIP, statistics=True)
    with torch.no_grad():
        stem = model.network.stem((CLIP - 0.45) / 0.225)
        block1 = model.network.block1(stem)
        block2 = model.network.block2(block1)
    assert torch.allclose(seen.logits, model(CLIP))
    for found, expected in zip(seen.features, (stem, block1, block2), strict=True):
        assert torch.allclose(found, expected.mean((2, 3, 4)), atol=1e-5)
    assert torch.allclose(seen.temporal, block2.mean((3, 4)), atol=1e-5)
    assert torch.allclose(seen.embedding, block2.mean((2, 3, 4)), atol=1e-5)
    for (mean, variance), layer_input in zip(seen.statistics, (stem, block1), strict=True):
        assert torch.allclose(mean, layer_input.mean((2, 3, 4)), atol=1e-5), "of the input, per clip"
        assert torch.allclose(variance, layer_input.var((2, 3, 4), unbiased=False), atol=1e-5)
    assert torch.equal(seen.running[0][0], model.network.block1[0].running_mean)


def test_token_models_average_over_tokens_without_the_class_token() -> None:
    model = models.load("tiny_tokens")
    seen = model.observe(CLIP)
    with torch.no_grad():
        tokens = model.network.stem((CLIP - 0.45) / 0.225)
        by_hand = tokens[:, 1:].unflatten(1, (16, 8))  # (B, places, T, C)
    assert torch.allclose(seen.features[0], by_hand.mean((1, 2)), atol=1e-5)
    assert seen.features[0].abs().max() < 50, "the class token, about 100, is left out"
    with torch.no_grad():
        after = model.network.block1(tokens)[:, 1:].unflatten(1, (16, 8))
    assert torch.allclose(seen.temporal, after.mean(1).transpose(1, 2), atol=1e-5)


def test_statistics_of_a_model_that_recomputes_have_a_gradient() -> None:
    gradients = []
    for recompute in (False, True):
        model = models.load("tiny")
        model.spec = replace(model.spec, recompute=recompute)
        clip = CLIP.clone().requires_grad_()
        seen = model.observe(clip, statistics=True)
        sum(mean.sum() + variance.sum() for mean, variance in seen.statistics).backward()  # type: ignore[union-attr]
        gradients.append(clip.grad)
    assert torch.equal(*gradients) and gradients[0].abs().max() > 0


def test_hooks_are_gone_after_an_error() -> None:
    model = models.load("tiny")
    with pytest.raises(ModelError):
        model.observe(torch.rand(1, 5, 8, 32, 32), statistics=True)
    assert all(not module._forward_hooks and not module._forward_pre_hooks for module in model.modules())


def test_own_normalisation_is_used() -> None:
    spec = models.load("tiny_verifier").spec
    assert spec.mean == (0.5, 0.5, 0.5)
    model = models.load("tiny_verifier")
    assert torch.allclose(model.normalise(torch.ones(1, 3, 1, 1, 1)), torch.full((1, 3, 1, 1, 1), 2.0))


def test_taps_that_do_not_exist_are_refused() -> None:
    with pytest.raises(ModelError, match="taps"):
        VideoModel(ModelSpec("x", "X", "tiny", "puppets", 8, 32, r"nowhere", "stem"), tiny.TinyNet(0))


@pytest.mark.parametrize("key", ["x3d_xs", "rev_mvit_b", "swin_t", "mvitv2_s", "timesformer", "videomae_b"])
def test_features_are_means_over_space_and_time(key: str) -> None:
    """By hand from the tap's full output: an axis too many or too few changes the mean."""
    spec = models.spec(key)
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
            by_hand = value[:, int(spec.class_token) :].mean(1)
        else:
            by_hand = value.mean((1, 2, 3) if spec.layout == "channels_last" else (2, 3, 4))
        assert torch.allclose(found, by_hand, atol=1e-5), name
    assert seen.temporal is not None and torch.allclose(seen.temporal.mean(2), seen.features[-1], atol=1e-5)


def test_moments_are_told_apart_in_every_layout() -> None:
    """What changes the last frames of one clip of a batch changes the later moments of that clip only."""
    for key in ("timesformer", "videomae_b", "mvitv2_s", "uniformerv2_b16_8"):
        spec = models.spec(key)
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
        assert not changed[0].any() and not changed[1, : later - 1].any() and changed[1, -1], key


def test_recomputing_blocks_gives_the_same_gradient_with_less_kept() -> None:
    spec = replace(models.spec("mvitv2_s"), sources=(), recompute=False)
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


def test_a_tap_that_never_runs_is_an_error() -> None:
    """torchvision's Swin reads its qkv layer's weights and never calls the layer."""
    spec = replace(models.spec("swin_t"), taps=r"features\.0\.0\.attn\.qkv|features\.0\.0")
    model = VideoModel(spec, models.network("swin_t"))
    with pytest.raises(ModelError, match=r"never runs.*features\.0\.0\.attn\.qkv"):
        model.observe(torch.rand(1, 3, 4, 64, 64))


def test_a_layer_that_runs_twice_counts_once() -> None:
    """rev-MViT norms queries and shortcut with the same layer at transitions."""
    spec = replace(models.spec("rev_mvit_b"), taps=r".*F\.norm", embedding_layer="rev_backbone.layers.1.F.attn.norm_q")
    model = VideoModel(spec, rev_mvit(400, 8, (("rev", 2), ("down", 1)), 4, 64))
    runs = []
    layer = model.network.get_submodule(spec.embedding_layer)
    layer.register_forward_hook(lambda module, inputs, output: runs.append(output))
    model._grid = lambda value, t: value.flatten(0, -2).mT[None, :, None]  # type: ignore[method-assign]
    seen = model.observe(torch.rand(1, 3, 4, 64, 64))
    assert len(runs) == 2 and len(seen.features) == 2
    assert seen.embedding is not None and torch.equal(seen.embedding[0], runs[1].flatten(0, -2).mean(0)), "the last run"


class Shared(nn.Module):
    """One batch norm, used twice."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, self.norm = nn.Conv3d(3, 16, 1), nn.BatchNorm3d(16)

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm(self.stem(x))
        return self.norm(x + 1).mean((2, 3, 4))


def test_a_batch_norm_that_runs_twice_gives_one_statistic() -> None:
    spec = models.ModelSpec("shared", "Shared", "own", "puppets", 4, 16, "stem", "stem")
    seen = VideoModel(spec, Shared()).observe(torch.rand(1, 3, 4, 16, 16), statistics=True)
    assert len(seen.statistics) == len(seen.running) == 1
    assert (seen.statistics[0][0] > 0.9).any(), "of the last run"


def test_operations_in_place_do_not_change_what_was_seen() -> None:
    """torchvision's ReLUs overwrite the output of the batch norm before them."""
    spec = replace(models.spec("r3d_18"), taps=r"layer1\.0\.conv1\.1", embedding_layer="layer1.0.conv1.1", sources=())
    torch.manual_seed(0)
    model = VideoModel(spec, models.network("r3d_18"))
    clip = torch.rand(1, 3, 4, 32, 32)
    with torch.no_grad():
        before = model.network.get_submodule("layer1.0.conv1.0")(model.network.get_submodule("stem")(model.normalise(clip)))
        expected = model.network.get_submodule("layer1.0.conv1.1")(before).mean((2, 3, 4))
        seen = model.observe(clip)
    assert (expected < 0).any() and torch.allclose(seen.features[0], expected, atol=1e-5)


class Odd(nn.Module):
    """A network of somebody else: `give` turns what it found, (B, 16), into what it returns."""

    def __init__(self, give: Callable[[Tensor], Any] = lambda x: x, norm: type[nn.Module] = nn.BatchNorm3d) -> None:
        super().__init__()
        self.stem, self.norm, self.give = nn.Conv3d(3, 16, 3, 2, 1), norm(16), give
        self.pair = Pair()

    def forward(self, x: Tensor) -> Any:
        return self.give(self.pair(self.norm(self.stem(x)))[0].mean((2, 3, 4)))


class Pair(nn.Module):
    """Gives a list."""

    def forward(self, x: Tensor) -> list[Tensor]:
        return [x, x + 1]


def odd(taps: str = "stem", **given: Any) -> VideoModel:
    return VideoModel(models.ModelSpec("odd", "Odd", "own", "puppets", 4, 16, taps, "stem"), Odd(**given))


@pytest.mark.parametrize(
    ("give", "sentence"),
    [
        (lambda x: {"logits": x}, "gives a dict for 2 clips; expected logits .B, K. of 2×16"),
        (lambda x: x[0], "gives 16 for 2 clips"),
        (lambda x: x[:, :9], "gives 2×9 for 2 clips; .* a number for each label"),
        (lambda x: x[..., None].expand(2, 16, 4), "gives 2×16×4 for 2 clips"),
        (lambda x: x @ torch.ones(3, 16), "can't take a clip of 2×3×4×16×16 .B, 3, T, H, W.: RuntimeError: mat"),
    ],
)
def test_what_is_no_logits_is_told(give: Callable[[Tensor], Any], sentence: str) -> None:
    with pytest.raises(ModelError, match=sentence):
        odd(give=give)(torch.rand(2, 3, 4, 16, 16))


def test_any_module_with_running_statistics_is_a_batch_norm() -> None:
    clip = torch.rand(1, 3, 4, 16, 16)
    assert len(odd(norm=nn.SyncBatchNorm).observe(clip, statistics=True).statistics) == 1
    assert not odd(norm=partial(nn.GroupNorm, 2)).observe(clip, statistics=True).statistics


def test_of_a_list_the_first_is_tapped_and_what_has_no_layout_is_told() -> None:
    assert odd("stem|pair").observe(torch.rand(1, 3, 4, 16, 16)).features[1].shape == (1, 16)
    model = VideoModel(replace(models.spec("tiny"), taps="stem|head"), tiny.TinyNet(1))
    with pytest.raises(ModelError, match="its module 'head' gives 1×16, which is not the layout channels_first"):
        model.observe(torch.rand(1, 3, 8, 32, 32))


def test_networks_in_bfloat16_give_floats() -> None:
    model = VideoModel(models.spec("tiny"), tiny.TinyNet(1).bfloat16())
    model.normalise = lambda clip: clip.bfloat16()  # type: ignore[method-assign]
    seen = model.observe(torch.rand(1, 3, 8, 32, 32))
    assert seen.logits.dtype == seen.features[0].dtype == seen.temporal.dtype == seen.embedding.dtype == torch.float32


def test_networks_that_take_one_clip_at_a_time_embed_several() -> None:
    def one(x: Tensor) -> Tensor:
        assert len(x) == 1, "one at a time"
        return x

    clips, model = torch.rand(3, 3, 4, 16, 16), odd(give=one)
    assert np.array_equal(model.embed(clips), np.concatenate([model.embed(clip[None]) for clip in clips]))
