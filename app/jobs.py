"""The job queue of a shared server: one thread per job, one running job per two cores; the others wait, their place known.

A job's page renews its lease by asking for news; a job that nobody watches is stopped. What a job made stays on disk
as a run, so nothing is lost when the job itself is forgotten.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from leaps_core import machine
from leaps_core.config import SynthesisConfig
from leaps_core.errors import LeapsError
from leaps_core.inversion.control import Control

if TYPE_CHECKING:
    import numpy as np

    from leaps_core.inversion.step import Step
    from leaps_core.runs import Run

Perform = Callable[[Control], Iterator[tuple["Run", "Step"]]]
"""Begins the work of a job: a new run, a replay, or more steps of an old one."""

ACTIVE = ("queued", "running", "paused")
"""The states of a job that is still to be finished."""
REMEMBERED = 10_000
"""Of so many ended jobs it is known which run they made: pages go on asking by the job's key."""
log = logging.getLogger(__name__)


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
        self.deadline = 0.0
        self.worker: threading.Thread | None = None

    @property
    def active(self) -> bool:
        """Whether it is still to be finished."""
        return self.status in ACTIVE

    @property
    def version(self) -> int:
        """Grows with every step."""
        return len(self.metrics)

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
    """All jobs of this server. Its methods may be called from any thread."""

    def __init__(self, slots: int | None = None, per_owner: int = 2, most: int = 12, lease: float = 120) -> None:
        self.slots = slots or max(1, machine.cores() // 2)
        self.per_owner, self.most, self.lease = per_owner, most, lease
        self._lock = threading.RLock()
        self._jobs: dict[str, Job] = {}
        self._waiting: list[Job] = []  # in the order in which they get a slot
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
    ) -> Job:
        """Queues a job; it begins when a slot is free. Raises `Busy`.

        metrics, snapshots: of the steps that were done earlier, when a run goes on.
        """
        with self._lock:
            active = [job for job in self._jobs.values() if job.active]
            if sum(job.owner == owner for job in active) >= self.per_owner:
                raise Busy(f"You have {self.per_owner} runs going on, which is the most. Stop one of them first.")
            if len(active) >= self.most:
                raise Busy(f"{len(active)} runs are going on or waiting, which is the most. Try again in a minute.")
            job = Job(owner, config, control, perform, metrics, snapshots)
            self._renew(job)
            self._jobs[job.id] = job
            self._waiting.append(job)
            self._assign()
        return job

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

    def place(self, job: Job) -> int:
        """Its place in the queue, from 1; 0: it isn't waiting."""
        with self._lock:
            return self._waiting.index(job) + 1 if job in self._waiting else 0

    def leave(self, page: str, grace: float = 20) -> None:
        """A page was closed or reloaded: the jobs that it watched end soon unless somebody asks for them."""
        with self._lock:
            for job in self._jobs.values():
                if job.page == page:
                    job.deadline = time.monotonic() + grace

    def close(self, patience: float = 20) -> None:
        """Stops everything, and waits so many seconds in all until the jobs have saved what they made."""
        with self._lock:
            workers = [job.worker for job in self._jobs.values() if job.worker]
            for job in self._jobs.values():
                self.stop(job)
        end = time.monotonic() + patience
        for worker in workers:
            worker.join(max(0.0, end - time.monotonic()))

    def _assign(self) -> None:
        """Gives free slots to those who have waited longest. Called with the lock held."""
        while self._waiting and sum(job.status == "running" for job in self._jobs.values()) < self.slots:
            job = self._waiting.pop(0)
            job.status = "running"
            if job.begun:
                job.control.resume()
            else:
                job.begun = True
                job.worker = threading.Thread(target=self._work, args=(job,), name=f"job {job.id[:6]}", daemon=True)
                job.worker.start()

    def _work(self, job: Job) -> None:
        status = "error"
        try:
            for run, step in job.perform(job.control):
                job.take(run, step)
            status = "stopped" if job.control.state == "stopped" else "done"
        except LeapsError as error:
            job.error = str(error)
        except Exception:
            log.exception("A job failed")
            job.error = "Something went wrong on the server; its log has the details. The next run is not affected."
        with self._lock:
            if job.run:
                self._runs[job.id] = job.run.id
            while len(self._runs) > REMEMBERED:
                del self._runs[next(iter(self._runs))]
            job.status = status
            self._assign()

    def _renew(self, job: Job) -> None:
        job.deadline = time.monotonic() + self.lease

    def _watch(self) -> None:
        while True:
            time.sleep(1)
            now = time.monotonic()
            with self._lock:
                for job in [job for job in self._jobs.values() if now > job.deadline]:
                    if job.active:
                        self.stop(job)
                    else:
                        del self._jobs[job.id]
