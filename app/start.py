"""Starting runs: new ones, more steps of an old one, one done again. Each waits in the queue like all others, and has to keep
within what the server allows."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from leaps_core import runs
from leaps_core.inversion.control import Control
from leaps_core.inversion.plan import Plan, make_plan
from leaps_core.inversion.step import Step
from leaps_core.runs import Run

from . import views
from .jobs import Job
from .views import JOBS

log = logging.getLogger(__name__)


def new(
    owner: str,
    plan: Plan,
    changes: Iterable[dict[str, Any]] = (),
    legs: Sequence[dict[str, int]] = (),
    stops: tuple[int, ...] = (),
) -> Job:
    """Queues a new run; changes: to be made while it goes on; legs: of a run that is made again; stops: after which steps it
    pauses by itself. Raises `Busy`, `LimitError`."""
    return JOBS.start(
        owner,
        plan.config,
        Control(changes),
        lambda control: _tidied(runs.perform(plan, control, owner=owner, legs=legs)),
        seconds=_seconds(plan),
        stops=stops,
    )


def replayed(owner: str, run: Run) -> Job:
    """Queues a run that does another one again, changes and all. Raises `Busy`, `LimitError`."""
    return JOBS.start(
        owner,
        run.config,
        Control(run.changes),
        lambda control: _tidied(runs.replay(run, control=control, owner=owner)),
        seconds=_seconds(make_plan(run.config, weights=False)),
    )


def resumed(owner: str, run: Run, steps: int) -> Job:
    """Queues so many more steps of a run. What it did before is shown, too. Raises `Busy`, `LimitError`."""
    config = run.config.replace(steps=run.done + steps)
    before = views.of_run(run)
    return JOBS.start(
        owner,
        config,
        # a control that knows the earlier changes shows them; the checkpoint holds what they did
        Control(run.changes),
        lambda control: _tidied(runs.resume(run, steps, control)),
        before.metrics,
        zip(before.steps, before.clips, strict=True),
        _seconds(make_plan(config, weights=False)) * steps / config.steps,
    )


def _seconds(plan: Plan) -> float:
    """How long a run is expected to take. Raises `LimitError` if it asks for more than the server allows."""
    JOBS.limits.check(plan)
    return plan.estimate.seconds


def _tidied(steps: Iterator[tuple[Run, Step]]) -> Iterator[tuple[Run, Step]]:
    """A run; afterwards the oldest ones make space for it, if the server has a limit."""
    try:
        yield from steps
    finally:
        if JOBS.limits.disk is not None and (gone := runs.tidy(JOBS.limits.disk * 1e9)):
            log.info("Made space: %s", " ".join(gone))
