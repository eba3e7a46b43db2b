"""Laid out for speed, networks compute what they did before."""

from __future__ import annotations

import copy
from collections import OrderedDict
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from leaps_core import models, synthesize
from leaps_core.models import formats, loading, registry, weights
from leaps_core.models.adapter import VideoModel, is_folded
from tests import tiny

PUPPETS = ("puppet_csn", "puppet_r50", "puppet_r2plus1d", "puppet_x3d", "puppet_mvit", "puppet_r50_clean")


def plain(key: str) -> VideoModel:
    """A model as it is built, with nothing done to it."""
    record = registry.spec(key)
    return VideoModel(record, registry.network(key), weights.path(record))


def seen(model: VideoModel, clip: Tensor) -> tuple[Tensor, list[Tensor], Tensor]:
    """Logits, all features and statistics, and the gradient of the pixels."""
    clip = clip.clone().requires_grad_(True)
    found = model.observe(clip, statistics=model.shows_statistics)
    shown = [*found.features, *(part for both in found.statistics for part in both)]
    loss = found.logits.log_softmax(1)[:, 0].sum() + sum(part.sum() / part.numel() for part in shown)
    (gradient,) = torch.autograd.grad(loss, clip)
    return found.logits.detach(), [part.detach() for part in shown], gradient


@pytest.mark.parametrize("key", PUPPETS)
def test_float32_gives_the_same(key: str) -> None:
    clip = torch.rand((2, 3, 8, 64, 64), generator=torch.Generator().manual_seed(1))
    expected, found = seen(plain(key), clip), seen(models.load(key), clip)
    assert torch.allclose(expected[0], found[0], atol=1e-4, rtol=1e-4)
    for one, other in zip(expected[1], found[1], strict=True):
        assert torch.allclose(one, other, atol=1e-4, rtol=1e-3)
    assert (expected[2] - found[2]).norm() < 1e-3 * expected[2].norm()


