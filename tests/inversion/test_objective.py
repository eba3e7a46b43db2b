"""Each term against a numpy version written from the formulas with plain loops, and its sign."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

from leaps_core.inversion import objective
from leaps_core.models.shapes import layer_weights

FORMATS = (torch.float64, torch.float32, torch.bfloat16)
RNG = np.random.default_rng(0)


def tensor(*shape: int) -> torch.Tensor:
    return torch.from_numpy(RNG.normal(size=shape)).requires_grad_(True)


def numpy_jvs(a: np.ndarray, b: np.ndarray) -> float:
    dot = float(sum(x * y for x, y in zip(a, b, strict=True)))
    union = float(sum(x * x for x in a) + sum(y * y for y in b)) - dot
    return 0.0 if union == 0 else 1 - dot / union


def numpy_coherence(z: np.ndarray, margin: float) -> float:
    c, t = z.shape
    near, far = [], []
    for t1 in range(t):
        for t2 in range(t1 + 1, t):
            d = sum(abs(z[k, t1] - z[k, t2]) for k in range(c))
            if t2 == t1 + 1:
                near.append(d)
            else:
                far.append(max(0.0, margin - d))
    return (sum(near) / len(near) if near else 0.0) + (sum(far) / len(far) if far else 0.0)


def test_cross_entropy_matches_numpy_and_pulls_towards_the_action() -> None:
    logits = tensor(2, 5)
    values = logits.detach().numpy()
    expected = np.mean([-row[3] + math.log(sum(math.exp(v) for v in row)) for row in values])
    loss = objective.cross_entropy(logits, 3)
    assert loss.item() == pytest.approx(expected)
    loss.backward()
    assert (logits.grad[:, 3] < 0).all() and (logits.grad[:, 0] > 0).all()


def test_jaccard_distance_matches_numpy_and_its_corner_cases() -> None:
    a, b = tensor(4, 7), tensor(4, 7)
    found = objective.jaccard_distance(a, b).detach().numpy()
    assert found == pytest.approx([numpy_jvs(x, y) for x, y in zip(a.detach().numpy(), b.detach().numpy(), strict=True)])
    one, zero = torch.tensor([[1.0, 2.0, -3.0]]), torch.zeros(1, 3)
    assert objective.jaccard_distance(one, one).item() == 0
    assert objective.jaccard_distance(zero, one).item() == pytest.approx(1)
    assert objective.jaccard_distance(one, -one).item() == pytest.approx(4 / 3)
    assert objective.jaccard_distance(zero, zero).item() == 0


def test_jaccard_distance_of_zero_vectors_has_a_finite_gradient() -> None:
    a = torch.zeros(1, 3, requires_grad=True)
    objective.jaccard_distance(a, torch.zeros(1, 3)).sum().backward()
    assert torch.isfinite(a.grad).all()


def test_jaccard_distance_sees_small_differences() -> None:
    a = torch.full((1, 64), 100.0)
    assert objective.jaccard_distance(a, a + 1e-3).item() == pytest.approx(1e-10, rel=0.01)


@pytest.mark.parametrize("share", [20, 40, 60, 80, 100])
def test_priming_matches_numpy_and_keeps_the_divisor_of_all_taps(share: int) -> None:
    widths = (4, 6, 3, 8, 5)
    features, targets = [tensor(1, c) for c in widths], [tensor(1, c).detach() for c in widths]
    kept = share * len(widths) // 100
    expected = sum(
        (1.0 + i / 4 * (0.2 - 1.0)) * numpy_jvs(features[i].detach().numpy()[0], targets[i].numpy()[0]) for i in range(kept)
    ) / len(widths)
    loss = objective.priming(features, targets, layer_weights(5, 1.0, 0.2, share))
    assert loss.item() == pytest.approx(expected)
    loss.backward()
    moved = [feature.grad is not None and bool(feature.grad.abs().sum() > 0) for feature in features]
    assert moved == [True] * kept + [False] * (5 - kept), "every primed tap gets gradient, not only the last"


def test_priming_falls_when_features_come_closer() -> None:
    a, b = tensor(1, 6).detach(), tensor(1, 6).detach()
    far, near = (objective.priming([a + share * (b - a)], [b], [1.0]) for share in (0.2, 0.8))
    assert near < far


@pytest.mark.parametrize("t", [1, 2, 3, 7])
def test_coherence_matches_numpy(t: int) -> None:
    z = tensor(1, 4, t)
    found = objective.coherence(z, 5.0)
    assert found.item() == pytest.approx(numpy_coherence(z.detach().numpy()[0], 5.0))


def test_coherence_has_the_right_sign() -> None:
    ramp = torch.arange(6.0).view(1, 1, 6)
    assert objective.coherence(2 * ramp, 0.0) > objective.coherence(ramp, 0.0), "neighbours that differ more cost more"
    still = torch.zeros(1, 1, 6)
    assert objective.coherence(still, 3.0) == 3.0, "distant moments that are equal cost the whole margin"
    assert objective.coherence(3 * ramp, 3.0) == objective.coherence(3 * ramp, 0.0), "and beyond the margin nothing"


def test_coherence_is_symmetric_in_time() -> None:
    z = tensor(1, 4, 6).detach()
    assert objective.coherence(z, 2.0).item() == pytest.approx(objective.coherence(z.flip(-1), 2.0).item())


def test_distant_mean_is_the_mean_over_distant_pairs() -> None:
    z = torch.tensor([[[0.0, 1.0, 5.0]]])
    assert objective.distant_mean(z) == 5.0


def test_diversity_matches_numpy_and_is_least_at_the_running_statistics() -> None:
    means, variances = [tensor(1, c) for c in (3, 5, 4)], [tensor(1, c) for c in (3, 5, 4)]
    running = [(tensor(c).detach(), tensor(c).detach()) for c in (3, 5, 4)]
    expected = 0.0
    for index in range(3):
        weight = 10.0 if index == 0 else 1 + 10 / index
        mean, variance = (x[index].detach().numpy()[0] for x in (means, variances))
        run_mean, run_variance = (x.numpy() for x in running[index])
        expected += weight * (math.sqrt(((mean - run_mean) ** 2).sum()) + math.sqrt(((variance - run_variance) ** 2).sum()))
    known = objective.Running.of(running)
    loss = objective.diversity(list(zip(means, variances, strict=True)), known)
    assert loss.item() == pytest.approx(expected, rel=1e-6)
    at_home = objective.diversity([(a[None].clone().requires_grad_(True), b[None]) for a, b in running], known)
    assert at_home.item() == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize("form", [objective.diversity, objective.relative_diversity])
def test_a_network_may_remember_in_any_format(form: Any) -> None:
    statistics = [(torch.rand(2, 4), torch.rand(2, 4)), (torch.rand(2, 3), torch.rand(2, 3))]
    layers = [(torch.rand(c).bfloat16(), torch.rand(c).bfloat16() + 0.5) for c in (4, 3)]
    found = [form(statistics, objective.Running.of([(m.to(one), v.to(one)) for m, v in layers])) for one in FORMATS]
    assert all(value.item() == pytest.approx(found[0].item(), rel=1e-5) for value in found)


def test_smoothness_matches_numpy() -> None:
    clip = torch.rand(1, 3, 4, 5, 6, dtype=torch.float64)
    x = clip.numpy()
    space = ((x[..., 1:] - x[..., :-1]) ** 2).mean() + ((x[..., 1:, :] - x[..., :-1, :]) ** 2).mean()
    time = ((x[:, :, 1:] - x[:, :, :-1]) ** 2).mean()
    expected = objective.SMOOTHNESS_SCALE * (space + 0.25 * time)
    assert objective.smoothness(clip, 0.25).item() == pytest.approx(expected)
    assert objective.smoothness(torch.full((1, 3, 1, 4, 4), 0.3), 1.0) == 0
    for some in (clip[:, :, :3, :4, :5], clip[:, :, :1, :3]):
        assert torch.autograd.gradcheck(lambda x: 3 * objective.smoothness(x, 0.25), some.clone().requires_grad_())


def test_smoothness_falls_when_a_clip_is_blurred() -> None:
    clip = torch.rand(1, 3, 6, 8, 8)
    blurred = torch.nn.functional.avg_pool3d(clip, 3, 1, 1, count_include_pad=False)
    assert objective.smoothness(blurred, 1.0) < objective.smoothness(clip, 1.0) / 4
    still = clip[:, :, :1].expand(-1, -1, 6, -1, -1)
    assert objective.smoothness(still, 1.0) < objective.smoothness(clip, 1.0)


def test_evidence_goes_on_where_cross_entropy_has_ended() -> None:
    logits = torch.tensor([[40.0, 1.0, 2.0]], dtype=torch.float64, requires_grad=True)
    p = logits.detach().softmax(1)[0, 0]
    margin = objective.evidence(logits, 0, "margin")
    assert margin.item() == pytest.approx(40 - math.log(math.exp(1) + math.exp(2)))
    assert objective.evidence(logits, 1, "logit").item() == 1.0
    margin.backward()
    assert logits.grad is not None and logits.grad[0, 0] == 1 and logits.grad[0, 1:].sum() == pytest.approx(-1)
    logits.grad = None
    objective.cross_entropy(logits, 0).backward()
    assert logits.grad is not None and abs(logits.grad[0, 0]) < 1e-12 and p > 1 - 1e-12


def test_the_margin_is_the_log_odds() -> None:
    logits = torch.from_numpy(RNG.normal(size=(3, 5)))
    p = logits.softmax(1)[:, 2]
    assert objective.evidence(logits, 2, "margin").item() == pytest.approx((p / (1 - p)).log().mean().item())


def test_relative_diversity_counts_in_each_channels_own_spread() -> None:
    mean, variance = torch.from_numpy(RNG.normal(size=(2, 4))), torch.from_numpy(RNG.uniform(0.5, 2, size=(2, 4)))
    running = torch.from_numpy(RNG.normal(size=4)), torch.from_numpy(RNG.uniform(0.5, 2, size=4))
    of = objective.Running.of
    wanted = ((mean - running[0]) ** 2 / running[1] + ((variance / running[1]).sqrt() - 1) ** 2).mean().item()
    found = objective.relative_diversity([(mean, variance)] * 2, of([running] * 2))
    assert found.item() == pytest.approx((10 + 11) * wanted)
    scaled = objective.relative_diversity([(3 * mean, 9 * variance)], of([(3 * running[0], 9 * running[1])]))
    assert scaled.item() == pytest.approx(10 * wanted), "another unit of a channel changes nothing"
    same = objective.relative_diversity([(running[0][None], running[1][None])], of([running]))
    assert same.item() == pytest.approx(0, abs=1e-12)
    dead = objective.relative_diversity([(mean, variance)], of([(running[0], torch.zeros(4, dtype=torch.float64))]))
    assert torch.isfinite(dead)


def test_nearness_counts_where_pixels_differ() -> None:
    clip, other = torch.rand(1, 3, 4, 6, 6), torch.rand(1, 3, 4, 6, 6)
    expected = objective.NEARNESS_SCALE * np.mean(
        [
            math.sqrt((a - b) ** 2 + objective.EPSILON**2) - objective.EPSILON
            for a, b in zip(clip.flatten(), other.flatten(), strict=True)
        ]
    )
    assert float(objective.nearness(clip, other)) == pytest.approx(expected, rel=1e-4)
    same = clip.clone().requires_grad_(True)
    objective.nearness(same, clip).backward()
    assert float(objective.nearness(clip, clip)) == pytest.approx(0, abs=1e-4) and same.grad is not None
    assert same.grad.isfinite().all() and not same.grad.any()
