"""Which terms the loss has, what they weigh, and terms of one's own."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from leaps_core.config import SynthesisConfig
from leaps_core.errors import ConfigError
from leaps_core.inversion.loop import synthesize
from leaps_core.inversion.objective import Running, Seen, Targets
from leaps_core.inversion.terms import TERMS, Term, evaluate, has_diversity, term
from tests.inversion.helpers import config


def test_norm_is_the_length_of_the_normalised_clip() -> None:
    settings = SynthesisConfig(model="m", action="a", norm=0.1)
    clip, normalised = torch.rand(2, 2, 3, 4, 8, 8)
    seen = Seen(settings, Targets(class_index=1), clip, normalised, torch.rand(2, 4), [torch.rand(2, 5)], None, [])
    raw, weighted = evaluate(TERMS, seen)
    lengths = np.sqrt((normalised.numpy() ** 2).sum((1, 2, 3, 4)))
    assert raw["norm"].item() == pytest.approx(lengths.mean())
    assert weighted["norm"].item() == pytest.approx(0.1 * lengths.mean())


def test_the_loss_adds_the_terms_that_there_are() -> None:
    settings = SynthesisConfig(
        model="m",
        action="a",
        r=0.02,
        coherence=2.0,
        diversity=3.0,
        evidence=0.3,
        naturalness=0.7,
        smoothness=0.5,
        norm=0.1,
        nearness=0.2,
    )
    clip = torch.rand(1, 3, 4, 8, 8)
    running, statistics = Running.of([(torch.rand(5), torch.rand(5))]), [(torch.rand(1, 5), torch.rand(1, 5))]
    targets = Targets(1, [torch.rand(1, 5)], 1.0, running, running, clip)
    shown = torch.rand(1, 4), [torch.rand(1, 5)], torch.rand(1, 5, 4), statistics, statistics
    seen = Seen(settings, targets, clip, clip, *shown)
    raw, weighted = evaluate(TERMS, seen)
    weights = {one.name: one.weight_in(settings) for one in TERMS}
    assert weights == pytest.approx(
        {
            "cross_entropy": 1,
            "evidence": 0.3,
            "priming": 1,
            "coherence": 0.04,
            "diversity": 0.06,
            "naturalness": 0.7,
            "smoothness": 0.5,
            "nearness": 0.2,
            "norm": 0.1,
        }
    )
    assert list(raw) == list(weighted) == list(weights) and all(value.ndim == 0 for value in raw.values())
    for name, weight in weights.items():
        assert weighted[name].item() == pytest.approx(weight * raw[name].item()), name
    bare = Seen(
        settings.replace(norm=0.0, evidence=0.0), Targets(1), clip, clip, torch.rand(1, 4), [torch.rand(1, 5)], None, []
    )
    assert set(evaluate(TERMS, bare)[0]) == {"cross_entropy", "smoothness"}


@pytest.mark.parametrize("form", ["paper", "relative"])
def test_the_gradient_of_diversity_counts_for_the_steps_without_a_verifier(form: str) -> None:
    clip, running = torch.rand(1, 3, 4, 8, 8), Running.of([(torch.rand(5), torch.rand(5))])
    mean = torch.rand(1, 5, requires_grad=True)
    targets = Targets(1, running=running)

    def seen(every: int, statistics: list[tuple[torch.Tensor, torch.Tensor]]) -> Seen:
        settings = SynthesisConfig(model="m", action="a", verify_every=every, diversity_form=form)
        return Seen(settings, targets, clip, clip, torch.rand(1, 4), [torch.rand(1, 5)], None, statistics, (), 3.5)

    each, fourth = (seen(every, [(mean, torch.full((1, 5), 0.5))]).diversity() for every in (1, 4))
    assert each is not None and fourth is not None and each.item() == fourth.item() != 3.5
    slopes = [torch.autograd.grad(value, mean)[0] for value in (each, fourth)]
    assert torch.allclose(slopes[1], 4 * slopes[0]) and slopes[0].abs().sum() > 0
    endless = [seen(every, [(mean, torch.full((1, 5), float("inf")))]).diversity() for every in (1, 4)]
    assert [value.item() for value in endless if value is not None] == [float("inf")] * 2, "told as what it is"
    between = seen(4, []).diversity()
    assert between is not None and between.item() == 3.5 and not between.requires_grad


def test_a_term_of_ones_own_acts_and_shows() -> None:
    dark = Term("dark", lambda seen: seen.clip.mean(), 5.0)
    asked = config(steps=20, learning_rate=0.2, noise=0.0)
    plain, darker = list(synthesize(asked)), list(synthesize(asked, extra_terms=[dark]))
    for step in darker:
        assert step.losses.keys() == step.weighted.keys() == plain[0].losses.keys() | {"dark"}
        assert step.weighted["dark"] == pytest.approx(5 * step.losses["dark"])
        assert step.loss == pytest.approx(sum(step.weighted.values()))
    assert darker[0].losses["dark"] == pytest.approx(0.5, abs=0.05), "of the untransformed clip that the step began with"
    assert darker[-1].clip.mean() < plain[-1].clip.mean() - 0.05
    assert "dark" not in plain[-1].losses


def test_a_term_may_be_missing_and_its_weight_may_follow_the_settings() -> None:
    never = Term("never", lambda seen: None)
    follows = Term("follows", lambda seen: seen.clip.mean(), lambda settings: settings.smoothness)
    first, *_ = synthesize(config(smoothness=3.0), extra_terms=[never, follows])
    assert "never" not in first.losses and first.weighted["follows"] == pytest.approx(3 * first.losses["follows"])


@pytest.mark.parametrize(
    ("term", "sentence"),
    [
        (Term("priming", lambda seen: seen.clip.mean()), "There are two terms “priming”. Give your own another name than"),
        (
            Term("dark", lambda seen: seen.clip.mean((2, 3, 4))),
            r"“dark” gives a tensor of shape \(1, 3\); expected a tensor of one",
        ),
        (Term("dark", lambda seen: seen.clip.mean().item()), "“dark” gives a float; expected a tensor of one number"),
    ],
)
def test_a_term_that_can_not_be_added_is_told(term: Term, sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        list(synthesize(config(), extra_terms=[term]))


def test_every_term_can_be_shown_whether_it_is_known_or_not() -> None:
    assert len({one.colour for one in TERMS}) == len({one.label for one in TERMS}) == len(TERMS)
    assert all(term(one.name) is one for one in TERMS)
    assert (term("dark").name, term("dark").label) == ("dark", "dark") and term("dark").colour.startswith("#")


def test_diversity_takes_part_with_a_verifier_and_a_weight() -> None:
    assert has_diversity(config()) and has_diversity(config(verifier="auto"))
    for settings in ({"verifier": "none"}, {"diversity": 0.0}, {"r": 0.0}):
        assert not has_diversity(config(**settings))
