"""What goes wrong silently with published models: one test for each, which fails without its handling."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from pickle import UnpicklingError

import pytest
import torch
from torch import Tensor, nn

from leaps_core import models
from leaps_core.errors import ModelError
from leaps_core.models import checkpoints, kinetics
from leaps_core.models.adapter import VideoModel
from leaps_core.models.rev_mvit import rev_mvit
from leaps_core.models.uniformerv2 import uniformerv2
from tests.models.test_zoo import SPECS

N45 = ((0.45,) * 3, (0.225,) * 3)
IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
TORCHVISION = ((0.43216, 0.394666, 0.37645), (0.22803, 0.22145, 0.216989))
HALF = ((0.5,) * 3, (0.5,) * 3)


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
    checkpoints.load(SPECS[key], ours, tmp_path / "authors.pth")
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
        checkpoints.load(SPECS[key], ours, tmp_path / "mmaction.pth")
        bias = ours.get_submodule("backbone.transformer.proj.2").bias
        assert bias.tolist() == list(range(400))  # type: ignore[operator, union-attr]


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


@pytest.mark.parametrize(("key", "kind", "eps"), [
    ("csn_r50", nn.BatchNorm3d, 1e-3), ("csn_r101", nn.BatchNorm3d, 1e-5), ("s3d", nn.BatchNorm3d, 1e-3),
    ("slow_r50", nn.BatchNorm3d, 1e-5), ("rev_mvit_b", nn.LayerNorm, 1e-6), ("mvitv2_b", nn.LayerNorm, 1e-6),
    ("swin_b", nn.LayerNorm, 1e-5), ("uniformerv2_b16_8", nn.LayerNorm, 1e-5), ("timesformer", nn.LayerNorm, 1e-6),
    ("vivit_b", nn.LayerNorm, 1e-6)])
def test_norms_have_the_published_eps(key: str, kind: type[nn.Module], eps: float) -> None:
    with torch.device("meta"):
        found = {module.eps for module in models.network(key).modules() if isinstance(module, kind)}
    assert found == {eps}


def test_swin_b_is_the_one_of_the_paper() -> None:
    spec = SPECS["swin_b"]
    assert "22k" in spec.sources[0].url and (spec.frames, spec.stride) == (32, 2)


@pytest.mark.parametrize(("code", "keys"), [
    (N45, ("slow_r50", "r2plus1d_r50", "csn_r101", "x3d_xs", "x3d_s", "x3d_m", "x3d_l", "timesformer", "mvitv2_s", "mvitv2_b",
           "rev_mvit_b", "uniformerv2_b16_8", "uniformerv2_l14_8", "uniformerv2_l14_16", "mvit_v1_b", "hiera_b")),
    (IMAGENET, ("csn_r50", "swin_t", "swin_s", "swin_b", "videomae_b", "vjepa2_l_ssv2")),
    (TORCHVISION, ("r3d_18", "mc3_18", "r2plus1d_18", "s3d")), (HALF, ("vivit_b",))])
def test_each_model_is_normalised_as_it_was_trained(code: tuple[tuple[float, ...], tuple[float, ...]],
                                                    keys: tuple[str, ...]) -> None:
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


def test_a_tap_that_never_runs_is_an_error() -> None:
    """torchvision's Swin reads its qkv layer's weights and never calls the layer."""
    spec = replace(SPECS["swin_t"], taps=r"features\.0\.0\.attn\.qkv|features\.0\.0")
    model = VideoModel(spec, models.network("swin_t"))
    with pytest.raises(ModelError, match=r"never runs.*features\.0\.0\.attn\.qkv"):
        model.observe(torch.rand(1, 3, 4, 64, 64))


def test_a_layer_that_runs_twice_counts_once() -> None:
    """rev-MViT norms queries and shortcut with the same layer at transitions."""
    spec = replace(SPECS["rev_mvit_b"], taps=r".*F\.norm", embedding_layer="rev_backbone.layers.1.F.attn.norm_q")
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
        self.stem, self.norm = nn.Conv3d(3, 4, 1), nn.BatchNorm3d(4)

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
    spec = replace(SPECS["r3d_18"], taps=r"layer1\.0\.conv1\.1", embedding_layer="layer1.0.conv1.1", sources=())
    torch.manual_seed(0)
    model = VideoModel(spec, models.network("r3d_18"))
    clip = torch.rand(1, 3, 4, 32, 32)
    with torch.no_grad():
        before = model.network.get_submodule("layer1.0.conv1.0")(model.network.get_submodule("stem")(model.normalise(clip)))
        expected = model.network.get_submodule("layer1.0.conv1.1")(before).mean((2, 3, 4))
        seen = model.observe(clip)
    assert (expected < 0).any() and torch.allclose(seen.features[0], expected, atol=1e-5)


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


@pytest.mark.parametrize("key", ["slow_r50", "csn_r50", "x3d_xs", "s3d"])
def test_small_clips_pass_heads_that_were_made_for_large_ones(key: str) -> None:
    network = models.network(key).eval()
    with torch.no_grad():
        assert network(torch.randn(1, 3, SPECS[key].min_frames, 64, 64)).shape == (1, 400)


def test_files_of_other_models_and_classes_are_refused(tmp_path: Path) -> None:
    path, network = tmp_path / "file.pth", models.network("x3d_xs")
    with pytest.raises(ModelError, match="missing"):
        checkpoints.load(SPECS["x3d_xs"], network, path)
    torch.save({"model_state": models.network("x3d_m").state_dict() | {"blocks.6.weight": torch.zeros(2)}}, path)
    with pytest.raises(ModelError, match=r"1 are left over: blocks\.6\.weight"):
        checkpoints.load(SPECS["x3d_xs"], network, path)
    torch.save({"model_state": models.network("r3d_18").state_dict()}, path)
    with pytest.raises(ModelError, match="another model's file"):
        checkpoints.load(SPECS["x3d_xs"], network, path)
    wide = network.state_dict()
    wide["blocks.5.proj.weight"], wide["blocks.5.proj.bias"] = torch.zeros(600, 2048), torch.zeros(600)
    torch.save({"model_state": wide}, path)
    with pytest.raises(ModelError, match=r"shape 600.*expected 400"):
        checkpoints.load(SPECS["x3d_xs"], network, path)
    torch.save([1, 2], path)
    with pytest.raises(ModelError, match="no tensors"):
        checkpoints.load(SPECS["x3d_xs"], network, path)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ModelError, match="damaged"):
        checkpoints.load(SPECS["x3d_xs"], network, path)


class Hostile:
    """What a pickle may do when it is read."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return Path.touch, (self.mark,)


