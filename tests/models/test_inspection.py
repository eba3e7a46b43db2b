"""What a model is made of, found without weights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from leaps_core import models
from leaps_core.errors import ConfigError, ModelError
from leaps_core.models.inspection import inspect, layers
from tests import tiny


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


def test_taps_have_shapes_channels_timesteps_and_weights() -> None:
    found = inspect(models.spec("tiny"), frames=4, size=48)
    assert found.clip == (4, 48, 48) and found.parameters == sum(p.numel() for p in tiny.TinyNet(0).parameters())
    assert [(tap.name, tap.shape, tap.channels, tap.timesteps, tap.weight) for tap in found.taps] == [
        ("stem", (1, 6, 4, 24, 24), 6, 4, 1.0),
        ("block1", (1, 8, 2, 12, 12), 8, 2, 0.75),
        ("block2", (1, 10, 2, 12, 12), 10, 2, 0.5),
    ]
    assert (found.embedding, found.batch_norms) == (10, 2)
    assert [found.primed(share) for share in (0, 20, 40, 100)] == [0, 0, 1, 3]
    tokens = inspect(models.spec("tiny_tokens"))
    assert [(tap.channels, tap.timesteps) for tap in tokens.taps] == [(8, 8), (8, 8)] and tokens.batch_norms == 0


def test_all_modules_that_are_called_are_listed() -> None:
    found = layers(models.spec("tiny"))
    assert list(found)[:3] == ["stem", "block1.0", "block1.1"]
    assert found["head"] == (1, 16) and found["block2"] == (1, 10, 4, 8, 8)


@pytest.mark.usefixtures("own_registry")
def test_a_softmax_at_the_end_is_told_of() -> None:
    ends: dict[str, tuple[Callable[[Tensor], Tensor], bool]] = {
        "module": (nn.Softmax(1), True),
        "function": (lambda x: functional.softmax(x, 1), True),
        "sigmoid": (torch.sigmoid, True),
        "cast": (lambda x: x.softmax(1).half(), True),
        "logits": (lambda x: x, False),
        "logarithms": (lambda x: x.log_softmax(1), False),
        "on the way": (lambda x: 3 * x.softmax(1), False),
    }
    for name, (end, told) in ends.items():

        class Ends(tiny.TinyNet):
            def forward(self, x: Tensor, end: Callable[[Tensor], Tensor] = end) -> Tensor:
                return end(super().forward(x))

        models.register(models.spec("tiny"), lambda kind=Ends: kind(1))  # type: ignore[misc]
        assert any("probabilities" in said for said in inspect(models.spec("tiny")).notices) == told, name


def test_clips_and_layouts_that_can_not_be_are_told() -> None:
    with pytest.raises(ConfigError, match="multiples of 8"):
        inspect(models.spec("tiny"), size=33)
    with pytest.raises(ModelError, match="'head' gives 1×16, which is not the layout channels_first"):
        inspect(replace(models.spec("tiny"), taps="stem|head"))
