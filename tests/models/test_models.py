"""The registry."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from leaps_core import models
from leaps_core.errors import ModelError
from leaps_core.models.spec import ModelSpec
from tests import tiny

tiny.register()
CLIP = torch.rand(2, 3, 8, 32, 32, generator=torch.Generator().manual_seed(0))


def test_loaded_models_are_frozen_and_share_tensors_but_not_modules() -> None:
    one, other = models.load("tiny"), models.load("tiny")
    assert not one.training and not any(p.requires_grad for p in one.parameters())
    assert one.network.stem is not other.network.stem
    assert one.network.stem.weight.data_ptr() == other.network.stem.weight.data_ptr()
    assert torch.equal(one(CLIP), other(CLIP))
    one.requires_grad_(True)
    assert not any(p.requires_grad for model in (other, models.load("tiny")) for p in model.parameters())


def test_registering_needs_labels_once() -> None:
    spec = ModelSpec("mine", "Mine", "own", "elsewhere", 8, 32, r"stem", "stem", size_step=8)
    with pytest.raises(ModelError, match="labels"):
        models.register(spec, lambda: nn.Identity())
    models.register(spec, lambda: tiny.TinyNet(9), labels=("jump", "run"))
    assert models.labels("elsewhere") == ("jump", "run") and models.spec("mine") in models.specs()
