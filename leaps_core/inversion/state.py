"""All that changes from step to step. Its `state_dict` is a checkpoint."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from .. import video
from ..config import LIVE_SETTINGS
from ..errors import ConfigError, LeapsError
from ..models.adapter import VideoModel
from ..models.shapes import Shape
from .canvas import make_canvas
from .plan import Plan
from .schedule import learning_rate

CONFIDENCE_STEPS = 10
"""The model's probability of the action is averaged over about so many steps: its confidence."""


@dataclass(frozen=True)
class Verified:
    """What the verifier found when it last looked (None: it never did): R_feat, and its probability of the action."""

    diversity: float | None = None
    probability: float | None = None


NOT_YET = Verified()
"""Before the verifier has looked, or where there is none."""
_ADVICE = "Lower the learning rate or the weights of the terms, and start again; the clip before that is kept."


class State:
    """The canvas, its optimiser and the random numbers; the live settings; how many steps are done, and in how many seconds.

    `confidence` is the running mean of the model's probability of the action, from 0 on; `verified` what the verifier last
    found, as it may not look at each step. Raises `ConfigError` for a clip that
    should begin at its stimulus where there is none.
    """

    def __init__(self, plan: Plan, model: VideoModel) -> None:
        self.settings = plan.config
        self.done, self.seconds, self.confidence = 0, 0.0, 0.0
        self.verified = NOT_YET
        self.generator = torch.Generator().manual_seed(plan.config.seed)
        self.shape = plan.shape_at(0)
        self.canvas = make_canvas(plan.config, self.shape, model.mean.flatten(), model.std.flatten(), self.generator)
        if plan.config.begin_at == "stimulus":
            if plan.stimulus is None or not len(plan.stimulus):
                raise ConfigError("The clip should begin at its stimulus, and has none. Give one, or take begin_at=noise.")
            self.canvas.fit(video.to_tensor(plan.stimulus[0]).to(model.mean.device))
        self.optimizer = self._adam()

    def grow(self, shape: Shape) -> None:
        """Go on with a larger clip, which keeps its picture. Adam starts anew."""
        self.canvas.grow(shape)
        self.shape, self.optimizer = shape, self._adam()

    def change(self, changes: dict[str, Any]) -> None:
        """New values of live settings."""
        self.settings = self.settings.replace(**changes)
        self.canvas.set_speed(self.settings.motion_speed)

    def loss(self, weighted: dict[str, Tensor]) -> Tensor:
        """The sum of the terms, whose gradient comes next. Raises `LeapsError` for a term that is no number."""
        terms = torch.stack(list(weighted.values()))
        for name, value in zip(weighted, terms.tolist(), strict=True):
            if not math.isfinite(value):
                raise LeapsError(f"The term “{name}” became {value} at step {self.done + 1}. {_ADVICE}")
        self.optimizer.zero_grad()
        return terms.sum()

    def descend(self, again: Callable[[], dict[str, Tensor]]) -> None:
        """One step of the optimiser down the loss's gradient, which is there. Raises `LeapsError` for one that is no number:
        then nothing has moved. `again` computes the weighted terms once more, to find whose gradient it is."""
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(self.settings, self.done)
        slope = self.canvas.values.grad
        assert slope is not None
        if not slope.sum().isfinite() and not slope.isfinite().all():  # a sum takes one pass, and mostly suffices
            terms = again()
            steep = self._steep(terms)
            whose = "of " + " and ".join(f"“{name}”" for name in steep) if steep else f"of one of {', '.join(terms)}"
            raise LeapsError(
                f"The gradient {whose} is no number at step {self.done + 1}, though the terms are: an endless slope. {_ADVICE}"
            )
        self.optimizer.step()
        self.canvas.project()
        self.done += 1

    def _steep(self, terms: dict[str, Tensor]) -> list[str]:
        """The names of the terms whose own gradient is no number."""
        slopes = {
            name: torch.autograd.grad(term, self.canvas.values, retain_graph=True, allow_unused=True)[0]
            for name, term in terms.items()
            if term.requires_grad
        }
        return [name for name, slope in slopes.items() if slope is not None and not slope.isfinite().all()]

    def trust(self, probability: float) -> None:
        """Note the model's probability of the action."""
        self.confidence += (probability - self.confidence) / CONFIDENCE_STEPS

    def state_dict(self) -> dict[str, Any]:
        """Tensors and plain values only; copies, so that an interrupt in the middle of the next step still finds it whole."""
        return {
            "done": self.done,
            "seconds": self.seconds,
            "live": {name: getattr(self.settings, name) for name in LIVE_SETTINGS},
            "confidence": self.confidence,
            "verified": asdict(self.verified),
            "shape": list(self.shape),
            "values": self.canvas.values.detach().clone(),
            "optimizer": copy.deepcopy(self.optimizer.state_dict()),
            "generator": self.generator.get_state(),
        }

    def load_state_dict(self, checkpoint: dict[str, Any]) -> None:
        """Be where a checkpoint of the same config (its `steps` may be another) was taken."""
        self.done, self.seconds = int(checkpoint["done"]), float(checkpoint["seconds"])
        # what it is called now; once; and where none was kept, views were always as strong
        self.confidence = float(checkpoint.get("confidence", checkpoint.get("sureness", 1.0)))
        self.verified = Verified(**checkpoint.get("verified", {}))
        self.change(checkpoint["live"])
        t, h, w = checkpoint["shape"]
        self.grow((t, h, w))
        with torch.no_grad():
            self.canvas.values.copy_(checkpoint["values"])
        self.optimizer.load_state_dict(checkpoint["optimizer"])
        self.generator.set_state(checkpoint["generator"])

    def _adam(self) -> torch.optim.Adam:
        settings = self.settings
        return torch.optim.Adam([self.canvas.values], settings.learning_rate, (settings.beta_1, settings.beta_2))
