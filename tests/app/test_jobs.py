"""The queue: slots, places, caps, pauses, leases, and what a failing job leaves behind."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from app.jobs import Busy, Job, Jobs
from leaps_core.config import SynthesisConfig
from leaps_core.errors import LeapsError

CONFIG = SynthesisConfig(model="any", action="any")


class FakeControl:
    """Pauses and stops, without torch."""

    def __init__(self) -> None:
        self.state, self.changes, self._go = "running", [], threading.Event()
        self._go.set()

    def pause(self) -> None:
        self.state = "paused"
        self._go.clear()

    def resume(self) -> None:
        self.state = "running"
        self._go.set()

    def stop(self) -> None:
        self.state = "stopped"
        self._go.set()

    def wait(self) -> None:
        self._go.wait(10)


def endless(control: Any, steps: int = 100_000) -> Iterator[tuple[Any, Any]]:
    """Steps until stopped."""
    run = SimpleNamespace(id="run", config=CONFIG, stimulus=np.zeros((0,)))
    for index in range(1, steps + 1):
        control.wait()
        if control.state == "stopped":
            return
        time.sleep(0.005)
        yield (
            run,
            SimpleNamespace(
                index=index,
                row={"step": index, "seconds": index / 100, "weighted": {}, "probabilities": {}, "top5": ()},
                notices=(),
                snapshot=index % 2 == 0,
                frames=np.zeros((1, 2, 2, 3), np.uint8),
                embedding=np.full(4, index, np.float32),
            ),
        )


@pytest.fixture
def jobs() -> Iterator[Jobs]:
    made = Jobs(slots=1, per_owner=2, most=3, lease=60)
    yield made
    made.close()


def start(jobs: Jobs, owner: str = "ann", perform: Callable[[Any], Any] = endless) -> Job:
    return jobs.start(owner, CONFIG, FakeControl(), perform)  # type: ignore[arg-type]


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not true():
        assert time.monotonic() < end, "it did not happen within 10 s"
        time.sleep(0.01)


def test_second_job_waits_for_the_slot_and_knows_its_place(jobs: Jobs) -> None:
    first, second, third = start(jobs), start(jobs, "bob"), start(jobs, "cid")
    assert [jobs.place(job) for job in (first, second, third)] == [0, 1, 2]
    assert second.status == "queued" and not second.begun
    jobs.stop(first)
    until(lambda: second.status == "running")
    assert first.status == "stopped" and jobs.place(third) == 1


def test_paused_job_gives_its_slot_back_and_waits_for_it_again(jobs: Jobs) -> None:
    first, second = start(jobs), start(jobs, "bob")
    until(lambda: bool(first.metrics))
    jobs.pause(first)
    until(lambda: second.status == "running")
    time.sleep(0.05)
    steps = len(first.metrics)
    jobs.resume(first)
    assert first.status == "queued" and jobs.place(first) == 1
    time.sleep(0.05)
    assert len(first.metrics) == steps
    jobs.stop(second)
    until(lambda: len(first.metrics) > steps)


def test_stopped_jobs_end_whatever_they_were_doing(jobs: Jobs) -> None:
    running, waiting = start(jobs), start(jobs, "bob")
    jobs.stop(waiting)
    assert waiting.status == "stopped" and jobs.place(waiting) == 0
    jobs.pause(running)
    jobs.stop(running)
    until(lambda: running.status == "stopped")


def test_caps_for_a_visitor_and_for_all(jobs: Jobs) -> None:
    start(jobs), start(jobs)
    with pytest.raises(Busy, match="You have 2 runs"):
        start(jobs)
    start(jobs, "bob")
    with pytest.raises(Busy, match="Try again"):
        start(jobs, "cid")


def test_nobody_reaches_another_visitors_job(jobs: Jobs) -> None:
    job = start(jobs)
    assert jobs.get(job.id, "bob") is None and jobs.get(job.id, "ann") is job
    until(lambda: job.run is not None)
    assert jobs.get("run", "ann") is job and jobs.get("", "ann") is None and jobs.get(None, "ann") is None


def test_a_failed_job_says_why_and_frees_its_slot(jobs: Jobs, caplog: pytest.LogCaptureFixture) -> None:
    def refuses(control: Any) -> Iterator[Any]:
        raise LeapsError("The disk is full.")
        yield

    def breaks(control: Any) -> Iterator[Any]:
        raise ZeroDivisionError("secret detail")
        yield

    told, silent = start(jobs, perform=refuses), start(jobs, perform=breaks)
    until(lambda: silent.status == "error")
    assert told.status == "error" and told.error == "The disk is full."
    assert "secret" not in silent.error and "secret detail" in caplog.text
    until(lambda: start(jobs, "bob").status == "running")


def test_jobs_that_nobody_watches_are_stopped_and_forgotten() -> None:
    jobs = Jobs(slots=1, lease=0.2)
    job = start(jobs)
    until(lambda: job.status == "stopped")
    until(lambda: job.id not in jobs._jobs)  # asking for it would renew its lease


def test_leaving_shortens_the_lease_and_asking_renews_it(jobs: Jobs) -> None:
    job = start(jobs)
    job.page = "tab"
    jobs.leave("tab", grace=0)
    assert jobs.get(job.id, "ann") is job
    time.sleep(1.5)
    assert job.active
    jobs.leave("tab", grace=0)
    until(lambda: job.status == "stopped")


def test_snapshots_and_every_step_are_kept(jobs: Jobs) -> None:
    job = start(jobs, perform=lambda control: endless(control, steps=6))
    until(lambda: job.status == "done")
    assert [row["step"] for row in job.metrics] == [1, 2, 3, 4, 5, 6]
    assert [step for step, _ in job.snapshots] == [2, 4, 6]


def test_no_more_jobs_run_than_there_are_slots() -> None:
    jobs, most = Jobs(slots=2, per_owner=9, most=9), 0
    made = [start(jobs, perform=lambda control: endless(control, steps=10)) for _ in range(6)]
    while any(job.active for job in made):
        most = max(most, sum(job.status == "running" for job in made))
        time.sleep(0.002)
    assert most == 2 and all(job.status == "done" for job in made)


def test_closing_waits_until_the_jobs_have_saved() -> None:
    saved = []

    def slow(control: Any) -> Iterator[tuple[Any, Any]]:
        yield from endless(control)
        time.sleep(0.3)
        saved.append(True)

    jobs = Jobs(slots=1)
    jobs.start("me", CONFIG, FakeControl(), slow)
    jobs.start("me", CONFIG, FakeControl(), slow)  # still waiting: nothing to save
    jobs.close()
    assert saved == [True]
