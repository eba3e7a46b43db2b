"""The loop: one generator in which all optimisation happens.

`synthesize(config, control)` yields a `Step` after each step of the optimiser. Whoever consumes it (page, command
line, study, test) sees the same steps and can steer them through `Control`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..config import SynthesisConfig
from ..errors import ConfigError, LeapsError, RunError
from ..models.adapter import PROBABILITIES, are_probabilities
from ..models.shapes import primed_taps
from .control import Control
from .networks import Look, Networks
from .objective import Targets
from .plan import Plan, as_plan
from .schedule import snapshot_steps
from .state import State
from .step import Step
from .terms import TERMS, Term, evaluate
from .transforms import transform

STRENGTH_EXPONENT = 4
"""The strength of a view's noise and colours is the model's confidence to this power: at 0.5 a sixteenth, at 0.9 two thirds.
A model that can't see through noise gets little of it, a sure one nearly all."""


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
    return _steps(as_plan(config, stimulus), control or Control(), terms, checkpoint)


def _steps(plan: Plan, control: Control, terms: Sequence[Term], checkpoint: dict[str, Any] | None) -> Iterator[Step]:
    networks = Networks.load(plan)
    state = _begun(plan, networks, control, checkpoint)
    clip, step = state.canvas(), None
    targets = networks.targets(plan, clip)
    clock = time.perf_counter() - state.seconds

    while state.done < plan.config.steps:
        # wait while paused, end when stopped
        clock += control.wait()
        if control.state == "stopped" and step is not None:
            break

        # from coarse to fine: the clip grows, and the stimulus is looked at again at its new size
        if (shape := plan.shape_at(state.done))[1] > state.shape[1]:
            state.grow(shape)
            clip = state.canvas()
            targets = networks.targets(plan, clip)

        # what was changed since the last step
        if changes := control.take(state.done + 1):
            state.change(changes)
            clip = state.canvas()

        # look at views of the clip, weigh the terms, and move the canvas down their gradient
        random = state.generator.get_state()
        look, losses, weighted = _look(plan, networks, state, clip, targets, terms)
        try:
            state.descend(weighted, partial(_again, plan, networks, state, random, targets, terms))
        except LeapsError:  # what there was before is the result
            if step is not None:
                yield ended(step, networks)
            raise
        state.trust(look.probability)
        state.seconds = time.perf_counter() - clock
        control.keep(state.state_dict())

        # tell
        clip = state.canvas()
        step = _step(plan, networks, state, look, clip.detach(), losses, weighted)
        if state.done < plan.config.steps:
            yield step

    if step is not None:
        yield ended(step, networks)


def _begun(plan: Plan, networks: Networks, control: Control, checkpoint: dict[str, Any] | None) -> State:
    """Where the run begins: at noise, or where a checkpoint was taken."""
    state = State(plan, networks.model)
    if checkpoint is not None:
        state.load_state_dict(checkpoint)
        control.skip(state.done)
        if state.done >= plan.config.steps:
            raise RunError(f"The run has made all of its {state.done} steps. To go on, ask for more than {state.done} steps.")
    return state


def _look(
    plan: Plan, networks: Networks, state: State, clip: Tensor, targets: Targets, terms: Sequence[Term]
) -> tuple[Look, dict[str, Tensor], dict[str, Tensor]]:
    """What random views of the clip show, stronger ones the surer the model is, and the terms, raw and weighted."""
    strength = state.confidence**STRENGTH_EXPONENT
    views = [transform(clip, state.settings, state.generator, strength) for _ in range(plan.config.views)]
    look = networks.look(torch.cat(views), clip, _weights(plan, state), targets, state.done)
    return look, *evaluate(terms, look.seen)


def _again(
    plan: Plan, networks: Networks, state: State, random: Tensor, targets: Targets, terms: Sequence[Term]
) -> dict[str, Tensor]:
    """The weighted terms of a step once more, of the same views (`random`: the generator's state before them)."""
    state.generator.set_state(random)
    return _look(plan, networks, state, state.canvas(), targets, terms)[2]


def _weights(plan: Plan, state: State) -> SynthesisConfig:
    """The live settings, with what is left of the evidence at the full size of a clip that was smaller before."""
    settings = state.settings
    grown = plan.shape_at(0) != plan.shape == state.shape
    return settings.replace(evidence=settings.evidence * settings.evidence_last) if grown else settings


def _step(
    plan: Plan,
    networks: Networks,
    state: State,
    look: Look,
    clip: Tensor,
    losses: dict[str, Tensor],
    weighted: dict[str, Tensor],
) -> Step:
    """What there is to tell of the step that was just made."""
    snapshot = state.done in snapshot_steps(plan.config.steps)
    best = look.probabilities.topk(min(5, len(networks.labels)))
    return Step(
        index=state.done,
        total=plan.config.steps,
        losses={name: loss.item() for name, loss in losses.items()},
        weighted={name: loss.item() for name, loss in weighted.items()},
        probabilities={
            "model": look.probability,
            "verifier": look.verifier,
            "judge": networks.judged(clip) if snapshot else None,
        },
        top5=tuple((networks.labels[i], p) for p, i in zip(best.values.tolist(), best.indices.tolist(), strict=True)),
        clip=clip,
        embedding=look.embedding,
        seconds=state.seconds,
        snapshot=snapshot,
        device=str(clip.device),
        notices=_notices(plan, networks, look) if state.done == 1 else (),
    )


def ended(step: Step, networks: Networks) -> Step:
    """The last step once more, with the scores of the finished clip."""
    final = networks.score(step.clip)
    probabilities = step.probabilities | {"judge": final["judge"]}
    speed = {"seconds": step.seconds, "steps_per_second": step.index / step.seconds}
    return replace(step, snapshot=True, probabilities=probabilities, final=final | speed)


def _notices(plan: Plan, networks: Networks, look: Look) -> tuple[str, ...]:
    """What the person should know: what the plan says, what the networks turned out to be, and whether anything is primed."""
    said = [*plan.notices, *networks.notices]
    if are_probabilities(look.seen.logits):
        said.append(PROBABILITIES.format(plan.config.model))
    taps, share = len(networks.model.taps), plan.config.priming_share
    if plan.stimulus is None or not len(plan.stimulus):
        said.append("Unprimed: no stimulus, so nothing but the model's own idea of the action guides the clip.")
    elif not primed_taps(taps, share):
        said.append(f"Unprimed: {share} % of {taps} layers is none.")
    return tuple(said)
