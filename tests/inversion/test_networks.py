"""Model, verifier and judge at work: what each sees, how often, and that nothing is left of it."""

from __future__ import annotations

import threading
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from leaps_core import models
from leaps_core.errors import ModelError
from leaps_core.inversion.control import Control
from leaps_core.inversion.loop import synthesize
from leaps_core.inversion.objective import Seen, Targets
from leaps_core.inversion.plan import make_plan
from leaps_core.models.adapter import VideoModel, are_probabilities
from leaps_core.models.architectures.frames import OfFrames
from tests import tiny
from tests.inversion.helpers import config, run

pytestmark = pytest.mark.usefixtures("own_registry")


def test_several_stimuli_are_averaged() -> None:
    one, other, both = (
        run(stimuli=names, steps=1)[0].losses["priming"]
        for names in (("bundled:1",), ("bundled:2",), ("bundled:1", "bundled:2"))
    )
    assert both != one and both != other


@pytest.fixture(autouse=True, scope="module")
def loaded() -> None:
    """A network that isn't ours is tried when it is loaded first; those passes don't count here."""
    for key in ("tiny", "tiny_verifier", "tiny_judge"):
        models.load(key)


def test_the_judge_sees_coarse_and_odd_clips_at_its_own_size(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    forward = VideoModel.forward
    monkeypatch.setattr(
        VideoModel,
        "forward",
        lambda self, clip: (seen.append(tuple(clip.shape[2:])) if self.spec.role == "judge" else None, forward(self, clip))[1],
    )
    steps = run(steps=4, coarse=0.5, frames=4, size=48)
    assert steps[0].clip.shape[2:] == (4, 24, 24) and len(seen) == 5 and set(seen) == {(8, 32, 32)}


def test_model_and_verifier_run_once_a_step_each(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    forward = VideoModel.forward
    monkeypatch.setattr(VideoModel, "forward", lambda self, clip: (calls.append(self.spec.key), forward(self, clip))[1])
    stream = synthesize(config(judge="none", coarse=0.0))
    next(stream)
    calls.clear()
    next(stream)
    assert calls == ["tiny", "tiny_verifier"], "the verifier is another network than the model"


@pytest.mark.parametrize("verifier", ["tiny_verifier", "self"])
def test_a_verifier_that_looks_at_every_third_step_stands_by_what_it_found(
    verifier: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    forward = VideoModel.forward
    monkeypatch.setattr(VideoModel, "forward", lambda self, clip: (calls.append(self.spec.key), forward(self, clip))[1])
    asked = {"verifier": verifier, "judge": "none", "coarse": 0.0}
    steps, looked = [], []
    for step in synthesize(config(**asked, verify_every=3, steps=7)):
        steps.append(step)
        looked.append(calls[-1] == "tiny_verifier" and step.index < 7)
        calls.clear()
    assert looked == [verifier != "self" and index in (0, 3) for index in range(7)]
    found = [(step.losses["diversity"], step.probabilities["verifier"]) for step in steps]
    assert found[0] == found[1] == found[2] != found[3] == found[4] == found[5] != found[6]
    each, third = (make_plan(config(**asked, verify_every=every)).estimate for every in (1, 3))
    assert third.memory == each.memory
    assert third.seconds == each.seconds if verifier == "self" else third.seconds < each.seconds


def test_every_tap_receives_gradient() -> None:
    model = models.load("tiny")
    clip = torch.rand(1, 3, 8, 32, 32)
    with torch.no_grad():
        targets = [tap + 1 for tap in model.observe(clip).features]
    seen = model.observe(clip.requires_grad_(True))
    for tap in seen.features:
        tap.retain_grad()
    Seen(config(), Targets(0, targets), clip, clip, seen.logits, seen.features, None, []).priming().backward()
    assert len(seen.features) == 3 and all(tap.grad.abs().sum() > 0 for tap in seen.features)


def test_the_stimulus_is_normalised_like_the_clip(monkeypatch: pytest.MonkeyPatch) -> None:
    inputs: list[tuple[str, float]] = []
    network = tiny.TinyNet.forward
    monkeypatch.setattr(tiny.TinyNet, "forward", lambda self, x: (inputs.append(("", x.mean().item())), network(self, x))[1])
    white = np.full((1, 8, 32, 32, 3), 255, np.uint8)
    next(synthesize(config(verifier="none", judge="none", coarse=0.0), stimulus=white))
    assert inputs[0][1] == pytest.approx((1 - 0.45) / 0.225), "the first pass sees the stimulus, normalised"


def _grouped() -> nn.Module:
    """A network without batch norm."""
    network = tiny.TinyNet(5)
    network.block1[0], network.block2[0] = nn.GroupNorm(2, 6), nn.GroupNorm(2, 8)
    return network


def test_a_verifier_without_batch_norm_is_refused_whatever_its_record_says() -> None:
    models.register(models.spec("tiny_verifier"), _grouped)
    with pytest.raises(ModelError, match="“tiny_verifier” has no batch norm that can be watched.* can't be the verifier"):
        next(synthesize(config()))


def test_one_that_was_found_by_itself_is_left_out_and_that_is_said() -> None:
    models.register(replace(models.spec("tiny"), default_verifier="tiny_verifier"), lambda: tiny.TinyNet(1))
    models.register(models.spec("tiny_verifier"), _grouped)
    first = next(synthesize(config(verifier="auto")))
    assert "diversity" not in first.losses and first.probabilities["verifier"] is None
    assert any(
        "“tiny_verifier” has no batch norm" in said and "there is no verifier in this run" in said for said in first.notices
    )


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_probabilities_instead_of_logits_are_noticed(precision: str) -> None:
    class Sure(tiny.TinyNet):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return super().forward(x).softmax(1)

    assert not any("probabilities, not logits" in said for said in run(steps=1, precision=precision)[0].notices)
    models.register(models.spec("tiny"), lambda: Sure(1))
    assert any("probabilities, not logits" in said for said in run(steps=1, precision=precision)[0].notices)


def test_of_a_softmax_in_bfloat16_more_is_forgiven() -> None:
    rounded = torch.tensor([[0.5, 0.25, 0.245]])
    assert are_probabilities(rounded, "bfloat16") and not are_probabilities(rounded)
    assert not are_probabilities(rounded - 0.25, "bfloat16") and not are_probabilities(1.1 * rounded, "bfloat16")


def test_weights_get_no_gradient() -> None:
    model = models.load("tiny")
    assert not any(weight.requires_grad for weight in model.parameters()) and not model.training
    stream = synthesize(config())
    next(stream)
    assert all(weight.grad is None for weight in models.load("tiny").parameters())


def test_a_stopped_run_leaves_no_hooks_and_no_threads() -> None:
    threads = threading.active_count()
    for end in ("closed", "stopped"):
        control = Control()
        stream = synthesize(config(), control)
        next(stream)
        networks = stream.gi_frame.f_locals["lane"].networks  # type: ignore[attr-defined]
        if end == "stopped":
            control.stop()
            assert [step.index for step in stream] == [1]
        stream.close()  # type: ignore[attr-defined]
        _without_hooks([networks.model, networks.verifier, networks.judge])
    assert threading.active_count() == threads


def _without_hooks(networks: list[VideoModel]) -> None:
    for network in networks:
        assert all(not module._forward_hooks and not module._forward_pre_hooks for module in network.modules())


def test_a_model_that_verifies_itself_runs_once_and_sees_what_a_copy_would(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    forward = VideoModel.forward
    monkeypatch.setattr(VideoModel, "forward", lambda self, clip: (calls.append(self.spec.key), forward(self, clip))[1])
    stream = synthesize(config(verifier="self", judge="none", coarse=0.0))
    step = next(stream)
    calls.clear()
    next(stream)
    assert calls == ["tiny"] and step.probabilities["verifier"] is None
    models.register(replace(models.spec("tiny"), key="tiny_copy"), models.registry.builder("tiny"))
    copy = next(synthesize(config(verifier="tiny_copy", judge="none", coarse=0.0)))
    assert step.losses["diversity"] == pytest.approx(copy.losses["diversity"], rel=1e-5)


def test_a_frame_verifier_sees_the_statistics_of_all_frames_or_of_some(monkeypatch: pytest.MonkeyPatch) -> None:
    picture = nn.Sequential(nn.BatchNorm2d(3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 5))
    record = replace(
        models.spec("tiny"), key="pictures", world="five", role="frame_verifier", taps="", embedding_layer="", paper=None
    )
    models.register(record, lambda: OfFrames(picture), tuple("abcde"))
    clip = torch.rand((1, 3, 6, 8, 8), generator=torch.Generator().manual_seed(0))
    seen = models.load("pictures").observe(clip, features=False, statistics=True)
    normalised = models.load("pictures").normalise(clip)
    (mean, variance), *_ = seen.statistics
    assert torch.allclose(mean[0], normalised.mean((0, 2, 3, 4)), atol=1e-6)
    assert torch.allclose(variance[0], normalised.var((0, 2, 3, 4), correction=0), atol=1e-6)
    assert models.load("pictures").fit(clip).shape == (1, 3, 6, 32, 32)
    with_it, without = (run(frame_verifier=name, steps=1)[0].losses for name in ("pictures", "none"))
    assert with_it["naturalness"] > 0 and "naturalness" not in without
    control = Control([{"step": 2, "field": "naturalness", "value": 4.0}])
    steered = list(synthesize(config(frame_verifier="pictures", steps=3), control))
    assert [step.weighted["naturalness"] / step.losses["naturalness"] for step in steered[:2]] == pytest.approx([0.5, 4.0])

    seen_frames: list[int] = []
    forward = OfFrames.forward
    monkeypatch.setattr(OfFrames, "forward", lambda self, x: (seen_frames.append(x.shape[2]), forward(self, x))[1])
    some = run(frame_verifier="pictures", steps=2, coarse=0.0, frames_verified=2)
    assert seen_frames == [8, 2, 2], "what is constant is looked up once, with all"
    assert some[0].losses["naturalness"] != with_it["naturalness"]
    estimates = [make_plan(config(frame_verifier="pictures", frames_verified=n)).estimate for n in (2, 0)]
    assert estimates[0].seconds < estimates[1].seconds and estimates[0].memory < estimates[1].memory


def test_a_frame_verifier_of_one_size_sees_the_clip_at_that(monkeypatch: pytest.MonkeyPatch) -> None:
    picture = nn.Sequential(nn.BatchNorm2d(3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 5))
    record = replace(
        models.spec("tiny"), key="whole", world="five", role="frame_verifier", taps="", embedding_layer="", paper=None, size=48
    )
    models.register(record, lambda: OfFrames(picture), tuple("abcde"))
    models.register(replace(record, key="fixed", fixed=("size",)), lambda: OfFrames(picture), tuple("abcde"))
    sizes: list[int] = []
    forward = OfFrames.forward
    monkeypatch.setattr(OfFrames, "forward", lambda self, x: (sizes.append(x.shape[-1]), forward(self, x))[1])
    for key, seen in (("whole", 16), ("fixed", 48)):
        sizes.clear()
        assert run(frame_verifier=key, steps=1, size=16, coarse=0.0)[0].losses["naturalness"] > 0
        assert sizes[-1] == seen


def test_i3d_takes_a_step_with_its_own_statistics_a_frame_verifier_and_an_object_judge() -> None:
    needed = ("i3d", "efficientnet_lite0", "efficientnet_lite1")
    if lacking := [key for key in needed if models.state(models.spec(key)) == "download"]:
        pytest.skip(f"weights are not on this machine: `python -m leaps_core download {' '.join(lacking)}` gets them")
    asked = {"steps": 2, "size": 96, "coarse": 0.0, "precision": "float32", "seed": 7}
    first, last = synthesize(models.configure("i3d", "juggling balls", asked))
    assert {"cross_entropy", "evidence", "diversity", "naturalness"} <= set(first.losses)
    assert np.isfinite(list(last.losses.values())).all()
    assert last.loss < first.loss and not np.array_equal(first.clip, last.clip)
    assert last.final and 1 <= last.final["object_rank"] <= 1000 and len(last.final["objects"]) == 5


def test_several_views_are_one_batch() -> None:
    one, three = run(steps=1, views=1)[0], run(steps=1, views=3)[0]
    assert one.losses["cross_entropy"] != three.losses["cross_entropy"]
    assert one.losses["smoothness"] == three.losses["smoothness"], "the clip itself is the same"


def test_new_terms_are_off_unless_they_are_asked_for() -> None:
    assert "evidence" not in run(steps=1)[0].losses
    losses = run(steps=1, evidence=0.2)[0]
    assert losses.weighted["evidence"] == pytest.approx(0.2 * losses.losses["evidence"])
