"""UniFormerV2: its classes and its frames."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from leaps_core import models
from leaps_core.models import checkpoints
from leaps_core.models.architectures import uniformerv2


def small_uniformer() -> nn.Module:
    """With the published classes, and no more than that."""
    return uniformerv2(400, 32, 2, 4, 16, 32, 2)


@pytest.mark.parametrize("key", ["uniformerv2_b16_8", "uniformerv2_l14_8", "uniformerv2_l14_16"])
def test_classes_of_uniformerv2_are_put_in_the_worlds_order(key: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    theirs, ours = small_uniformer(), small_uniformer()
    head = theirs.get_submodule("backbone.transformer.proj.2")
    head.bias.data = torch.arange(400.0)  # type: ignore[union-attr]
    torch.save(theirs.state_dict(), tmp_path / "authors.pth")
    checkpoints.load(models.spec(key), ours, tmp_path / "authors.pth")
    loaded = ours.get_submodule("backbone.transformer.proj.2")
    rows = loaded.bias.tolist()  # type: ignore[operator, union-attr]
    assert (rows[0], rows[169], rows[399]) == (341, 262, 331), "abseiling, juggling balls, zumba"
    assert sorted(rows) == list(range(400)) and all(row != place for place, row in enumerate(rows))
    assert torch.equal(loaded.weight[169], head.weight[262])  # type: ignore[index]


def test_classes_of_uniformerv2_at_mmaction_are_in_the_worlds_order_already(tmp_path: Path) -> None:
    theirs, ours = small_uniformer(), small_uniformer()
    theirs.get_submodule("backbone.transformer.proj.2").bias.data = torch.arange(400.0)  # type: ignore[union-attr]
    names = {"backbone.transformer.proj.0.": "backbone.transformer.norm.", "backbone.transformer.proj.2.": "cls_head.fc_cls."}
    state = {}
    for name, value in theirs.state_dict().items():
        for own, published in names.items():
            name = name.replace(own, published)
        state[name] = value
    torch.save({"meta": {}, "state_dict": state}, tmp_path / "mmaction.pth")
    for key in ("uniformerv2_b16_8", "uniformerv2_l14_8"):
        checkpoints.load(models.spec(key), ours, tmp_path / "mmaction.pth")
        bias = ours.get_submodule("backbone.transformer.proj.2").bias
        assert bias.tolist() == list(range(400))  # type: ignore[operator, union-attr]


def test_twice_the_frames_are_one_longer_clip() -> None:
    """The authors' 8-frame UniFormerV2 takes 16 frames for a batch of two clips."""
    torch.manual_seed(0)
    network = small_uniformer().eval()
    clip = torch.randn(2, 3, 16, 32, 32)
    with torch.no_grad():
        logits = network(clip)
        assert logits.shape == (2, 400)
        assert torch.allclose(logits[1:], network(clip[1:]), atol=1e-5)
        assert not torch.allclose(logits[:1], network(clip[:1, :, :8]), atol=1e-3), "the later frames count"
