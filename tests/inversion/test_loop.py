"""The loop, with networks of a few thousand parameters. Each mistake of the reference code has its test here or beside
the part that it concerns (networks, objective, canvas, models)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
import torch
from torch import Tensor

from leaps_core import models
from leaps_core.config import SynthesisConfig
from leaps_core.errors import ConfigError, LeapsError
from leaps_core.inversion import lane, loop
from leaps_core.inversion.objective import Seen
from leaps_core.inversion.step import Step
from leaps_core.inversion.terms import Term
from leaps_core.puppets import render_clip
from tests.inversion.helpers import config, run


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

    def watched(clip: torch.Tensor, settings: SynthesisConfig, generator: torch.Generator, strength: float) -> torch.Tensor:
        asked.append(strength)
        return clip

    favourite = run(steps=1)[-1].top5[0][0]
    monkeypatch.setattr(lane, "transform", watched)
    steps = run(steps=40, action=favourite, coarse=0.0, learning_rate=0.3, stimuli=(), r=0.0)
    confidence, expected = 0.0, []
    for step in steps:
        expected.append(confidence**4)
        confidence = 0.9 * confidence + 0.1 * (step.probabilities["model"] or 0.0)
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
    sizes = [step.clip.shape[-1] for step in run(canvas=canvas, coarse=0.67, size=64, sizes=3)]
    assert sizes == [24, 24, 48, 48, 64, 64]


def test_at_the_full_size_less_of_the_evidence_is_left() -> None:
    steps = run(coarse=0.5, evidence=0.4, evidence_last=0.25)
    left = [step.weighted["evidence"] / step.losses["evidence"] for step in steps]
    assert left == pytest.approx([0.4, 0.4, 0.4, 0.1, 0.1, 0.1])
    always = run(coarse=0.0, evidence=0.4, evidence_last=0.25)[0]  # never smaller: nothing was drawn before
    assert always.weighted["evidence"] / always.losses["evidence"] == pytest.approx(0.4)


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


def test_a_term_that_is_no_number_ends_the_run_with_the_clip_before() -> None:
    """At step 4 a term is endless, or has a slope without end: steps 1 to 3 were made, the third is told once more, scored."""
    cases: list[tuple[Callable[[Tensor], Tensor], str]] = [
        (lambda x: x * float("inf"), "“odd” became inf at step 4"),
        (lambda x: (0 * x).sqrt(), "gradient of “odd” is no number at step 4"),
    ]
    for bad, words in cases:
        calls = iter([1, 2, 3, 4, 4])  # the fourth step's terms are computed again, to find which it is

        def odd(seen: Seen, bad: Callable[[Tensor], Tensor] = bad, calls: Iterator[int] = calls) -> Tensor:
            mean = seen.clip.mean()
            return bad(mean) if next(calls) == 4 else mean

        steps, stream = list[Step](), loop.synthesize(config(), extra_terms=[Term("odd", odd)])
        with pytest.raises(LeapsError, match=words):
            while True:
                steps.append(next(stream))
        assert [step.index for step in steps] == [1, 2, 3, 3]
        assert steps[-1].final is not None and steps[-1].clip.isfinite().all() and torch.equal(steps[-1].clip, steps[-2].clip)


def test_a_clip_may_begin_at_its_stimulus_and_stays_the_nearer_the_more_that_weighs() -> None:
    settings = {"begin_at": "stimulus", "stimuli": ("bundled:3/tai chi",), "coarse": 0.5, "steps": 12, "learning_rate": 0.1}
    start = torch.from_numpy(render_clip("tai chi", 3, 8, 32)).permute(3, 0, 1, 2)[None] / 255
    apart = []
    for nearness in (0.0, 0.5, 50.0):
        steps = run(**settings, nearness=nearness)
        assert steps[0].clip.shape == start.shape, "at full size from the first step on"
        assert (steps[0].clip - start).abs().mean() < 0.02
        assert ("nearness" in steps[0].losses) == bool(nearness)
        apart.append(float((steps[-1].clip - start).abs().mean()))
    assert apart[0] > apart[1] > apart[2]


@pytest.mark.parametrize("canvas", ["pixels", "fourier"])
def test_both_canvases_can_begin_at_a_stimulus(canvas: str) -> None:
    start = torch.from_numpy(render_clip("tai chi", 3, 8, 32)).permute(3, 0, 1, 2)[None] / 255
    first = run(begin_at="stimulus", stimuli=("bundled:3/tai chi",), steps=1, learning_rate=0.0, canvas=canvas)[0]
    assert (first.clip - start).abs().max() < 0.01


def test_a_clip_cant_begin_at_a_stimulus_that_there_is_not() -> None:
    with pytest.raises(ConfigError, match="begin at its stimulus, and has none. Give one, or take begin_at=noise"):
        run(begin_at="stimulus", stimuli=())
