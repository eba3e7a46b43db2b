"""The loop: one generator in which all optimisation happens.

`synthesize(config, control)` yields a `Step` after each step of the optimiser. Whoever consumes it (page, command
line, study, test) sees the same steps and can steer them through `Control`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch

from ..config import SynthesisConfig
from ..errors import ConfigError, RunError
from .control import Control
from .lane import Lane
from .plan import Plan, as_plan
from .step import Step
from .terms import TERMS, Term


def synthesize(
    config: SynthesisConfig | Plan,
    control: Control | None = None,
    *,
    stimulus: np.ndarray | None = None,
    checkpoint: dict[str, Any] | None = None,
    extra_terms: Sequence[Term] = (),
) -> Iterator[Step]:
    """Synthesize a clip of `config.action` by inverting `config.model`, step by step.

    `config`: the settings, or the plan that was made of them. `stimulus`: uint8 (N, T, H, W, 3), instead of what
    `config.stimuli` names. `checkpoint`: of an earlier run with this config (its `steps` may be larger), to go on from.
    `extra_terms`: custom terms, added to those of the loss. A stop yields the latest step once more, with `final` set.

    Raises `LeapsError` before the first step for whatever in the config can't be; later for a term or a gradient that is no
    number, after the latest step was yielded once more, with `final` set.
    """
    terms = (*TERMS, *extra_terms)
    names = [term.name for term in terms]
    if twice := {name for name in names if names.count(name) > 1}:
        raise ConfigError(
            f"There are two terms “{min(twice)}”. Give your own another name than {', '.join(names[: len(TERMS)])}."
        )
    lane = Lane(as_plan(config, stimulus), control or Control(), terms, checkpoint)
    return _told(lane, _turns([lane]))


def synthesize_together(plans: Sequence[Plan], controls: Sequence[Control]) -> list[Iterator[Step]]:
    """Several runs whose clips go through the networks in one batch, which takes less time than one after the other; the steps
    of each, as `synthesize` yields them. Asking one of them for its next step makes the next step of all.

    The plans can keep each other company (see `Plan.company`); a run that ends early leaves the others alone. In bfloat16 they
    are the runs that they would be alone, bit for bit; in float32 up to the last bits.
    """
    lanes = [Lane(plan, control, TERMS) for plan, control in zip(plans, controls, strict=True)]
    turns = _turns(lanes)
    return [_told(lane, turns) for lane in lanes]


def _turns(lanes: Sequence[Lane]) -> Iterator[bool]:
    """The loop. Each turn makes a step of every run that isn't over; what there is to tell of it waits in its lane."""
    for lane in lanes:
        lane.begin()
    while going := [lane for lane in lanes if lane.ready()]:
        # look at views of the clips, all in one batch
        first = going[0]
        glances = first.networks.glance([lane.views() for lane in going], first.state.settings, first.state.done)

        # weigh the terms of each, and move its canvas down their gradient
        going = [lane for lane, glance in zip(going, glances, strict=True) if lane.weigh(glance)]
        if going:
            torch.stack([lane.loss for lane in going]).sum().backward()
        moved = [lane for lane in going if lane.move()]

        # tell
        for lane in moved:
            lane.tell(1 / len(moved))
        yield True


def _told(lane: Lane, turns: Iterator[bool]) -> Iterator[Step]:
    """The steps of one lane."""
    try:
        while True:
            while lane.told:
                yield lane.told.popleft()
            if lane.error:
                raise lane.error
            if lane.over:
                return
            if not next(turns, False) and not lane.over:
                raise RunError("Another run of the same batch broke off, and this one with it.")
    finally:
        lane.over, lane.error = True, None
