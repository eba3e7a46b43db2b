"""Several runs of one visitor that are compared: begun one after another, as the queue takes them."""

from __future__ import annotations

import secrets
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from leaps_core.inversion.plan import Plan

from . import start
from .jobs import Busy, Job
from .views import JOBS


@dataclass
class Comparison:
    """Runs of one visitor that are begun one after another, as the queue takes them."""

    owner: str
    plans: list[Plan]
    names: list[str]
    jobs: list[Job] = field(default_factory=list)
    stopped: bool = False
    begun: float = field(default_factory=time.monotonic)
    asked: float = field(default_factory=time.monotonic)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def advance(self, page: str) -> None:
        """Begins as many of the waiting runs as the visitor may have; that somebody asks keeps those going on alive."""
        with self.lock:
            self.asked = time.monotonic()
            JOBS.get(None, self.owner)
            try:
                while len(self.jobs) < len(self.plans) and not self.stopped:
                    self.jobs.append(start.new(self.owner, self.plans[len(self.jobs)]))
            except Busy:  # the next question for news tries again, unless it has to be tomorrow
                self.stopped = JOBS.left_today(self.owner) == 0
            for job in self.jobs:
                job.page = page

    def stop(self) -> None:
        """Ends what is going on; what waits never begins."""
        with self.lock:
            self.stopped = True
            for job in self.jobs:
                JOBS.stop(job)

    @property
    def active(self) -> bool:
        """Whether anything is still to come."""
        waiting = len(self.jobs) < len(self.plans) and not self.stopped
        return waiting or any(job.active for job in self.jobs)

    @property
    def share(self) -> float:
        """How much of it is done."""
        steps = [1.0 if not job.active else job.version / job.config.steps for job in self.jobs]
        return sum(steps) / len(self.plans)

    @property
    def stimulus(self) -> np.ndarray | None:
        """The clip that primes all runs, once one has read it."""
        return next((job.stimulus for job in self.jobs if job.stimulus is not None), None)

    @property
    def state(self) -> dict[str, Any]:
        """Tells what has changed: each run's status and number of steps."""
        return {
            "jobs": [[job.status, job.version] for job in self.jobs],
            "live": self.active,
            "stimulus": self.stimulus is not None,
        }


KEPT = 64
"""Comparisons that are remembered."""
FORGOTTEN = 60.0
"""Seconds after which nobody waits for a comparison any more."""
_known: OrderedDict[str, Comparison] = OrderedDict()


def remember(comparison: Comparison) -> str:
    """The key of a new comparison; the oldest is forgotten."""
    key = secrets.token_urlsafe(12)
    _known[key] = comparison
    while len(_known) > KEPT:
        _known.popitem(last=False)
    return key


def find(key: str | None, owner: str) -> Comparison | None:
    """An owner's comparison."""
    found = _known.get(key or "")
    return found if found is not None and found.owner == owner else None


def going(owner: str) -> list[Comparison]:
    """An owner's comparisons that go on; one that no page asks about any more begins no further run."""
    now = time.monotonic()
    return [one for one in list(_known.values()) if one.owner == owner and one.active and now - one.asked < FORGOTTEN]
