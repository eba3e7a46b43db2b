"""What a run will do, decided once: `make_plan` resolves a config, and everybody else is handed the `Plan`."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from .. import machine, models
from ..config import SynthesisConfig
from ..errors import ConfigError, RunError
from ..models.shapes import Shape, clip_shape
from .estimate import Estimate, estimate, reckon, stages
from .stimulus import stimulus_clips


@dataclass(frozen=True)
class Plan:
    """A config with all that follows from it: who takes part, the clip's (T, H, W), what it will cost, what the person should
    know.

    `stimulus` are the clips that prime the run, uint8 (N, T, H, W, 3); None until they are read.
    """

    config: SynthesisConfig
    cast: models.Cast
    shape: Shape
    estimate: Estimate
    notices: tuple[str, ...]
    stimulus: np.ndarray | None = None

    @cached_property
    def stages(self) -> tuple[tuple[int, Shape], ...]:
        """From coarse to fine: how many steps are made at which (T, H, W), the clip's own last."""
        return tuple(stages(self.config, self.cast.model, self.shape))

    def shape_at(self, done: int) -> Shape:
        """(T, H, W) of the step after `done` ones."""
        for steps, shape in self.stages:
            if done < steps:
                return shape
            done -= steps
        return self.shape

    @property
    def company(self) -> tuple[object, ...]:
        """What plans have in common whose clips may go through the networks in one batch (see `synthesize_together`)."""
        config, cast = self.config, self.cast
        looking = (cast.model.key, *(record and record.key for record in (cast.verifier, cast.frame_verifier)))
        asked = config.views, config.verify_every, config.frames_verified, config.device, config.precision
        return *looking, self.stages, *asked

    def primed(self) -> Plan:
        """This plan with its stimulus read, and what there is to say about it. Raises `LeapsError`."""
        if self.stimulus is not None:
            return self
        clips, notices = stimulus_clips(self.config, self.cast.model)
        return replace(self, stimulus=clips, notices=self.notices + notices)

    def with_stimulus(self, clips: np.ndarray) -> Plan:
        """The same, primed by these clips, uint8 (N, T, H, W, 3)."""
        return replace(self, stimulus=clips)

    def settled(self) -> Plan:
        """The same, in the number format that this machine is fast at, where that was left open."""
        precision = machine.pick_precision(self.config.precision, self.config.device)
        return replace(self, config=self.config.replace(precision=precision))

    def with_steps(self, steps: int) -> Plan:
        """The same with another number of steps."""
        config = self.config.replace(steps=steps)
        return replace(self, config=config, estimate=estimate(config, self.cast, self.shape))

    def check_memory(self, runs: int = 1) -> None:
        """Refuse before anything is begun: a machine that runs out of memory stalls, or kills the process. runs: how many are
        made in one batch. Raises `RunError`. Imports torch."""
        needed, free = runs * self.estimate.memory, machine.free_memory(machine.pick_device(self.config.device).type)
        if needed > free:
            raise RunError(
                f"The run needs about {needed / 2**30:.1f} GiB of memory, {free / 2**30:.1f} GiB are free. "
                f"{self.advice(free)} Or close other programs."
            )

    def advice(self, memory: float) -> str:
        """What would fit into so many bytes of memory, as a sentence: the largest clip with as many frames, else the longest
        one of this size."""
        t, size, _ = self.shape
        model = self.cast.model
        clips = [(t, smaller) for smaller in range(size - model.size_step, 0, -model.size_step)]
        for frames, side in (*clips, *((fewer, size) for fewer in range(t - 1, 0, -1))):
            config = self.config.replace(frames=frames, size=side)
            with suppress(ConfigError):  # the model can't take that
                if reckon(config, self.cast, clip_shape(config, model)).memory <= memory:
                    return f"{frames} frames of {side}×{side} would fit."
        return "Choose a smaller model; no clip that this one takes would fit."


def make_plan(config: SynthesisConfig, stimulus: np.ndarray | None = None, weights: bool = True) -> Plan:
    """Resolve a config. `stimulus`: uint8 (N, T, H, W, 3), instead of what `config.stimuli` names. `weights`: whether all of
    them have to be on this machine.

    Reads no video and computes nothing. Raises `LeapsError` for whatever in the config can't be.
    """
    cast = models.resolve(config)
    if weights:
        models.require_weights(cast)
    shape = clip_shape(config, cast.model)
    return Plan(config, cast, shape, estimate(config, cast, shape), cast.notices, stimulus)


def as_plan(config: SynthesisConfig | Plan, stimulus: np.ndarray | None = None) -> Plan:
    """The plan of a config, or the plan itself, with its stimulus: uint8 (N, T, H, W, 3), else read. Raises `LeapsError`."""
    plan = config if isinstance(config, Plan) else make_plan(config)
    return plan.primed() if stimulus is None else plan.with_stimulus(stimulus)
