"""Reversible layers: computed back instead of kept."""

from __future__ import annotations

import copy
from dataclasses import replace

import pytest
import torch
from torch import nn

from leaps_core import models
from leaps_core.models.adapter import VideoModel
from leaps_core.models.architectures import rev_mvit


@pytest.mark.parametrize("frames", [4, 8])
def test_reversible_layers_are_computed_back(frames: int) -> None:
    """The same logits, features and gradient as plain autograd, with one layer's activations a run kept."""
    torch.manual_seed(0)
    plan = (("rev", 4), ("down", 2), *[("rev", 2)] * 6, ("down", 1), ("rev", 1), ("rev", 1))
    spec = replace(models.spec("rev_mvit_b"), sources=())
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
        loss = (
            seen.logits[:, 7].sum()
            + seen.temporal[:, :, 0].square().sum()
            + sum((index + 1) * tap.square().sum() for index, tap in enumerate(seen.features))
        )
        loss.backward()
        results.append((seen, clip.grad, sum(kept.values())))
    (one, gradient, all_kept), (other, computed, few_kept) = results
    assert torch.allclose(one.logits, other.logits, atol=1e-5)
    assert all(torch.allclose(a, b, atol=1e-5) for a, b in zip(one.features, other.features, strict=True))
    assert gradient is not None and computed is not None
    assert torch.allclose(gradient, computed, atol=1e-3 * gradient.std().item())
    assert few_kept < all_kept / 2
