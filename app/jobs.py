"""The job queue of a shared server: one thread per job, one running job per two cores; the others wait, their place known.

Visitors take turns: whoever has nothing going on comes first, and of those whoever had a slot longest ago. A job's page renews
its lease by asking for news; a job that nobody watches is stopped, unless it was asked to go on. What a job made stays on disk
as a run, so nothing is lost when the job itself is forgotten.
"""

from __future__ import annotations

import contextvars
import heapq
import logging
import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from leaps_core import machine
from leaps_core.config import SynthesisConfig
from leaps_core.errors import LeapsError
from leaps_core.inversion.control import Control

from .limits import Limits
from .texts import say

if TYPE_CHECKING:
    import numpy as np

    from leaps_core.inversion.step import Step
    from leaps_core.runs import Run

Perform = Callable[[Control], Iterator[tuple["Run", "Step"]]]
"""Begins the work of a job: a new run, a replay, or more steps of an old one."""

ACTIVE = ("queued", "running", "paused")
"""The states of a job that is still to be finished."""
DAY = 24 * 3600.0
"""s."""
REMEMBERED = 10_000
"""Of so many ended jobs it is known which run they made: pages go on asking by the job's key."""
log = logging.getLogger(__name__)


def _nothing(control: Control) -> Iterator[tuple[Run, Step]]:
    """The work of a job that is over."""
    return iter(())


class Busy(LeapsError):
    """The server, or this visitor, has as many jobs as it may have."""


class Job:
    """A run that is going on, and everything of it that the page may ask for."""

    def __init__(
        self,
        owner: str,
        config: SynthesisConfig,
        control: Control,
        perform: Perform,
        metrics: Iterable[dict[str, Any]] = (),
        snapshots: Iterable[tuple[int, np.ndarray]] = (),
        seconds: float = 0.0,
        stops: tuple[int, ...] = (),
    ) -> None:
        self.id = secrets.token_urlsafe(16)
        self.owner, self.config, self.control, self.perform = owner, config, control, perform
        self.status, self.error, self.begun, self.page = "queued", "", False, ""
        self.run: Run | None = None
        self.step: Step | None = None
        self.metrics, self.snapshots = list(metrics), list(snapshots)
        self.journey: list[tuple[int, np.ndarray]] = []
        self.stimulus: np.ndarray | None = None
        self.notices: tuple[str, ...] = ()
        self.expected, self.keep, self.why, self.stops = seconds, False, "", stops
        self.deadline = 0.0
        self.spent, self._since = 0.0, 0.0
        self.worker: threading.Thread | None = None
        self.context = contextvars.copy_context()  # who asked: a lent graphics card is lent to them

    def tick(self, running: bool) -> None:
        """Begins or stops counting the seconds that it has a slot."""
        if self._since:
            self.spent += time.monotonic() - self._since
        self._since = time.monotonic() if running else 0.0

    def left(self, slowness: float = 1.0) -> float:
        """About how many seconds it still needs: by its own pace, before its first steps by what was expected. slowness: how
        many times as long runs take here."""
        done = len(self.metrics)
        if done < 3:
            return max(0.0, slowness * self.expected - self.spent)
        first, last = self.metrics[max(0, done - 20)], self.metrics[-1]
        each = (last["seconds"] - first["seconds"]) / max(1, last["step"] - first["step"])
        return max(0.0, (self.config.steps - last["step"]) * each)

    @property
    def active(self) -> bool:
        """Whether it is still to be finished."""
        return self.status in ACTIVE

    @property
    def version(self) -> int:
        """Grows with every step."""
        return len(self.metrics)

    def release(self, saved: bool) -> None:
        """It is over: what lies on the disk needn't be held until the job is forgotten."""
        self.perform = _nothing
        self.control.forget()
        if saved and self.run is not None:
            self.snapshots = self.snapshots[-1:]

    def take(self, run: Run, step: Step) -> None:
        """Keeps what the page shows of a step. A stopped run's last step comes twice, the second time with `final`."""
        if self.run is None:
            self.config = run.config
            # what was shown of later steps, an interrupted run makes again
            self.metrics = [row for row in self.metrics if row["step"] < step.index]
            self.snapshots = [shot for shot in self.snapshots if shot[0] < step.index]
            self.stimulus = next(iter(run.stimulus), None)
        self.run, self.step = run, step
        self.notices += tuple(notice for notice in step.notices if notice not in self.notices)
        if not self.metrics or step.index > self.metrics[-1]["step"]:
            self.metrics.append(step.row)
            if step.snapshot:
                self.snapshots.append((step.index, step.frames))
                self.journey.append((step.index, step.embedding))


