"""The networks of the libraries, as they are built here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from leaps_core import models
from leaps_core.models import bundled
from leaps_core.models.adapter import VideoModel
from leaps_core.models.architectures import builders


@pytest.mark.parametrize("key", bundled.BUILDERS)
def test_builders_give_logits_at_any_size(key: str) -> None:
    step = bundled.RECORDS[key].size_step
    torch.manual_seed(0)
    network = bundled.BUILDERS[key]().eval()
    with torch.no_grad():
        for t, size in ((8, 4 * step), (16, 8 * step)):
            logits = network(torch.rand(2, 3, t, size, size))
            assert logits.shape == (2, 16) and not torch.allclose(logits.sum(1), torch.ones(2), atol=1e-3), "no softmax"


def test_builders_keep_the_published_depth_unless_told() -> None:
    blocks = [name for name, _ in builders.resnet3d(16, 8).named_modules() if name.split(".")[-2:-1] == ["res_blocks"]]
    assert len(blocks) == 3 + 4 + 6 + 3, "R50 has 17 taps with its stem"


def test_hiera_loads_a_published_file_gives_logits_and_its_moments_are_told_apart(tmp_path: Path) -> None:
    """The library's own class gives probabilities in eval mode; its `reroll` puts tokens back in their places."""
    from hiera import hiera_base_16x224

    torch.manual_seed(0)
    library = hiera_base_16x224().eval()
    nn.init.normal_(library.head.projection.weight, std=0.2)  # it starts close to 0, where all classes look alike
    torch.save({"epoch": 1, "model_state": library.state_dict(), "optimizer_state": {}}, tmp_path / "published.pth")
    model = VideoModel(models.spec("hiera_b"), models.network("hiera_b"), tmp_path / "published.pth")
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


@pytest.mark.parametrize("key", ["x3d_xs", "x3d_s", "x3d_m", "r2plus1d_r50", "slow_r50", "rev_mvit_b", "mvitv2_s"])
def test_networks_give_logits_not_probabilities(key: str) -> None:
    """Several published classes apply softmax in eval mode, on which cross entropy applies it again."""
    network = models.network(key).eval()
    with torch.no_grad():
        logits = network(torch.randn(1, 3, 4, 64, 64))
    assert logits.min() < 0 and abs(logits.sum().item() - 1) > 1e-3


@pytest.mark.parametrize("key", ["csn_r50", "csn_r101"])
def test_csn_has_the_stem_pool_that_its_weights_do_not_show(key: str) -> None:
    network = models.network(key).eval()
    with torch.no_grad():
        assert network.get_submodule("blocks.0")(torch.randn(1, 3, 4, 64, 64)).shape == (1, 64, 4, 16, 16)


@pytest.mark.parametrize(
    ("key", "kind", "eps"),
    [
        ("csn_r50", nn.BatchNorm3d, 1e-3),
        ("csn_r101", nn.BatchNorm3d, 1e-5),
        ("s3d", nn.BatchNorm3d, 1e-3),
        ("slow_r50", nn.BatchNorm3d, 1e-5),
        ("rev_mvit_b", nn.LayerNorm, 1e-6),
        ("mvitv2_b", nn.LayerNorm, 1e-6),
        ("swin_b", nn.LayerNorm, 1e-5),
        ("uniformerv2_b16_8", nn.LayerNorm, 1e-5),
        ("timesformer", nn.LayerNorm, 1e-6),
        ("vivit_b", nn.LayerNorm, 1e-6),
    ],
)
def test_norms_have_the_published_eps(key: str, kind: type[nn.Module], eps: float) -> None:
    with torch.device("meta"):
        found = {module.eps for module in models.network(key).modules() if isinstance(module, kind)}
    assert found == {eps}


@pytest.mark.parametrize("key", ["slow_r50", "csn_r50", "x3d_xs", "s3d"])
def test_small_clips_pass_heads_that_were_made_for_large_ones(key: str) -> None:
    network = models.network(key).eval()
    with torch.no_grad():
        assert network(torch.randn(1, 3, models.spec(key).min_frames, 64, 64)).shape == (1, 400)


def test_positions_of_other_sizes_are_those_of_the_reference() -> None:
    """MViTv1 has tables for one size: a smooth table stays what it is, resized."""
    network = models.network("mvit_v1_b").eval()
    places = network.get_submodule("network.pos_encoding")
    ramp = torch.arange(56.0)
    places.spatial_pos.data = (ramp[:, None] + 0 * ramp).reshape(-1, 1).expand(-1, 96).clone()  # type: ignore[union-attr]
    places.temporal_pos.data.zero_()  # type: ignore[union-attr, operator]
    seen: list[Tensor] = []
    places.register_forward_hook(lambda module, inputs, output: seen.append(output[:, 1:] - inputs[0]))
    with torch.no_grad():
        network(torch.zeros(1, 3, 4, 112, 112))
        network(torch.zeros(1, 3, 16, 224, 224)[:, :, :, :64, :64])
    added = seen[0][0].unflatten(0, (2, 28, 28))[..., 0]
    assert torch.allclose(added[0, 2:-2, 0], ramp[:56].view(28, 2).mean(1)[2:-2], atol=0.3), "rows keep their places"
    assert torch.allclose(added[:, :, 0], added[:, :, 20]) and seen[1].shape[1] == 8 * 16 * 16
    assert places.spatial_size == (56, 56)
