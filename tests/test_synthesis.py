"""The loop, with networks of a few thousand parameters. Each mistake of the reference code has its test here or beside
the part that it concerns (objective, canvas, models)."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
import torch

from leaps_core import models, synthesis
from leaps_core.config import LIVE, SynthesisConfig
from leaps_core.errors import ConfigError, LeapsError, ModelError, RunError
from leaps_core.models.adapter import VideoModel
from leaps_core.synthesis import Control, Step, synthesize
from tests import tiny

tiny.register()


def config(**settings: object) -> SynthesisConfig:
    return SynthesisConfig(
        **{
            "model": "tiny",
            "action": "bowling",
            "verifier": "tiny_verifier",
            "judge": "tiny_judge",
            "steps": 6,
            "device": "cpu",
            **settings,
        }
    )


def run(control: Control | None = None, **settings: object) -> list[Step]:
    return list(synthesize(config(**settings), control))


def test_a_run_yields_a_step_each_and_figures_at_the_end() -> None:
    steps = run()
    assert [step.index for step in steps] == [1, 2, 3, 4, 5, 6]
    assert all(step.final is None for step in steps[:-1])
    final = steps[-1].final
    assert final is not None and set(final) >= {"model", "verifier", "judge", "motion", "seconds", "steps_per_second"}
    for step in steps:
        assert set(step.losses) == {"cross_entropy", "priming", "coherence", "diversity", "smoothness"}
        assert step.clip.dtype == torch.float32 and 0 <= step.clip.min() and step.clip.max() <= 1
        assert not step.clip.requires_grad and step.embedding.shape == (10,)
        assert abs(sum(p for _, p in step.top5) - 1) < 0.8 and len(step.top5) == 5
    assert steps[-1].frames.shape == (8, 32, 32, 3)


def test_final_probabilities_are_of_the_untransformed_clip() -> None:
    last = run(noise=0.4)[-1]
    with torch.no_grad():
        expected = models.load("tiny")(last.clip).softmax(1)[0, models.labels("puppets").index("bowling")].item()
    assert last.final is not None and last.final["model"] == pytest.approx(expected, rel=1e-5)
    assert last.probabilities["model"] != pytest.approx(expected, rel=1e-5), "a step reports the transformed view"


def test_views_get_harder_as_the_model_gets_surer(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[float] = []

    def watched(clip: torch.Tensor, live: SynthesisConfig, generator: torch.Generator, hardness: float) -> torch.Tensor:
        asked.append(hardness)
        return clip

    favourite = run(steps=1)[-1].top5[0][0]
    monkeypatch.setattr(synthesis, "transform", watched)
    steps = run(steps=40, action=favourite, coarse=0.0, learning_rate=0.3, stimuli=(), r=0.0)
    sureness, expected = 0.0, []
    for step in steps:
        expected.append(sureness**4)
        sureness = 0.9 * sureness + 0.1 * (step.probabilities["model"] or 0.0)
    assert asked == pytest.approx(expected) and asked[0] == 0 and asked[-1] > 0.1


def test_same_seed_same_clip_bit_for_bit() -> None:
    assert torch.equal(run()[-1].clip, run()[-1].clip)
    assert not torch.equal(run()[-1].clip, run(seed=1)[-1].clip)


def test_the_loss_falls_and_the_action_rises() -> None:
    steps = run(steps=60, coarse=0.0, learning_rate=0.3, stimuli=(), r=0.0, noise=0.0)
    assert steps[-1].probabilities["model"] > 2 * steps[0].probabilities["model"]
    assert sum(steps[-1].weighted.values()) < sum(steps[0].weighted.values())


def test_another_action_gives_another_clip() -> None:
    assert not torch.equal(run()[-1].clip, run(action="tai chi")[-1].clip)


@pytest.mark.parametrize("canvas", ["fourier", "pixels"])
def test_coarse_steps_are_smaller(canvas: str) -> None:
    sizes = [step.clip.shape[-1] for step in run(canvas=canvas, coarse=0.5)]
    assert sizes == [16, 16, 16, 32, 32, 32]


@pytest.mark.parametrize("name", LIVE)
def test_every_live_setting_acts_from_the_next_step_on(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(synthesis, "HARDENING", 0)  # noise and colours show, though the tiny model is never sure
    value = {
        "flip": True,
        "priming_share": 50,
        "jitter_time": 4,
        "rotate": 20.0,
        "noise": 0.4,
        "colour": 0.4,
        "zoom": 0.3,
        "jitter": 0.3,
        "motion_speed": 3.0,
        "learning_rate": 0.4,
        "r": 0.05,
        "norm": 0.5,
    }.get(name, 4.0)
    control, clips = Control(), []
    for step in synthesize(config(steps=14, coarse=0.0), control):
        clips.append(step.clip)
        if step.index == 4:
            control.set(**{name: value})
    plain = [step.clip for step in run(steps=14, coarse=0.0)]
    assert all(torch.equal(a, b) for a, b in zip(clips[:4], plain[:4], strict=True))
    assert not torch.equal(clips[-1], plain[-1])
    assert control.changes == [{"step": 5, "field": name, "value": value}]


def test_changes_replayed_give_the_same_clip() -> None:
    control, last = Control(), None
    for last in synthesize(config(steps=8), control):
        if last.index == 3:
            control.set(learning_rate=0.3)
        if last.index == 6:
            control.set(motion_speed=2.0, r=0.02)
    again = Control(control.changes)
    assert last is not None and torch.equal(last.clip, run(again, steps=8)[-1].clip)
    assert again.changes == control.changes


def test_control_refuses_what_cannot_change() -> None:
    control = Control()
    for bad in ({"steps": 10}, {"r": float("nan")}, {"r": 99.0}, {"colourfulness": 1.0}):
        with pytest.raises(ConfigError):
            control.set(**bad)


def test_pause_holds_and_resume_goes_on() -> None:
    control, seen = Control(), []
    control.pause()
    thread = threading.Thread(target=lambda: seen.extend(synthesize(config(), control)), daemon=True)
    thread.start()
    time.sleep(0.5)
    assert not seen
    control.resume()
    thread.join(30)
    assert len(seen) == 6 and seen[-1].seconds < 0.4 + seen[-1].index


@pytest.mark.parametrize("when", [1, 3])
def test_stop_ends_with_figures(when: int) -> None:
    control, steps = Control(), []
    for step in synthesize(config(), control):
        steps.append(step)
        if step.index == when:
            control.stop()
    assert steps[-1].index == when and steps[-1].final is not None and steps[-1].probabilities["judge"] is not None


def test_stop_while_paused() -> None:
    control = Control()
    stream = synthesize(config(), control)
    next(stream)
    control.pause()
    threading.Timer(0.2, control.stop).start()
    assert [step.final is not None for step in stream] == [True]


def test_a_stopped_run_goes_on_from_its_checkpoint_as_if_never_stopped(tmp_path) -> None:  # type: ignore[no-untyped-def]
    whole = run(steps=10)
    for stop in (2, 7):  # in the coarse part, and after it
        control = Control()
        for step in synthesize(config(steps=10), control):
            if step.index == stop:
                control.stop()
        torch.save(control.checkpoint(), tmp_path / "checkpoint.pt")
        checkpoint = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
        rest = list(synthesize(config(steps=10), checkpoint=checkpoint))
        assert [step.index for step in rest] == list(range(stop + 1, 11))
        assert torch.equal(rest[-1].clip, whole[-1].clip)


def test_changes_before_a_checkpoint_are_not_applied_again() -> None:
    control, changes = Control(), [{"step": 2, "field": "r", "value": 0.01}, {"step": 7, "field": "r", "value": 0.02}]
    *_, step = synthesize(config(steps=10), Control(changes))
    whole = step.clip
    first = Control(changes)
    for step in synthesize(config(steps=10), first):
        if step.index == 4:
            first.stop()
    control = Control(changes)
    *_, last = synthesize(config(steps=10), control, checkpoint=first.checkpoint())
    assert torch.equal(last.clip, whole) and control.changes == changes


def test_a_coarse_run_resumed_to_fewer_steps_still_ends_at_full_size() -> None:
    control = Control()
    for step in synthesize(config(steps=20), control):
        if step.index == 6:
            control.stop()
    *_, last = synthesize(config(steps=8), checkpoint=control.checkpoint())
    assert last.index == 8 and last.clip.shape[-1] == 32


def test_a_checkpoint_stays_as_it_was_while_the_run_goes_on() -> None:
    control = Control()
    stream = synthesize(config(), control)
    next(stream)
    held = control.checkpoint()
    before = held["values"].clone()
    next(stream)
    assert torch.equal(held["values"], before) and held["done"] == 1


def test_a_finished_run_cannot_go_on_without_more_steps() -> None:
    control = Control()
    list(synthesize(config(), control))
    with pytest.raises(RunError, match="6 steps"):
        list(synthesize(config(), checkpoint=control.checkpoint()))
    assert len(list(synthesize(config(steps=9), checkpoint=control.checkpoint()))) == 3


def test_unprimed_says_so_and_has_no_priming() -> None:
    first = run(stimuli=())[0]
    assert "priming" not in first.losses and any("nprimed" in notice for notice in first.notices)


def test_layers_too_few_to_prime_are_told() -> None:
    few = run(steps=1, priming_share=20)[0]  # 20 % of three layers
    assert any("Unprimed: 20 % of 3 layers" in notice for notice in few.notices) and few.losses["priming"] == 0
    assert not any("Unprimed" in notice for notice in run(steps=1, priming_share=40)[0].notices)


def test_no_verifier_says_so_and_drops_diversity() -> None:
    first = run(verifier="none")[0]
    assert "diversity" not in first.losses and first.probabilities["verifier"] is None
    assert any("verifier" in notice for notice in first.notices)


def test_an_attention_model_is_inverted_with_a_batch_norm_verifier() -> None:
    last = run(model="tiny_tokens")[-1]
    assert {"priming", "coherence", "diversity"} <= set(last.losses)


def test_several_stimuli_are_averaged() -> None:
    one, other, both = (
        run(stimuli=names, steps=1)[0].losses["priming"]
        for names in (("bundled:1",), ("bundled:2",), ("bundled:1", "bundled:2"))
    )
    assert both != one and both != other


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


def test_snapshots_carry_the_judge_and_are_spread() -> None:
    assert synthesis.snapshot_steps(60) == frozenset(range(1, 61))
    spread = sorted(synthesis.snapshot_steps(1000))
    assert len(spread) >= 60 and spread[-1] == 1000 and max(np.diff(spread)) <= 18
    assert all((step.probabilities["judge"] is not None) == step.snapshot for step in run(steps=70))


def test_the_learning_rate_warms_up_and_falls() -> None:
    rates = [synthesis.learning_rate(config(steps=100, warmup=10, learning_rate=0.2, floor=0.01), i) for i in range(100)]
    assert rates[:11] == sorted(rates[:11]) and max(rates) == pytest.approx(0.2) and rates[-1] == pytest.approx(0.01, abs=1e-3)
    assert synthesis.learning_rate(config(learning_rate=0.0), 3) == 0


# --- Mistakes of the reference code ---


def test_model_and_verifier_run_once_a_step_each(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    forward = VideoModel.forward
    monkeypatch.setattr(VideoModel, "forward", lambda self, clip: (calls.append(self.spec.key), forward(self, clip))[1])
    stream = synthesize(config(judge="none", coarse=0.0))
    next(stream)
    calls.clear()
    next(stream)
    assert calls == ["tiny", "tiny_verifier"], "the verifier is another network than the model"


def test_every_tap_receives_gradient() -> None:
    model = models.load("tiny")
    clip = torch.rand(1, 3, 8, 32, 32)
    with torch.no_grad():
        targets = [tap + 1 for tap in model.observe(clip).features]
    seen = model.observe(clip.requires_grad_(True))
    for tap in seen.features:
        tap.retain_grad()
    synthesis.Objective(synthesis.Targets(0, targets))(config(), clip, clip, seen.logits, seen.features, None, [])[0][
        "priming"
    ].backward()
    assert len(seen.features) == 3 and all(tap.grad.abs().sum() > 0 for tap in seen.features)


def test_the_stimulus_is_normalised_like_the_clip(monkeypatch: pytest.MonkeyPatch) -> None:
    inputs: list[tuple[str, float]] = []
    network = tiny.TinyNet.forward
    monkeypatch.setattr(tiny.TinyNet, "forward", lambda self, x: (inputs.append(("", x.mean().item())), network(self, x))[1])
    white = np.full((1, 8, 32, 32, 3), 255, np.uint8)
    next(synthesize(config(verifier="none", judge="none", coarse=0.0), stimulus=white))
    assert inputs[0][1] == pytest.approx((1 - 0.45) / 0.225), "the first pass sees the stimulus, normalised"


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
        loop = stream.gi_frame.f_locals  # type: ignore[attr-defined]
        networks = [loop["model"], loop["verifier"], loop["judge"]]
        if end == "stopped":
            control.stop()
            assert [step.index for step in stream] == [1]
        stream.close()  # type: ignore[attr-defined]
        _without_hooks(networks)
    assert threading.active_count() == threads


def _without_hooks(networks: list[VideoModel]) -> None:
    for network in networks:
        assert all(not module._forward_hooks and not module._forward_pre_hooks for module in network.modules())


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"model": "tinny"}, "Did you mean “tiny”"),
        ({"action": "bowlin"}, "Did you mean “bowling”"),
        ({"model": "tiny_judge"}, "judge"),
        ({"verifier": "tiny_judge"}, "judge"),
        ({"verifier": "tiny"}, "itself"),
        ({"verifier": "tiny_tokens"}, "no batch norm"),
        ({"verifier": "x3d_xs"}, "verifier of the same world"),
        ({"model": "x3d_xs", "action": "zumba", "verifier": "tiny_verifier"}, "verifier of the same world"),
        ({"model": "x3d_xs", "action": "zumba", "verifier": "s3d", "judge": "none"}, "4 frames; “s3d” needs 8"),
        ({"judge": "tiny_verifier"}, "takes part"),
        ({"size": 33}, "multiples of 8"),
        ({"frames": 2}, "4 or more"),
        ({"stimuli": ("bundled:x",)}, "bundled:SEED"),
        ({"stimuli": ("missing.mp4",)}, "missing.mp4"),
    ],
)
def test_bad_configs_are_refused_with_a_sentence(settings: dict, sentence: str) -> None:
    with pytest.raises(LeapsError, match=sentence):
        synthesize(config(**settings))


@pytest.mark.parametrize(
    "settings", [{"steps": 0}, {"r": float("nan")}, {"learning_rate": -1}, {"colour": 2.0}, {"canvas": "oil"}, {"unknown": 1}]
)
def test_values_out_of_range_are_refused(settings: dict) -> None:
    with pytest.raises(ConfigError):
        config(**settings)


def test_paper_settings_are_a_valid_config_with_the_models_row() -> None:
    paper = config().but(**models.paper_settings(models.spec("tiny")))
    assert (paper.lambda_1, paper.lambda_L, paper.r, paper.canvas) == (0.75, 0.1, 1e-3, "pixels")
    with pytest.raises(ModelError):
        models.paper_settings(models.spec("tiny_tokens"))


def test_every_row_of_the_paper_is_one_of_table_s1() -> None:
    rows = {
        (1.0, 0.3, 7.5e-3),
        (0.75, 0.1, 5e-3),
        (1.0, 0.2, 5e-3),
        (1.0, 0.2, 1e-3),
        (1.0, 0.1, 1e-3),
        (0.75, 0.1, 1e-3),
        (1.0, 0.2, 2.5e-3),
        (0.75, 0.2, 1e-3),
        (0.625, 0.1, 1e-3),
        (0.75, 0.1, 2.5e-3),
        (0.625, 0.1, 5e-3),
    }
    found = {spec.key: (spec.paper.lambda_1, spec.paper.lambda_L, spec.paper.r) for spec in models.specs() if spec.paper}
    assert len(found) >= 24 and set(found.values()) <= rows, found


def test_estimate_grows_with_the_work() -> None:
    small, large = synthesis.estimate(config()), synthesis.estimate(config(steps=60, size=64))
    assert large["seconds"] > 10 * small["seconds"] and large["memory"] > small["memory"]