class Jobs:
    """All jobs of this server. Its methods may be called from any thread.

    `ended`: how many ended as what; `steps`: how many all of them made.
    """

    def __init__(self, slots: int | None = None, limits: Limits | None = None, lease: float = 120) -> None:
        self.slots = slots or max(1, machine.cores() // 2)
        self.limits, self.lease = limits or Limits(), lease
        self._lock = threading.RLock()
        self._jobs: dict[str, Job] = {}
        self._waiting: list[Job] = []  # as they came
        self._slowness = 1.0  # seconds that runs took lately, by what was expected
        self._begun: dict[str, list[float]] = {}  # when each visitor's runs of the last day were queued
        self.ended, self.steps = Counter[str](), 0
        self._served: dict[str, float] = {}  # when each visitor got a slot last
        self._runs: dict[str, str] = {}  # what jobs have made: their ids, and their runs'
        threading.Thread(target=self._watch, name="leases", daemon=True).start()

    def start(
        self,
        owner: str,
        config: SynthesisConfig,
        control: Control,
        perform: Perform,
        metrics: Iterable[dict[str, Any]] = (),
        snapshots: Iterable[tuple[int, np.ndarray]] = (),
        seconds: float = 0.0,
        stops: tuple[int, ...] = (),
    ) -> Job:
        """Queues a job; it begins when a slot is free. Raises `Busy`.

        metrics, snapshots: of the steps that were done earlier, when a run goes on; seconds: how long it is expected to take;
        stops: after which steps it pauses by itself.
        """
        with self._lock:
            active, limits = [job for job in self._jobs.values() if job.active], self.limits
            if limits.runs and sum(job.owner == owner for job in active) >= limits.runs:
                raise Busy(say("The most runs that you may have going on: {most}. Stop one of them first.", most=limits.runs))
            if limits.queue and len(active) >= limits.queue:
                raise Busy(
                    say("{count} runs are going on or waiting, which is the most. Try again in a minute.", count=len(active))
                )
            if self.left_today(owner) == 0:
                raise Busy(say("The most runs that you may begin in 24 hours: {most}. Come back tomorrow.", most=limits.daily))
            job = Job(owner, config, control, perform, metrics, snapshots, seconds, stops)
            self._begun.setdefault(owner, []).append(time.monotonic())
            self._renew(job)
            self._jobs[job.id] = job
            self._waiting.append(job)
            self._assign()
        return job

    def keep(self, job: Job, on: bool) -> None:
        """Whether a job goes on when nobody watches."""
        with self._lock:
            job.keep = on

    def left_today(self, owner: str) -> int | None:
        """How many more runs a visitor may begin within 24 hours; None: as many as they like."""
        if self.limits.daily is None:
            return None
        with self._lock:
            times = [begun for begun in self._begun.get(owner, ()) if begun > time.monotonic() - DAY]
            self._begun[owner] = times
            return max(0, self.limits.daily - len(times))

    def get(self, key: str | None, owner: str) -> Job | None:
        """An owner's job, by its own key or its run's id. That the owner asks renews the leases of all that are active."""
        found = None
        with self._lock:
            for job in self._jobs.values():
                if job.owner == owner:
                    if job.active:  # the others are on disk and needn't stay in memory
                        self._renew(job)
                    if key and key in (job.id, job.run.id if job.run else ""):
                        found = job
        return found

    def run_of(self, key: str) -> str:
        """The id of the run that a job of this key has made; any other key as it is."""
        with self._lock:
            return self._runs.get(key, key)

    def pause(self, job: Job) -> None:
        """Pauses a running job after its present step and gives its slot to the next one."""
        with self._lock:
            if job.status == "running":
                job.control.pause()
                job.status = "paused"
                job.tick(False)
                self._assign()

    def resume(self, job: Job) -> None:
        """Lets a paused job go on as soon as a slot is free."""
        with self._lock:
            if job.status == "paused":
                job.status = "queued"
                self._waiting.append(job)
                self._assign()

    def stop(self, job: Job) -> None:
        """Ends a job; what it has made so far is kept as a run."""
        with self._lock:
            job.control.stop()
            if job in self._waiting:
                self._waiting.remove(job)
            if not job.begun:
                job.status = "stopped"

    def counts(self) -> dict[str, int]:
        """How many jobs are running, waiting and paused."""
        with self._lock:
            found = Counter(job.status for job in self._jobs.values())
        return {"running": found["running"], "waiting": found["queued"], "paused": found["paused"]}

    def place(self, job: Job) -> int:
        """Its place in the queue, from 1; 0: it isn't waiting."""
        with self._lock:
            return self._order().index(job) + 1 if job in self._waiting else 0

    def wait(self, job: Job) -> float:
        """About how many seconds until a waiting job begins, if nobody else comes and nobody leaves."""
        with self._lock:
            order = self._order()
            free = [other.left(self._slowness) for other in self._jobs.values() if other.status == "running"]
            free += [0.0] * (self.slots - len(free))
            heapq.heapify(free)
            for other in order[: order.index(job)] if job in order else ():
                heapq.heappush(free, heapq.heappop(free) + other.left(self._slowness))
            return free[0]

    def leave(self, page: str) -> None:
        """A page was closed or reloaded: the jobs that it watched end soon unless somebody asks for them, or asked that they go
        on."""
        with self._lock:
            for job in self._jobs.values():
                if job.page == page:
                    job.deadline = time.monotonic() + self.limits.grace

    def close(self, patience: float = 20) -> None:
        """Stops everything, and waits so many seconds in all until the jobs have saved what they made."""
        with self._lock:
            workers = [job.worker for job in self._jobs.values() if job.worker]
            for job in self._jobs.values():
                self.stop(job)
        end = time.monotonic() + patience
        for worker in workers:
            worker.join(max(0.0, end - time.monotonic()))

    def _order(self) -> list[Job]:
        """The waiting jobs in the order in which they get a slot: visitors take turns."""
        turns, found = Counter(job.owner for job in self._jobs.values() if job.status == "running"), []
        for number, job in enumerate(self._waiting):
            found.append(((turns[job.owner], self._served.get(job.owner, 0.0), number), job))
            turns[job.owner] += 1
        return [job for _, job in sorted(found, key=lambda item: item[0])]

    def _assign(self) -> None:
        """Gives free slots to those whose turn it is. Called with the lock held."""
        while self._waiting and sum(job.status == "running" for job in self._jobs.values()) < self.slots:
            job = self._order()[0]
            self._waiting.remove(job)
            job.status = "running"
            self._served[job.owner] = time.monotonic()
            job.tick(True)
            if job.begun:
                job.control.resume()
            else:
                job.begun = True
                job.worker = threading.Thread(
                    target=job.context.run, args=(self._work, job), name=f"job {job.id[:6]}", daemon=True
                )
                job.worker.start()

    def _work(self, job: Job) -> None:
        status = "error"
        try:
            for run, step in job.perform(job.control):
                job.take(run, step)
                if step.index in job.stops:
                    self.pause(job)
                self.steps += 1
            status = "stopped" if job.control.state == "stopped" else "done"
        except LeapsError as error:
            job.error = str(error)
        except Exception:
            log.exception("A job failed")
            job.error = say("Something went wrong on the server; its log has the details. The next run is not affected.")
        job.release(saved=status != "error")
        machine.release()
        with self._lock:
            if job.run:
                self._runs[job.id] = job.run.id
            while len(self._runs) > REMEMBERED:
                del self._runs[next(iter(self._runs))]
            job.status = status
            job.tick(False)
            self.ended[status] += 1
            log.info("%s %s after %d steps, %.0f s", job.run.id if job.run else job.id[:6], status, job.version, job.spent)
            if status == "done" and job.expected:
                self._slowness = min(20.0, max(0.05, (self._slowness * job.spent / job.expected) ** 0.5))
            self._assign()

    def _renew(self, job: Job) -> None:
        job.deadline = time.monotonic() + self.lease

    def _watch(self) -> None:
        while True:
            time.sleep(1)
            now = time.monotonic()
            with self._lock:
                for job in list(self._jobs.values()):
                    if job.status == "running":
                        self._check_time(job)
                    if now > job.deadline and not job.active:
                        del self._jobs[job.id]
                    elif now > job.deadline and not job.keep:
                        self.stop(job)
                for owner in [owner for owner, times in self._begun.items() if not times or times[-1] < now - DAY]:
                    del self._begun[owner]
                    self._served.pop(owner, None)

    def _check_time(self, job: Job) -> None:
        """Stops a job that has had its minutes."""
        job.tick(True)
        most = self.limits.minutes
        if most is not None and job.spent > 60 * most:
            job.why = say("stopped after {most} minutes, the most that a run has here", most=f"{most:.3g}")
            self.stop(job)
