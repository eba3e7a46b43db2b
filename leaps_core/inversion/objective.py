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


def diversity(statistics: Sequence[tuple[Tensor, Tensor]], running: Sequence[tuple[Tensor, Tensor]]) -> Tensor:
    """R_feat = Σ_l w_l (‖μ_l(x*) − BN_l.running_mean‖₂ + ‖σ²_l(x*) − BN_l.running_var‖₂), w_1 = 10, w_l = 1 + 10/(l−1).

    `statistics`: per batch-norm layer of the verifier, mean and biased variance (B, C) of its *input* over T, H, W;
    `running`: the layer's running mean and variance (C,).
    """
    total = statistics[0][0].new_zeros(())
    for index, ((mean, variance), (running_mean, running_variance)) in enumerate(zip(statistics, running, strict=True)):
        weight = 10.0 if index == 0 else 1.0 + 10.0 / index
        total = total + weight * (_norm(mean - running_mean) + _norm(variance - running_variance))
    return total


def relative_diversity(statistics: Sequence[tuple[Tensor, Tensor]], running: Sequence[tuple[Tensor, Tensor]]) -> Tensor:
    """R_feat measured in each channel's own spread: Σ_l w_l · mean_c[(μ − m)² / v + (σ / √v − 1)²], w_l as in `diversity`;
    m and v are the running mean and variance, μ and σ² the clip's, (B, C).

    About 20 to 50 for real clips whatever the network, where the paper's form counts in the networks' units. v is taken to be
    at least a thousandth of the layer's mean variance: a channel that never moved would count without end.
    """
    total = statistics[0][0].new_zeros(())
    for index, ((mean, variance), (running_mean, running_variance)) in enumerate(zip(statistics, running, strict=True)):
        weight = 10.0 if index == 0 else 1.0 + 10.0 / index
        v = running_variance.clamp_min(1e-3 * float(running_variance.mean()) + 1e-12)
        spread = (variance.clamp_min(1e-12) / v).sqrt()
        total = total + weight * ((mean - running_mean).square() / v + (spread - 1).square()).mean()
    return total


def smoothness(clip: Tensor, temporal: float) -> Tensor:
    """κ · mean squared difference of neighbouring pixels in space + χ · the same in time, of a clip (B, 3, T, H, W).

    `temporal` is χ. Up to the constant `SMOOTHNESS_SCALE`.
    """
    spatial = clip.diff(dim=-1).square().mean() + clip.diff(dim=-2).square().mean()
    along_time = clip.diff(dim=2).square().mean() if clip.shape[2] > 1 else clip.new_zeros(())
    return SMOOTHNESS_SCALE * (SPATIAL * spatial + temporal * along_time)


def nearness(clip: Tensor, other: Tensor) -> Tensor:
    """How far a clip (B, 3, T, H, W) is from another one: the mean of √((x − v)² + ε²) − ε over its values, up to the constant
    `NEARNESS_SCALE`. Nearly the absolute difference, which leaves most pixels as they are and changes some, where a square
    would change all a little; ε keeps its gradient finite where nothing has changed yet."""
    return NEARNESS_SCALE * (((clip - other).square() + EPSILON**2).sqrt() - EPSILON).mean()


def _norm(x: Tensor) -> Tensor:
    """‖x‖₂ over the last axis, mean over the batch, with a finite gradient at 0."""
    return (x.square().sum(-1) + 1e-12).sqrt().mean()


@dataclass
class Targets:
    """What is constant at one resolution: the class, the stimuli's mean features (B, C_l) per tap, the margin δ, the
    running statistics (C,) per batch norm of the verifier and of the frame verifier, and `near`, the first stimulus at this
    resolution (1, 3, T, H, W)."""

    class_index: int
    features: list[Tensor] = field(default_factory=list)
    margin: Tensor | float = 1.0
    running: list[tuple[Tensor, Tensor]] = field(default_factory=list)
    frame_running: list[tuple[Tensor, Tensor]] = field(default_factory=list)
    near: Tensor | None = None


@dataclass(frozen=True)
class Seen:
    """What there is to judge a step by, and the terms of the loss as functions of it (None: this run has no such term).

    `clip` (B, 3, T, H, W) in [0, 1] and `normalised`, the same as the model sees it, are untransformed; `logits` (B, K),
    `features` (B, C_l) per tap and `temporal` (B, C, T') are what the model shows of the transformed clip, `statistics`
    and `frame_statistics` (mean and variance (B, C) per batch norm) what verifier and frame verifier show of it. B is the
    number of views. `settings` are the live ones.
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
        """R_feat in the form that is asked for; needs a verifier."""
        if not self.targets.running:
            return None
        form = relative_diversity if self.settings.diversity_form == "relative" else diversity
        return form(self.statistics, self.targets.running)

    def naturalness(self) -> Tensor | None:
        """R_frames, the relative R_feat of the frame verifier; needs one."""
        return relative_diversity(self.frame_statistics, self.targets.frame_running) if self.targets.frame_running else None

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
