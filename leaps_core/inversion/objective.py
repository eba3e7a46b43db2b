"""The LEAPS objective, term by term.

    L = L_CE + L_prim + r · (coherence · R_coh + diversity · R_feat) − evidence · E + naturalness · R_frames
        + smoothness · (κ · spatial + χ · temporal) + nearness · D(x, v) + norm · ‖x‖₂

(Stergiou & Deligiannis, "Leaping Into Memories", ICCV 2023; evidence, naturalness, smoothness and nearness are ours, the norm
is the reference run's.) Each term is a pure function of tensors that returns a scalar, the mean over the batch. Which of them
enter the loss, by which names and weights, is in terms.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ..config import SynthesisConfig
from ..models.shapes import layer_weights

SPATIAL = 1.0
"""κ, the weight of spatial differences within smoothness."""
SMOOTHNESS_SCALE = 80.0
"""Mean squared differences of pixels are small numbers; this brings sensible weights of smoothness near 1."""


NEARNESS_SCALE = 100.0
"""A mean difference of a hundredth of the range counts 1 at a weight of 1."""
EPSILON = 0.01
"""Differences of pixels below this count less than in proportion."""


def cross_entropy(logits: Tensor, class_index: int) -> Tensor:
    """L_CE: −log softmax(logits)_y, for logits (B, K) and the class y."""
    return F.cross_entropy(logits, torch.full((len(logits),), class_index, device=logits.device))


def evidence(logits: Tensor, class_index: int, form: str) -> Tensor:
    """E of logits (B, K) for the class y, by `form`: "logit", z_y; or "margin", z_y − ln Σ_{k≠y} exp z_k = ln(p_y / (1 − p_y)).

    Where cross entropy ends as soon as the model is sure (its gradient is p − 1), evidence goes on: what feature visualisation
    has maximised since Simonyan et al. 2014. A logit alone lifts its neighbours' too; the margin doesn't.
    """
    own = logits[:, class_index]
    if form == "logit":
        return own.mean()
    others = torch.cat([logits[:, :class_index], logits[:, class_index + 1 :]], 1)
    return (own - others.logsumexp(1)).mean()


def jaccard_distance(a: Tensor, b: Tensor) -> Tensor:
    """1 − a·b / (‖a‖² + ‖b‖² − a·b) over the last axis: 0 only for equal vectors, at most 4/3; 0 where both are 0.

    Written as ‖a−b‖² / (‖a−b‖² + a·b), which doesn't cancel for nearly equal vectors.
    """
    apart = (a - b).square().sum(-1)
    union = apart + (a * b).sum(-1)
    both_zero = union == 0
    return torch.where(both_zero, torch.zeros_like(apart), apart / torch.where(both_zero, torch.ones_like(union), union))


def priming(features: Sequence[Tensor], targets: Sequence[Tensor], weights: Sequence[float]) -> Tensor:
    """L_prim = (1/L) Σ_{l∈Λ} λ_l · JVS(μ(z^l(x*)), μ(z^l(v))).

    `features` and `targets` hold one (B, C_l) per tap; `weights` the λ_l of Λ. L counts all taps, also those beyond Λ.
    """
    terms = [weight * jaccard_distance(a, b).mean() for a, b, weight in zip(features, targets, weights, strict=False)]
    return torch.stack(terms).sum() / len(features) if terms else features[0].new_zeros(())


def temporal_distances(z: Tensor) -> Tensor:
    """d(t1, t2) = ‖z_t1 − z_t2‖₁ for z of (B, C, T): all pairs, (B, T, T)."""
    steps = z.transpose(1, 2)
    return (steps.unsqueeze(2) - steps.unsqueeze(1)).abs().sum(-1)


def coherence(z: Tensor, margin: Tensor | float) -> Tensor:
    """R_coh = mean of d over neighbouring pairs + mean of max(0, δ − d) over pairs with |t1 − t2| ≥ 2, each once.

    `z` (B, C, T): the last tap with a time axis, averaged over space. A mean over no pairs is 0.
    """
    distances = temporal_distances(z)
    return _neighbours(distances) + _distant(F.relu(margin - distances))


def distant_mean(z: Tensor) -> Tensor:
    """Mean d over pairs with |t1 − t2| ≥ 2 of z (B, C, T): a real clip's own margin δ."""
    return _distant(temporal_distances(z))


def _neighbours(pairs: Tensor) -> Tensor:
    values = torch.diagonal(pairs, 1, -2, -1)
    return values.mean() if values.numel() else pairs.new_zeros(())


def _distant(pairs: Tensor) -> Tensor:
    t = pairs.shape[-1]
    first, second = torch.triu_indices(t, t, 2, device=pairs.device)
    return pairs[:, first, second].mean() if len(first) else pairs.new_zeros(())


