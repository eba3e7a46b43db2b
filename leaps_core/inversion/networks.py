"""The networks of one run, loaded, and how they look at a clip."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .. import models, video
from ..config import SynthesisConfig
from ..models.adapter import VideoModel
from .objective import Seen, Targets, distant_mean
from .plan import Plan


@dataclass(frozen=True)
class Look:
    """What one step sees: what the terms are computed from, the model's probabilities (K,), those that model and verifier
    (None: none) give the action, and the model's embedding (D,)."""

    seen: Seen
    probabilities: Tensor
    probability: float
    verifier: float | None
    embedding: np.ndarray


@dataclass(frozen=True)
class Networks:
    """Model, verifier and judge (None: none); the class of the action, and the labels of all classes."""

    model: VideoModel
    verifier: VideoModel | None
    judge: VideoModel | None
    class_index: int
    labels: tuple[str, ...]

    @classmethod
    def load(cls, plan: Plan) -> Networks:
        """Those that the plan names. Raises `ModelError`."""
        device, cast = plan.config.device, plan.cast
        found = {name: models.load(record.key, device) for name, record in cast.networks.items()}
        return cls(found["model"], found.get("verifier"), found.get("judge"), cast.class_index, models.labels(cast.model.world))

    @torch.no_grad()
    def targets(self, plan: Plan, clip: Tensor) -> Targets:
        """All that is constant at the resolution of a clip, computed once: the stimuli's features and margin, the
        verifier's statistics."""
        targets = Targets(self.class_index)
        if plan.stimulus is not None and len(plan.stimulus):
            small = (video.to_tensor(video.resample(frames, *clip.shape[2:4])) for frames in plan.stimulus)
            seen = [self.model.observe(tensor.to(self.model.mean.device)) for tensor in small]
            targets.features = [torch.stack(tap).mean(0) for tap in zip(*(one.features for one in seen), strict=True)]
            margins = [distant_mean(one.temporal) for one in seen if one.temporal is not None]
            targets.margin = torch.stack(margins).mean() if margins else 1.0
        if plan.config.margin is not None:
            targets.margin = plan.config.margin
        if self.verifier is not None:
            targets.running = self.verifier.observe(clip, features=False, statistics=True).running
        return targets

    def look(self, view: Tensor, clip: Tensor, settings: SynthesisConfig, targets: Targets) -> Look:
        """One forward pass of model and verifier over a view of the clip."""
        seen = self.model.observe(view)
        checked = self.verifier.observe(view, features=False, statistics=True) if self.verifier else None
        statistics = checked.statistics if checked else []
        normalised, probabilities = self.model.normalise(clip), seen.logits.detach().softmax(1)[0]
        return Look(
            Seen(settings, targets, clip, normalised, seen.logits, seen.features, seen.temporal, statistics),
            probabilities,
            probabilities[self.class_index].item(),
            checked.logits.detach().softmax(1)[0, self.class_index].item() if checked else None,
            seen.embedding.detach()[0].cpu().numpy() if seen.embedding is not None else np.zeros(0),
        )

    @torch.no_grad()
    def judged(self, clip: Tensor) -> float | None:
        """The judge's probability of the action; it sees the clip at its own length and size."""
        if self.judge is None:
            return None
        return self.judge(self.judge.fit(clip)).softmax(1)[0, self.class_index].item()

    @torch.no_grad()
    def score(self, clip: Tensor) -> dict[str, Any]:
        """Probability of the action and top-1 label by each network, of the untransformed clip, and its amount of motion."""
        scores: dict[str, Any] = {}
        for name, network in (("model", self.model), ("verifier", self.verifier), ("judge", self.judge)):
            p = None
            if network is not None:
                p = network(network.fit(clip) if network is self.judge else clip).softmax(1)[0]
            scores[name] = None if p is None else p[self.class_index].item()
            scores[f"{name}_top1"] = None if p is None else self.labels[int(p.argmax())]
        return scores | {"motion": video.motion(video.to_frames(clip))}
