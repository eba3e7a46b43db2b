"""The networks of one run, loaded, and how they look at a clip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from .. import models, video
from ..config import SynthesisConfig
from ..errors import ModelError
from ..models.adapter import Observation, VideoModel
from .objective import Running, Seen, Targets, distant_mean
from .plan import Plan
from .schedule import spread
from .state import NOT_YET, Verified


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
class Glance:
    """What model, verifier and frame verifier show of some views of a clip (None: there is none)."""

    model: Observation
    verifier: Observation | None
    frames: Observation | None


@dataclass(frozen=True)
class Networks:
    """Model, verifier (maybe the model itself), judge, frame verifier and object judge (None: none); the class of the action,
    the labels of all classes, and the object judge's classes that belong to the action."""

    model: VideoModel
    verifier: VideoModel | None
    judge: VideoModel | None
    class_index: int
    labels: tuple[str, ...]
    frame_verifier: VideoModel | None = None
    object_judge: VideoModel | None = None
    objects: tuple[int, ...] = ()
    notices: tuple[str, ...] = ()

    @property
    def verifies_itself(self) -> bool:
        """Whether the model's own statistics are the verifier's: no second pass is made then."""
        return self.verifier is self.model

    @classmethod
    def load(cls, plan: Plan) -> Networks:
        """Those that the plan names. Raises `ModelError`, also for a verifier that was asked for and has no batch norm,
        whatever its record says; one that was found by itself is left out, and `notices` say so."""
        device, cast = plan.config.device, plan.cast
        found = {
            name: models.load(record.key, device, plan.config.precision)
            for name, record in cast.networks.items()
            if name == "model" or record != cast.model
        }
        if cast.verifier == cast.model:
            found["verifier"] = found["model"]
        notices = []
        for name in ("verifier", "frame_verifier"):
            if name in found and not found[name].shows_statistics:
                said = f"“{found.pop(name).spec.key}” has no batch norm that can be watched, though its record says so"
                role = name.replace("_", " ")
                if getattr(plan.config, name) != "auto":
                    raise ModelError(f"{said}: it can't be the {role}. Choose another, or none.")
                notices.append(f"{said}: there is no {role} in this run.")
        return cls(
            found["model"],
            found.get("verifier"),
            found.get("judge"),
            cast.class_index,
            models.labels(cast.model.world),
            found.get("frame_verifier"),
            found.get("object_judge"),
            cast.objects,
            tuple(notices),
        )

    @torch.no_grad()
    def targets(self, plan: Plan, clip: Tensor) -> Targets:
        """All that is constant at the resolution of a clip, computed once: the stimuli's features and margin, the
        verifier's statistics."""
        targets = Targets(self.class_index)
        if plan.stimulus is not None and len(plan.stimulus):
            small = (video.to_tensor(video.resample(frames, *clip.shape[2:4])) for frames in plan.stimulus)
            seen = [self.model.observe(tensor.to(self.model.mean.device)) for tensor in small]
            targets.near = video.to_tensor(video.resample(plan.stimulus[0], *clip.shape[2:4])).to(clip.device)
            targets.features = [torch.stack(tap).mean(0) for tap in zip(*(one.features for one in seen), strict=True)]
            margins = [distant_mean(one.temporal) for one in seen if one.temporal is not None]
            targets.margin = torch.stack(margins).mean() if margins else 1.0
        if plan.config.margin is not None:
            targets.margin = plan.config.margin
        if self.verifier is not None:
            targets.running = Running.of(self.verifier.observe(clip, features=False, statistics=True).running)
        if self.frame_verifier is not None:
            targets.frame_running = Running.of(self._frames(clip).running)
        return targets

    def glance(self, views: Sequence[Sequence[Tensor]], settings: SynthesisConfig, turn: int = 0) -> list[Glance]:
        """One forward pass of model, verifier and frame verifier over views (1, 3, T, H, W) of one clip or several, and what
        each clip's show. `turn`: the number of the step. The verifier looks at every `verify_every`-th; a frame verifier that
        looks at some of the frames only looks at others from step to step."""
        batch, many = torch.cat([view for of_one in views for view in of_one]), [len(of_one) for of_one in views]
        verifies = turn % settings.verify_every == 0
        seen = self.model.observe(batch, statistics=self.verifies_itself and verifies).split(many)
        checked: Sequence[Observation | None] = [None] * len(many)
        if self.verifier is not None and not self.verifies_itself and verifies:
            checked = self.verifier.observe(batch, features=False, statistics=True).split(many)
        frames: Sequence[Observation | None] = [None] * len(many)
        if self.frame_verifier is not None:
            some = spread(batch.shape[2], settings.frames_verified, turn)
            frames = self._frames(batch[:, :, some] if settings.frames_verified else batch).split(many)
        return list(map(Glance, seen, checked, frames))

    def look(
        self, glance: Glance, clip: Tensor, settings: SynthesisConfig, targets: Targets, verified: Verified = NOT_YET
    ) -> Look:
        """What was seen of a clip's views, for the terms and to be told, which is the mean over the views. `verified`: what the
        verifier last found, which stands where it didn't look."""
        seen, statistics, opinion = glance.model, glance.model.statistics, verified.probability
        if glance.verifier is not None:
            statistics = glance.verifier.statistics
            opinion = glance.verifier.logits.detach().softmax(1).mean(0)[self.class_index].item()
        frames = glance.frames.statistics if glance.frames else []
        normalised, probabilities = self.model.normalise(clip), seen.logits.detach().softmax(1).mean(0)
        shown = seen.logits, seen.features, seen.temporal, statistics, frames
        return Look(
            Seen(settings, targets, clip, normalised, *shown, verified.diversity),
            probabilities,
            probabilities[self.class_index].item(),
            opinion,
            seen.embedding.detach().mean(0).cpu().numpy() if seen.embedding is not None else np.zeros(0),
        )

    def _frames(self, clip: Tensor) -> Observation:
        """What the frame verifier shows of a clip, at the clip's own size unless it takes one size only."""
        assert self.frame_verifier is not None
        fits = "size" not in self.frame_verifier.spec.fixed
        return self.frame_verifier.observe(clip if fits else self.frame_verifier.fit(clip), features=False, statistics=True)

    @torch.no_grad()
    def judged(self, clip: Tensor) -> float | None:
        """The judge's probability of the action; it sees the clip at its own length and size."""
        if self.judge is None:
            return None
        return self.judge(self.judge.fit(clip)).softmax(1)[0, self.class_index].item()

    @torch.no_grad()
    def score(self, clip: Tensor) -> dict[str, Any]:
        """Probability of the action and top-1 label by each network, of the untransformed clip, its amount of motion, and the
        objects that the object judge sees in it."""
        scores: dict[str, Any] = {}
        verifier = None if self.verifies_itself else self.verifier
        for name, network in (("model", self.model), ("verifier", verifier), ("judge", self.judge)):
            p = None
            if network is not None:
                p = network(network.fit(clip) if network is self.judge else clip).softmax(1)[0]
            scores[name] = None if p is None else p[self.class_index].item()
            scores[f"{name}_top1"] = None if p is None else self.labels[int(p.argmax())]
        return scores | {"motion": video.motion(video.to_frames(clip))} | self.objects_in(clip)

    @torch.no_grad()
    def objects_in(self, clip: Tensor) -> dict[str, Any]:
        """What the object judge sees: its five best classes with their probabilities (the mean over the frames), and the rank,
        from 1 on, of the best class that belongs to the action. Nothing without one."""
        if self.object_judge is None:
            return {}
        names = models.labels(self.object_judge.spec.world)
        p = self.object_judge(self.object_judge.fit(clip)).softmax(1)[0]
        best, own = p.topk(min(5, len(p))), p[list(self.objects)].max()
        seen = [[names[i], share] for share, i in zip(best.values.tolist(), best.indices.tolist(), strict=True)]
        return {"objects": seen, "object_rank": int((p > own).sum()) + 1}
