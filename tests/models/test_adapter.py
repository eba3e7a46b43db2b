"""What a model shows of a clip: taps, statistics, embeddings; and weights that fit or not."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from safetensors.torch import save_file

from leaps_core import models
from leaps_core.errors import ModelError
from leaps_core.models.adapter import VideoModel
from leaps_core.models.spec import ModelSpec
from leaps_core.puppets.zoo import RECIPES, build
from tests import tiny

tiny.register()
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
    with pytest.raises(RuntimeError):
        model.observe(torch.rand(1, 5, 8, 32, 32), statistics=True)
    assert all(not module._forward_hooks and not module._forward_pre_hooks for module in model.modules())


def test_own_normalisation_is_used() -> None:
    spec = models.load("tiny_verifier").spec
    assert spec.mean == (0.5, 0.5, 0.5)
    model = models.load("tiny_verifier")
    assert torch.allclose(model.normalise(torch.ones(1, 3, 1, 1, 1)), torch.full((1, 3, 1, 1, 1), 2.0))


def test_weights_that_do_not_fit_are_refused(tmp_path) -> None:  # type: ignore[no-untyped-def]
    spec = ModelSpec("bad", "Bad", "tiny", "puppets", 8, 32, r"stem", "stem", weights=tmp_path / "bad.safetensors")
    with pytest.raises(ModelError, match="missing"):
        VideoModel(spec, tiny.TinyNet(0))
    save_file({"other": torch.zeros(3)}, spec.weights)
    with pytest.raises(ModelError, match="doesn't hold"):
        VideoModel(spec, tiny.TinyNet(0))
    spec.weights.write_bytes(b"not a weights file")
    with pytest.raises(ModelError, match="damaged"):
        VideoModel(spec, tiny.TinyNet(0))


def test_half_precision_weights_load_as_single(tmp_path) -> None:  # type: ignore[no-untyped-def]
    network = tiny.TinyNet(0)
    path = tmp_path / "half.safetensors"
    weights = network.state_dict()
    save_file({name: value.half() if value.is_floating_point() else value for name, value in weights.items()}, path)
    model = VideoModel(ModelSpec("half", "Half", "tiny", "puppets", 8, 32, r"stem", "stem", weights=path), tiny.TinyNet(5))
    assert model.network.stem.weight.dtype == torch.float32
    assert torch.allclose(model.network.stem.weight, network.stem.weight, atol=1e-3)


def test_taps_that_do_not_exist_are_refused() -> None:
    with pytest.raises(ModelError, match="taps"):
        VideoModel(ModelSpec("x", "X", "tiny", "puppets", 8, 32, r"nowhere", "stem"), tiny.TinyNet(0))


@pytest.mark.parametrize("key", [key for key, recipe in RECIPES.items() if recipe.role == "model"])
def test_taps_are_the_stem_and_every_block(key: str) -> None:
    recipe = RECIPES[key]
    spec = ModelSpec(key, key, recipe.family, "puppets", 16, 112, recipe.taps, recipe.embedding_layer, layout=recipe.layout,
                     tubelet=recipe.tubelet)
    model = VideoModel(spec, build(recipe))
    size = 4 * recipe.size_step
    seen = model.observe(torch.rand(1, 3, 16, size, size))
    expected = 1 + sum(recipe.depths or (1, 1, 1, 1))
    assert len(model.taps) == len(seen.features) == expected
    assert seen.temporal is not None and seen.temporal.shape[2] >= 4, "coherence needs distant moments"
    assert seen.embedding is not None
