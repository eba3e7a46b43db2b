"""When a page has to be told something, and how soon it asks again. `seen` is what its browser was told (see `Session`)."""

from __future__ import annotations

import time
from typing import Any, TypeGuard

from . import preload
from .jobs import ACTIVE, Job
from .session import LATER, SOON
from .views import JOBS

STIRRING = 3.0
"""Seconds of a run in which a person waits to see something come out of the noise."""
STEADY = 1.0
"""Seconds between two questions from then on; docs/speed.md has what they cost."""


def overtaken(key: str | None, line: dict[str, Any] | None) -> bool:
    """Whether the status line in the browser is of another run than the one on the stage: that run's answer came last."""
    return bool(key) and (line or {}).get("run", key) != key


def to_tell(job: Job | None, seen: dict[str, Any]) -> TypeGuard[Job]:
    """Whether a job goes on, or has ended without that the page was told."""
    return job is not None and (job.active or seen.get("status") in ACTIVE)


def nothing_told(seen: dict[str, Any]) -> bool:
    """Whether a page on which nothing goes on doesn't know yet whether the models are ready."""
    return not seen.get("idle") and "status" not in seen


def followed(job: Job, seen: dict[str, Any]) -> bool:
    """Whether its page asks for the news of a run by itself (see `Session.pulse`), and did so a moment ago."""
    return job.status == "running" and time.monotonic() - seen.get("told", 0) < 2 * pause(job) + SOON


def rest(moving: bool = False) -> float:
    """Seconds until a page on which no run goes on asks again; `moving`: other work does."""
    return LATER if preload.ready() and not moving else SOON


def pause(job: Job) -> float:
    """Seconds until the page of a job asks again: the further it is from its turn, the longer; and longer after its first
    seconds, as each answer has the browser draw, on a person's own machine with the cores that the run needs."""
    run = job.metrics[-1]["seconds"] if job.metrics else 0.0
    return min(LATER, (SOON if run < STIRRING else STEADY) + 0.5 * JOBS.place(job))