@dataclass(frozen=True)
class Running:
    """What a network's batch norms remember of real clips, the channels of all layers in one row: running `mean` and `variance`
    (C,); v, the `spread` (C,), which is the variance, but at least a thousandth of the layer's mean variance, as a channel that
    never moved would count without end; `member` (C, L), 1 where a channel is of a layer; and w_l, the `weight` (L,) of each:
    w_1 = 10, w_l = 1 + 10/(l−1). One row takes a tenth of the time of many small ones."""

    mean: Tensor
    variance: Tensor
    spread: Tensor
    member: Tensor
    weight: Tensor

    @classmethod
    def of(cls, layers: Sequence[tuple[Tensor, Tensor]]) -> Running:
        """Of the running mean and variance (C_l,) of each layer, in execution order; float32 at least."""
        many, dtype = [len(mean) for mean, _ in layers], torch.promote_types(layers[0][0].dtype, torch.float32)
        mean, variance = (torch.cat(part).to(dtype) for part in zip(*layers, strict=True))
        spread = torch.cat([v.clamp_min(1e-3 * float(v.mean()) + 1e-12) for v in variance.split(many)])
        member = torch.block_diag(*(mean.new_ones(count, 1) for count in many))
        weight = mean.new_tensor([10.0 if index == 0 else 1.0 + 10.0 / index for index in range(len(layers))])
        return cls(mean, variance, spread, member, weight)

    @cached_property
    def share(self) -> Tensor:
        """w_l / C_l of each channel's layer, (C,): Σ_l w_l · mean_c is a product with it."""
        return self.member @ (self.weight / self.member.sum(0))


def diversity(statistics: Sequence[tuple[Tensor, Tensor]], running: Running) -> Tensor:
    """R_feat = Σ_l w_l (‖μ_l(x*) − BN_l.running_mean‖₂ + ‖σ²_l(x*) − BN_l.running_var‖₂).

    `statistics`: per batch-norm layer of the verifier, mean and biased variance (B, C_l) of its *input* over T, H, W.
    """
    mean, variance = _rows(statistics, running.mean.dtype)
    apart = torch.stack([mean - running.mean, variance - running.variance])
    norms = (apart.square() @ running.member + 1e-12).sqrt()  # with a finite gradient at 0
    return (norms @ running.weight).sum(0).mean()


def relative_diversity(statistics: Sequence[tuple[Tensor, Tensor]], running: Running) -> Tensor:
    """R_feat measured in each channel's own spread: Σ_l w_l · mean_c[(μ − m)² / v + (σ / √v − 1)²], where m is the running
    mean, μ and σ² the clip's, (B, C_l). About 20 to 50 for real clips whatever the network, where the paper's form counts in
    the networks' units."""
    mean, variance = _rows(statistics, running.mean.dtype)
    spread = (variance.clamp_min(1e-12) / running.spread).sqrt()
    apart = (mean - running.mean).square() / running.spread + (spread - 1).square()
    return (apart @ running.share).mean()


def _rows(statistics: Sequence[tuple[Tensor, Tensor]], dtype: torch.dtype) -> tuple[Tensor, ...]:
    """Means and variances of all layers, (B, C) each."""
    return tuple(torch.cat(part, 1).to(dtype) for part in zip(*statistics, strict=True))


def smoothness(clip: Tensor, temporal: float) -> Tensor:
    """κ · mean squared difference of neighbouring pixels in space + χ · the same in time, of a clip (B, 3, T, H, W).

    `temporal` is χ. Up to the constant `SMOOTHNESS_SCALE`.
    """
    apart: Tensor = _SquaredDifferences.apply(clip, {4: SPATIAL, 3: SPATIAL, 2: temporal})
    return SMOOTHNESS_SCALE * apart


class _SquaredDifferences(torch.autograd.Function):
    """Σ of the mean squared differences of neighbours along each of some axes, times its weight. With a gradient that is taken
    at once: autograd would go over the clip five times as often."""

    @staticmethod
    def forward(ctx: Any, clip: Tensor, weights: dict[int, float]) -> Tensor:
        """Of any tensor; an axis of one adds nothing."""
        total, gradient = clip.new_zeros(()), torch.zeros_like(clip)
        for axis, weight in weights.items():
            if many := clip.shape[axis] - 1:
                apart = clip.diff(dim=axis)
                share = weight / apart.numel()
                total += share * apart.flatten().dot(apart.flatten())
                gradient.narrow(axis, 1, many).add_(apart, alpha=2 * share)
                gradient.narrow(axis, 0, many).sub_(apart, alpha=2 * share)
        ctx.save_for_backward(gradient)
        return total

    @staticmethod
    def backward(ctx: Any, *slopes: Tensor) -> tuple[Tensor, None]:
        """d (a − b)² / da = 2 (a − b) = −d (a − b)² / db."""
        return slopes[0] * ctx.saved_tensors[0], None