@pytest.mark.parametrize(("key", "verifier"), [("puppet_csn", "puppet_r50"), ("puppet_mvit", "puppet_csn")])
def test_a_run_in_float32_has_the_losses_that_it_would_have_without(
    key: str, verifier: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = {"frames": 8, "size": 64, "coarse": 0.0, "precision": "float32", "device": "cpu", "verifier": verifier}
    config = models.configure(key, "bowling", {**made, "steps": 2, "judge": "none"})
    found = [step.losses for step in synthesize(config)]
    monkeypatch.setattr(loading, "_loaded", {})
    monkeypatch.setattr(formats, "lay_out", lambda model, precision: None)
    plainly = [step.losses for step in synthesize(config)]
    assert len(found) == 2 and found == [pytest.approx(losses, rel=1e-4) for losses in plainly]
    assert found != plainly, "nothing was laid out"


@pytest.mark.parametrize("key", PUPPETS)
def test_bfloat16_gives_nearly_the_same_in_float32_numbers(key: str) -> None:
    clip = torch.rand((1, 3, 8, 64, 64), generator=torch.Generator().manual_seed(1))
    model = models.load(key, precision="bfloat16")
    expected, found = seen(plain(key), clip), seen(model, clip)
    assert model.rounded and found[0].dtype == found[2].dtype == torch.float32
    assert (expected[0] - found[0]).norm() < 0.03 * (expected[0] - expected[0].mean()).norm()
    assert all(one.dtype == torch.float32 for one in found[1])
    cosine = torch.nn.functional.cosine_similarity(expected[2].flatten(), found[2].flatten(), dim=0)
    assert cosine > 0.97
    assert not torch.equal(expected[0], found[0]), "it was float32"


@pytest.mark.parametrize(
    ("kernel", "stride", "padding", "size"),
    [
        ((7, 7, 7), (2, 2, 2), (3, 3, 3), (8, 33, 30)),
        ((1, 7, 7), (1, 2, 2), (0, 3, 3), (4, 31, 32)),
        ((3, 7, 7), (1, 2, 2), (1, 0, 2), (5, 20, 21)),
        ((7, 7), (2, 2), (3, 3), (33, 40)),
        ((9, 8), (3, 2), (0, 1), (31, 40)),
    ],
)
def test_a_strided_convolution_is_the_same_by_blocks(
    kernel: tuple[int, ...], stride: tuple[int, ...], padding: tuple[int, ...], size: tuple[int, ...]
) -> None:
    torch.manual_seed(0)
    conv = (nn.Conv3d if len(kernel) == 3 else nn.Conv2d)(3, 8, kernel, stride, padding)  # type: ignore[arg-type]
    x = torch.rand((2, 3, *size), requires_grad=True)
    expected = conv(x)
    (gradient,) = torch.autograd.grad(expected.square().sum(), x)
    assert formats._by_pixels(conv)
    formats._use_blocks(conv)
    found = conv(x)
    (other,) = torch.autograd.grad(found.square().sum(), x)
    assert "forward" in vars(conv) and found.shape == expected.shape
    assert torch.allclose(found, expected, atol=1e-5) and torch.allclose(other, gradient, atol=1e-4)
    assert set(conv.state_dict()) == {"weight", "bias"}


@pytest.mark.parametrize(
    "conv",
    [
        nn.Conv3d(3, 8, (1, 3, 3), (1, 2, 2)),  # too little to do
        nn.Conv3d(3, 8, 4, 4),  # patches
        nn.Conv3d(3, 8, 7),
        nn.Conv3d(64, 8, 7, 2),
        nn.Conv3d(3, 9, 7, 2, groups=3),
        nn.Conv3d(3, 8, 7, 2, dilation=2),
        nn.Conv3d(3, 8, 7, 2, padding_mode="circular", padding=1),
    ],
)
def test_others_stay_as_they_are(conv: nn.Conv3d) -> None:
    assert not formats._by_pixels(conv)


@pytest.mark.parametrize("activates", [False, True])
def test_a_folded_batch_norm_tells_what_would_have_gone_into_it(activates: bool) -> None:
    model = VideoModel(replace(models.spec("tiny"), taps="features", embedding_layer="features"), Blocks(activates))
    clip = torch.rand((2, 3, 8, 32, 32), generator=torch.Generator().manual_seed(2))
    folded = copy.deepcopy(model)
    formats.lay_out(folded, "float32")
    norms = {name: is_folded(norm) for name, norm in folded.network.named_modules() if isinstance(norm, nn.BatchNorm3d)}
    assert norms == {"first.norm": True, "second.norm.0": True, "steep.norm": False, "tapped_norm": False}
    expected, found = seen(model, clip), seen(folded, clip)
    assert len(expected[1]) == len(found[1]) == 1 + 2 * 4
    for one, other in zip([expected[0], *expected[1]], [found[0], *found[1]], strict=True):
        assert torch.allclose(one, other, atol=1e-5, rtol=1e-4)
    assert (expected[2] - found[2]).norm() < 1e-4 * expected[2].norm()
    assert folded.state_dict().keys() == model.state_dict().keys()
    assert torch.equal(folded.fork()(clip), folded(clip))


@pytest.mark.parametrize("key", [spec.key for spec in models.specs() if spec.batch_norm and "tiny" not in spec.key])
def test_what_is_folded_gets_what_the_convolution_gives(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(formats, "_can_fold", lambda norm: "BatchNorm" in type(norm).__name__)  # whatever its numbers are
    spec, gave, apart = models.spec(key), dict[nn.Module, Tensor](), set[nn.Module]()
    with torch.device("meta"):
        model = VideoModel(replace(spec, weights=None), registry.network(key))
        pairs = formats._pairs(model)
        for conv, norm in pairs:
            conv.register_forward_hook(lambda conv, given, out: gave.__setitem__(conv, out))
            norm.register_forward_pre_hook(
                lambda norm, given, conv=conv: apart.discard(norm) if gave[conv] is given[0] else None
            )
            apart.add(norm)
        model.network(torch.rand(1, 3, spec.frames, spec.size, spec.size))
    assert pairs and not apart


class Blocks(nn.Module):
    """Four convolutions with a batch norm each: two that are folded, one whose scale is too small, one whose output is
    tapped; what comes after writes over what it got."""

    def __init__(self, activates: bool) -> None:
        super().__init__()
        torch.manual_seed(0)
        kind = type(formats.ACTIVATING, (Activating,), {}) if activates else nn.BatchNorm3d
        self.first = nn.Sequential(OrderedDict(conv=nn.Conv3d(3, 8, 3, 2, 1), norm=kind(8), act=nn.ReLU(True)))
        second = nn.Sequential(nn.BatchNorm3d(8), nn.Sigmoid())
        self.second = nn.Sequential(OrderedDict(conv=nn.Conv3d(8, 8, 3, 1, 1, bias=False), norm=second))
        self.steep = nn.Sequential(OrderedDict(conv=nn.Conv3d(8, 8, 1), norm=nn.BatchNorm3d(8)))
        self.features, self.tapped_norm = nn.Conv3d(8, 8, 1), nn.BatchNorm3d(8)
        self.head = nn.Linear(8, 16)
        for module in self.modules():
            if isinstance(module, nn.BatchNorm3d):
                for numbers in (module.running_mean, module.running_var, module.weight.data, module.bias.data):
                    numbers.copy_(torch.rand(8) + 0.5)
        self.steep.norm.weight.data[3] = 1e-3

    def forward(self, x: Tensor) -> Tensor:
        x = self.steep(self.second(self.first(x)))
        return self.head(self.tapped_norm(self.features(x)).mean((2, 3, 4)))


class Activating(nn.BatchNorm3d):
    """A batch norm in the manner of timm's."""

    def __init__(self, channels: int) -> None:
        super().__init__(channels)
        self.drop, self.act = nn.Identity(), nn.Hardswish(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.act(self.drop(super().forward(x)))


class Peeking(tiny.TinyNet):
    """Somebody's network that looks at memory itself."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.view(x.shape[0], -1).view(x.shape))


class Exact(tiny.TinyNet):
    """Somebody's network that needs more digits than bfloat16 has."""

    def forward(self, x: Tensor) -> Tensor:
        return (super().forward(x) * 1e4).sin()


@pytest.mark.parametrize(("build", "precision"), [(Peeking, "float32"), (Peeking, "bfloat16"), (Exact, "bfloat16")])
@pytest.mark.parametrize("has_file", [False, True])
def test_somebodys_network_that_cant_stays_as_it_is(
    own_registry: None, build: type[nn.Module], precision: str, has_file: bool, tmp_path: Path
) -> None:
    if has_file:
        torch.save(build(3).state_dict(), tmp_path / "own.pth")
    file = tmp_path / "own.pth" if has_file else None
    models.register(replace(models.spec("tiny"), key="somebodys", weights=file), lambda: build(3))
    model = models.load("somebodys", precision=precision)
    assert not model.channels_last and not model.rounded
    clip = torch.rand(1, 3, 8, 32, 32)
    assert torch.equal(model(clip), plain("somebodys")(clip))


def test_a_network_that_says_so_keeps_its_digits(own_registry: None) -> None:
    class Says(tiny.TinyNet):
        exact = True

    models.register(replace(models.spec("tiny"), key="somebodys"), lambda: Says(3))
    model = models.load("somebodys", precision="bfloat16")
    assert model.channels_last and not model.rounded


def test_each_precision_is_loaded_once_and_the_weights_stay_what_they_are() -> None:
    before = models.fingerprint(models.spec("tiny"))
    low, full = models.load("tiny", precision="bfloat16"), models.load("tiny")
    assert {p.dtype for m in low.network.modules() if isinstance(m, nn.Conv3d) for p in m.parameters()} == {torch.bfloat16}
    assert {p.dtype for p in full.network.parameters()} == {torch.float32}
    assert models.fingerprint(models.spec("tiny")) == before
    assert models.load("tiny", precision="bfloat16").rounded
