"""One run on its way through the loop."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from torch import Tensor

from ..config import SynthesisConfig
from ..errors import LeapsError, RunError
from ..models.adapter import PROBABILITIES, are_probabilities
from ..models.shapes import primed_taps
from .control import Control
from .networks import Glance, Networks
from .plan import Plan
from .schedule import snapshot_steps
from .state import State, Verified
from .step import Step
from .terms import Term, evaluate
from .transforms import transform

STRENGTH_EXPONENT = 4
"""The strength of a view's noise and colours is the model's confidence to this power: at 0.5 a sixteenth, at 0.9 two thirds.
A model that can't see through noise gets little of it, a sure one nearly all."""


@dataclass
class Lane:
    """A run in the loop: its plan, who steers it, the terms of its loss, and a checkpoint to begin at. `told`: steps that
    nobody has asked for yet; `over`: whether there are no more; `error`: why, if something went wrong."""

    plan: Plan
    control: Control
    terms: Sequence[Term]
    checkpoint: dict[str, Any] | None = None
    told: deque[Step] = field(default_factory=deque)
    error: Exception | None = None
    over: bool = False

    def begin(self) -> None:
        """Load the networks, and be at noise, or where the checkpoint was taken."""
        plan = self.plan
        self.networks = Networks.load(plan)
        self.last: Step | None = None
        self.state = State(plan, self.networks.model)
        if self.checkpoint is not None:
            self.state.load_state_dict(self.checkpoint)
            self.control.skip(self.state.done)
            if (done := self.state.done) >= plan.config.steps:
                raise RunError(f"The run has made all of its {done} steps. To go on, ask for more than {done} steps.")
        self.clip = self.state.canvas()
        self.targets = self.networks.targets(plan, self.clip)
        self.clock = time.perf_counter()

    def ready(self) -> bool:
        """Whether there is a step to make, with all that comes before it."""
        # wait while paused, end when stopped
        self.clock += self.control.wait()
        if self.control.state == "stopped" and self.last is not None:
            self.end()
        if self.over:
            return False

        # from coarse to fine: the clip grows, and the stimulus is looked at again at its new size
        if (shape := self.plan.shape_at(self.state.done))[1] > self.state.shape[1]:
            self.state.grow(shape)
            self.clip = self.state.canvas()
            self.targets = self.networks.targets(self.plan, self.clip)

        # what was changed since the last step
        if changes := self.control.take(self.state.done + 1):
            self.state.change(changes)
            self.clip = self.state.canvas()
        return True

    def views(self) -> list[Tensor]:
        """Random views of the clip, stronger ones the surer the model is."""
        strength = self.state.confidence**STRENGTH_EXPONENT
        self.random = self.state.generator.get_state()
        return [
            transform(self.clip, self.state.settings, self.state.generator, strength) for _ in range(self.plan.config.views)
        ]

    def weigh(self, glance: Glance) -> bool:
        """Weigh the terms, by what the networks saw of the views; `loss` is their sum. Whether that is a number: else the run
        is over."""
        self._evaluate(glance)
        try:
            self.loss = self.state.loss(self.weighted)
        except LeapsError as error:
            self.end(error)
        return not self.over

    def move(self) -> bool:
        """Move the canvas down the gradient of the loss. Whether that is a number: else the run is over."""
        try:
            self.state.descend(self._again)
        except LeapsError as error:
            self.end(error)
        self.state.trust(self.look.probability)
        if "diversity" in self.losses:
            self.state.verified = Verified(self.losses["diversity"].item(), self.look.verifier)
        return not self.over

    def _evaluate(self, glance: Glance) -> None:
        self.look = self.networks.look(glance, self.clip, self._settings, self.targets, self.state.verified)
        self.losses, self.weighted = evaluate(self.terms, self.look.seen)

    def _again(self) -> dict[str, Tensor]:
        """The weighted terms of this step once more, of the same views."""
        self.state.generator.set_state(self.random)
        self.clip = self.state.canvas()
        (glance,) = self.networks.glance([self.views()], self.state.settings, self.state.done)
        self._evaluate(glance)
        return self.weighted

    def tell(self, share: float) -> None:
        """Tell of the step that was made, which took this share of the time since the one before."""
        now = time.perf_counter()
        self.state.seconds += share * (now - self.clock)
        self.clock = now
        self.control.keep(self.state.state_dict())
        self.clip = self.state.canvas()
        self.last = step = self._step()
        if step.index < step.total:
            self.told.append(step)
        else:
            self.end()

    def end(self, error: Exception | None = None) -> None:
        """There are no more steps; the one before is the result."""
        self.over, self.error = True, error
        if self.last is not None:
            self.told.append(ended(self.last, self.networks))

    @property
    def _settings(self) -> SynthesisConfig:
        """The live settings, with what is left of the evidence at the full size of a clip that was smaller before."""
        plan, settings = self.plan, self.state.settings
        grown = plan.shape_at(0) != plan.shape == self.state.shape
        return settings.replace(evidence=settings.evidence * settings.evidence_last) if grown else settings

    def _step(self) -> Step:
        """What there is to tell of the step that was just made."""
        look, networks, clip = self.look, self.networks, self.clip.detach()
        index, total = self.state.done, self.plan.config.steps
        snapshot = index in snapshot_steps(total)
        best = look.probabilities.topk(min(5, len(networks.labels)))
        return Step(
            index=index,
            total=total,
            losses={name: loss.item() for name, loss in self.losses.items()},
            weighted={name: loss.item() for name, loss in self.weighted.items()},
            probabilities={
                "model": look.probability,
                "verifier": look.verifier,
                "judge": networks.judged(clip) if snapshot else None,
            },
            top5=tuple((networks.labels[i], p) for p, i in zip(best.values.tolist(), best.indices.tolist(), strict=True)),
            clip=clip,
            embedding=look.embedding,
            seconds=self.state.seconds,
            snapshot=snapshot,
            device=str(clip.device),
            notices=self._notices() if index == 1 else (),
        )

    def _notices(self) -> tuple[str, ...]:
        """What the person should know: what the plan says, what the networks turned out to be, and whether anything is
        primed."""
        plan, said = self.plan, [*self.plan.notices, *self.networks.notices]
        if are_probabilities(self.look.seen.logits, self.networks.model.precision):
            said.append(PROBABILITIES.format(plan.config.model))
        taps, share = len(self.networks.model.taps), plan.config.priming_share
        if plan.stimulus is None or not len(plan.stimulus):
            said.append("Unprimed: no stimulus, so nothing but the model's own idea of the action guides the clip.")
        elif not primed_taps(taps, share):
            said.append(f"Unprimed: {share} % of {taps} layers is none.")
        return tuple(said)


def ended(step: Step, networks: Networks) -> Step:
    """The last step once more, with the scores of the finished clip."""
    final = networks.score(step.clip)
    probabilities = step.probabilities | {"judge": final["judge"]}
    speed = {"seconds": step.seconds, "steps_per_second": step.index / step.seconds}
    return replace(step, snapshot=True, probabilities=probabilities, final=final | speed)
