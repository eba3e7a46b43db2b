"""Starting runs: new ones, more steps of an old one, one done again. Each waits in the queue like all others."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from leaps_core import runs
from leaps_core.inversion.control import Control
from leaps_core.inversion.plan import Plan
from leaps_core.runs import Run

from . import views
from .jobs import Job
from .views import JOBS


def new(owner: str, plan: Plan, changes: Iterable[dict[str, Any]] = ()) -> Job:
    """Queues a new run; changes: to be made while it goes on. Raises `Busy`."""
    return JOBS.start(owner, plan.config, Control(changes), lambda control: runs.perform(plan, control, owner=owner))


def replayed(owner: str, run: Run) -> Job:
    """Queues a run that does another one again, changes and all. Raises `Busy`."""
    again = Control(run.changes)
    return JOBS.start(owner, run.config, again, lambda control: runs.replay(run, control=control, owner=owner))


def resumed(owner: str, run: Run, steps: int) -> Job:
    """Queues so many more steps of a run. What it did before is shown, too. Raises `Busy`."""
    config = run.config.replace(steps=run.done + steps)
    before = views.of_run(run)
    snapshots = zip(before.steps, before.clips, strict=True)
    # a control that knows the earlier changes shows them; the checkpoint holds what they did
    return JOBS.start(
        owner, config, Control(run.changes), lambda control: runs.resume(run, steps, control), before.metrics, snapshots
    )