def nearness(clip: Tensor, other: Tensor) -> Tensor:
    """How far a clip (B, 3, T, H, W) is from another one: the mean of √((x − v)² + ε²) − ε over its values, up to the constant
    `NEARNESS_SCALE`. Nearly the absolute difference, which leaves most pixels as they are and changes some, where a square
    would change all a little; ε keeps its gradient finite where nothing has changed yet."""
    return NEARNESS_SCALE * (((clip - other).square() + EPSILON**2).sqrt() - EPSILON).mean()


@dataclass
class Targets:
    """What is constant at one resolution: the class, the stimuli's mean features (B, C_l) per tap, the margin δ, the
    running statistics of the verifier and of the frame verifier (None: there is none), and `near`, the first stimulus at this
    resolution (1, 3, T, H, W)."""

    class_index: int
    features: list[Tensor] = field(default_factory=list)
    margin: Tensor | float = 1.0
    running: Running | None = None
    frame_running: Running | None = None
    near: Tensor | None = None


@dataclass(frozen=True)
class Seen:
    """What there is to judge a step by, and the terms of the loss as functions of it (None: this run has no such term).

    `clip` (B, 3, T, H, W) in [0, 1] and `normalised`, the same as the model sees it, are untransformed; `logits` (B, K),
    `features` (B, C_l) per tap and `temporal` (B, C, T') are what the model shows of the transformed clip, `statistics`
    and `frame_statistics` (mean and variance (B, C) per batch norm) what verifier and frame verifier show of it. B is the
    number of views. `settings` are the live ones. A verifier that doesn't look at this step shows no statistics; then
    `last_diversity` is what R_feat was when it last did.
    """

    settings: SynthesisConfig
    targets: Targets
    clip: Tensor
    normalised: Tensor
    logits: Tensor
    features: Sequence[Tensor]
    temporal: Tensor | None
    statistics: Sequence[tuple[Tensor, Tensor]]
    frame_statistics: Sequence[tuple[Tensor, Tensor]] = ()
    last_diversity: float | None = None

    def cross_entropy(self) -> Tensor:
        """L_CE."""
        return cross_entropy(self.logits, self.targets.class_index)

    def evidence(self) -> Tensor | None:
        """−E, as it is minimised; computed where it has a weight."""
        settings = self.settings
        return -evidence(self.logits, self.targets.class_index, settings.evidence_form) if settings.evidence else None

    def priming(self) -> Tensor | None:
        """L_prim; needs a stimulus."""
        if not self.targets.features:
            return None
        settings = self.settings
        weights = layer_weights(len(self.features), settings.lambda_1, settings.lambda_L, settings.priming_share)
        return priming(self.features, self.targets.features, weights)

    def coherence(self) -> Tensor | None:
        """R_coh; needs a tap with a time axis."""
        return None if self.temporal is None else coherence(self.temporal, self.targets.margin)

    def diversity(self) -> Tensor | None:
        """R_feat in the form that is asked for, with `verify_every` times its gradient; in a step at which the verifier doesn't
        look what it last was, without a gradient. Over the steps that is the pull of a verifier that looks at each. Needs
        one."""
        if self.targets.running is None:
            return None
        if not self.statistics:
            return None if self.last_diversity is None else self.clip.new_tensor(self.last_diversity)
        form = relative_diversity if self.settings.diversity_form == "relative" else diversity
        value, often = form(self.statistics, self.targets.running), self.settings.verify_every
        if often > 1 and value.requires_grad:
            value.register_hook(lambda slope: often * slope)
        return value

    def naturalness(self) -> Tensor | None:
        """R_frames, the relative R_feat of the frame verifier; needs one."""
        running = self.targets.frame_running
        return None if running is None else relative_diversity(self.frame_statistics, running)

    def smoothness(self) -> Tensor:
        """The penalty on differences of neighbouring pixels."""
        return smoothness(self.clip, 1.0 / self.settings.motion_speed**2)

    def nearness(self) -> Tensor | None:
        """The distance from the first stimulus; computed where it has a weight; needs a stimulus."""
        near = self.targets.near
        return nearness(self.clip, near) if near is not None and self.settings.nearness else None

    def norm(self) -> Tensor | None:
        """‖x‖₂ of the normalised clip; computed where it has a weight."""
        return self.normalised.flatten(1).norm(dim=1).mean() if self.settings.norm else None
