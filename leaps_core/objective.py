"""The LEAPS objective, term by term.

    L = L_CE + L_prim + r · (coherence · R_coh + diversity · R_feat) + smoothness · (κ · spatial + χ · temporal) + norm · ‖x‖₂

(Stergiou & Deligiannis, "Leaping Into Memories", ICCV 2023; the last two are ours and the reference run's.) Each term
is a pure function of tensors that returns a scalar, the mean over the batch; `Objective` adds them by name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

if TYPE_CHECKING:
    from .config import SynthesisConfig

SPATIAL = 1.0
"""κ, the weight of spatial differences within smoothness."""
SMOOTHNESS_SCALE = 80.0
"""Mean squared differences of pixels are small numbers; this brings sensible weights of smoothness near 1."""


def cross_entropy(logits: Tensor, action: int) -> Tensor:
    """L_CE: −log softmax(logits)_y, for logits (B, K) and the class index y."""
    return F.cross_entropy(logits, torch.full((len(logits),), action, device=logits.device))


def jaccard_distance(a: Tensor, b: Tensor) -> Tensor:
    """1 − a·b / (‖a‖² + ‖b‖² − a·b) over the last axis: 0 only for equal vectors, at most 4/3; 0 where both are 0.

    Written as ‖a−b‖² / (‖a−b‖² + a·b), which doesn't cancel for nearly equal vectors.
    """
    apart = (a - b).square().sum(-1)
    union = apart + (a * b).sum(-1)
    both_zero = union == 0
    return torch.where(both_zero, torch.zeros_like(apart), apart / torch.where(both_zero, torch.ones_like(union), union))


def layer_weights(taps: int, lambda_1: float, lambda_L: float, share: int = 100) -> list[float]:
    """λ_l for the first ⌊share · L / 100⌋ of L taps: from λ_1 at the first tap in equal steps to λ_L at the last of *all*.

    A shortened list keeps its λ_l. `share` in percent.
    """
    slope = (lambda_L - lambda_1) / (taps - 1) if taps > 1 else 0.0
    return [lambda_1 + slope * index for index in range(share * taps // 100)]


def priming(features: Sequence[Tensor], targets: Sequence[Tensor], weights: Sequence[float]) -> Tensor:
    """L_prim = (1/L) Σ_{l∈Λ} λ_l · JVS(μ(z^l(x*)), μ(z^l(v))).

    `features` and `targets` hold one (B, C_l) a tap; `weights` the λ_l of Λ. L counts all taps, also those beyond Λ.
    """
    terms = [weight * jaccard_distance(a, b).mean() for a, b, weight in zip(features, targets, weights, strict=False)]
    return torch.stack(terms).sum() / len(features) if terms else features[0].new_zeros(())


def temporal_distances(z: Tensor) -> Tensor:
    """d(t1, t2) = ‖z_t1 − z_t2‖₁ for z of (B, C, T): all pairs, (B, T, T)."""
    moments = z.transpose(1, 2)
    return (moments.unsqueeze(2) - moments.unsqueeze(1)).abs().sum(-1)


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
        total = total + weight * (_length(mean - running_mean) + _length(variance - running_variance))
    return total


def smoothness(clip: Tensor, temporal: float) -> Tensor:
    """κ · mean squared difference of neighbouring pixels in space + χ · the same in time, of a clip (B, 3, T, H, W).

    `temporal` is χ. Up to the constant `SMOOTHNESS_SCALE`.
    """
    spatial = clip.diff(dim=-1).square().mean() + clip.diff(dim=-2).square().mean()
    along_time = clip.diff(dim=2).square().mean() if clip.shape[2] > 1 else clip.new_zeros(())
    return SMOOTHNESS_SCALE * (SPATIAL * spatial + temporal * along_time)


def _length(x: Tensor) -> Tensor:
    """‖x‖₂ over the last axis, mean over the batch, with a finite gradient at 0."""
    return (x.square().sum(-1) + 1e-12).sqrt().mean()


@dataclass
class Targets:
    """What is constant during a run: the class, the stimuli's mean features, the margin, the verifier's statistics."""

    action: int
    features: list[Tensor] = field(default_factory=list)
    margin: Tensor | float = 1.0
    running: list[tuple[Tensor, Tensor]] = field(default_factory=list)


class Objective:
    """Adds the terms by name. Which terms exist depends on the targets: no stimulus, no priming; no verifier, no
    diversity."""

    def __init__(self, targets: Targets) -> None:
        self.targets = targets

    def __call__(
        self,
        config: SynthesisConfig,
        clip: Tensor,
        normalised: Tensor,
        logits: Tensor,
        features: Sequence[Tensor],
        temporal: Tensor | None,
        statistics: Sequence[tuple[Tensor, Tensor]],
    ) -> tuple[dict[str, Tensor], dict[str, float]]:
        """Raw terms (scalars) and their weights, of one step.

        `clip` (B, 3, T, H, W) in [0, 1] and `normalised` the same as the model sees it, both untransformed; the others
        are what model and verifier observe of the transformed clip.
        """
        targets = self.targets
        terms = {"cross_entropy": cross_entropy(logits, targets.action)}
        weights = {"cross_entropy": 1.0}
        if targets.features:
            lambdas = layer_weights(len(features), config.lambda_1, config.lambda_L, config.priming_share)
            terms["priming"], weights["priming"] = priming(features, targets.features, lambdas), 1.0
        if temporal is not None:
            terms["coherence"], weights["coherence"] = coherence(temporal, targets.margin), config.r * config.coherence
        if targets.running:
            terms["diversity"], weights["diversity"] = diversity(statistics, targets.running), config.r * config.diversity
        terms["smoothness"] = smoothness(clip, 1.0 / config.motion_speed**2)
        weights["smoothness"] = config.smoothness
        if config.norm:
            terms["norm"], weights["norm"] = normalised.flatten(1).norm(dim=1).mean(), config.norm
        return terms, weights