def test_code_in_a_file_is_never_run(tmp_path: Path) -> None:
    torch.save({"model_state": Hostile(tmp_path / "ran")}, tmp_path / "hostile.pth")
    with pytest.raises(ModelError, match=r"refused: .*\(getattr\).* could run code\. Get"):
        checkpoints.read(tmp_path / "hostile.pth")
    assert not (tmp_path / "ran").exists()


def test_damaged_files_are_told_whatever_the_reader_trips_over(tmp_path: Path) -> None:
    """torch's reader of the older format raises IndexError, struct.error, EOFError, RuntimeError, AssertionError ..."""
    path = tmp_path / "old.pth"
    torch.save({"epoch": 1, "state_dict": nn.Linear(3, 4).state_dict()}, path, _use_new_zipfile_serialization=False)
    whole = path.read_bytes()
    assert checkpoints.read(path).keys() == {"weight", "bias"}
    causes = set()
    for length in (0, 1, 18, *range(20, len(whole), 25), len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(ModelError) as raised:
            checkpoints.read(path)
        cause = raised.value.__cause__
        causes.add(type(cause).__name__)  # a name that is cut off is one that isn't allowed
        said = "refused" if isinstance(cause, UnpicklingError) else "not a checkpoint, or damaged"
        assert said in str(raised.value), length
    assert {"IndexError", "error", "EOFError", "RuntimeError"} <= causes
    path.write_text("<!DOCTYPE html><html>Sign in</html>")
    with pytest.raises(ModelError, match=r"old\.pth is not a checkpoint, or damaged \(it begins neither"):
        checkpoints.read(path)


def test_half_precision_becomes_single(tmp_path: Path) -> None:
    network = models.network("x3d_xs")
    half = {name: value.half() if value.is_floating_point() else value for name, value in network.state_dict().items()}
    torch.save({"model_state": half}, tmp_path / "half.pth")
    loaded = checkpoints.fit(SPECS["x3d_xs"], network, tmp_path / "half.pth")
    assert {value.dtype for value in loaded.values()} == {torch.float32}


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


def test_labels_files_hold_the_same_classes() -> None:
    assert sorted(kinetics.labels("kinetics400_uniformerv2")) == list(kinetics.labels("kinetics400"))
