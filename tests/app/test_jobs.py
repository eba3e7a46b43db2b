"""The queue: slots, places, caps, pauses, leases, and what a failing job leaves behind."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from app.jobs import Busy, Job, Jobs
from app.limits import Limits
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

    def forget(self) -> None:
        self.forgotten = True


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
    made = Jobs(slots=1, limits=Limits(runs=2, queue=3, grace=0), lease=60)
    yield made
    made.close()


def start(jobs: Jobs, owner: str = "ann", perform: Callable[[Any], Any] = endless, seconds: float = 0.0) -> Job:
    return jobs.start(owner, CONFIG, FakeControl(), perform, seconds=seconds)  # type: ignore[arg-type]


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


def test_a_job_pauses_by_itself_after_its_stops(jobs: Jobs) -> None:
    control: Any = FakeControl()
    job = jobs.start("me", CONFIG, control, lambda control: endless(control, 9), stops=(3, 6))
    for stop in (3, 6):
        until(lambda: job.status == "paused")
        time.sleep(0.05)
        assert job.version == stop
        jobs.resume(job)
    until(lambda: job.status == "done")
    assert job.version == 9


def test_stopped_jobs_end_whatever_they_were_doing(jobs: Jobs) -> None:
    running, waiting = start(jobs), start(jobs, "bob")
    jobs.stop(waiting)
    assert waiting.status == "stopped" and jobs.place(waiting) == 0
    jobs.pause(running)
    jobs.stop(running)
    until(lambda: running.status == "stopped")


def test_caps_for_a_visitor_and_for_all(jobs: Jobs) -> None:
    start(jobs), start(jobs)
    with pytest.raises(Busy, match="The most runs that you may have going on: 2"):
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
    jobs.leave("tab")
    assert jobs.get(job.id, "ann") is job
    time.sleep(1.5)
    assert job.active
    jobs.leave("tab")
    until(lambda: job.status == "stopped")


def test_snapshots_and_every_step_are_kept(jobs: Jobs) -> None:
    job = start(jobs, perform=lambda control: endless(control, steps=6))
    until(lambda: job.status == "done")
    assert [row["step"] for row in job.metrics] == [1, 2, 3, 4, 5, 6]
    assert [step for step, _ in job.snapshots] == [6] and job.control.forgotten, "the others are on the disk"  # type: ignore[attr-defined]
    assert list(job.perform(job.control)) == [], "what it began with is not held either"


def test_no_more_jobs_run_than_there_are_slots() -> None:
    jobs, most = Jobs(slots=2, limits=Limits.personal()), 0
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


def test_visitors_take_turns() -> None:
    jobs = Jobs(slots=1, limits=Limits(runs=3))
    ann = [start(jobs) for _ in range(3)]
    bob, cid = [start(jobs, "bob") for _ in range(2)], start(jobs, "cid")
    assert [jobs.place(job) for job in (*ann, *bob, cid)] == [0, 4, 5, 1, 3, 2]
    jobs.stop(ann[0])
    until(lambda: bob[0].status == "running")
    assert [jobs.place(job) for job in (*ann[1:], bob[1], cid)] == [2, 3, 4, 1], "now ann has nothing going on, and bob has"
    jobs.close()


def test_how_long_a_job_will_wait_is_known() -> None:
    jobs = Jobs(slots=2)
    start(jobs, "a", seconds=30), start(jobs, "b", seconds=30)
    first, second, third = (start(jobs, name, seconds=20) for name in "cde")
    assert jobs.wait(first) <= 30 and jobs.wait(second) <= 30
    assert 40 <= jobs.wait(third) <= 50, "behind one of those that go on, and one that waits"
    jobs.close()


def test_a_long_queue_learns_how_long_runs_take_here(jobs: Jobs) -> None:
    """Those that came before anything was known don't mislead it: what they took counts, not how far off they were told."""
    jobs.limits = Limits(queue=30)
    queue = [start(jobs, f"visitor {number}", partial(endless, steps=10), seconds=0.25) for number in range(16)]
    until(lambda: not any(job.active for job in queue))
    start(jobs)
    first, second = start(jobs, "bob", seconds=0.25), start(jobs, "cid")
    took = [job.spent for job in queue]
    assert 0.8 * min(took) < jobs.wait(second) - jobs.wait(first) < 1.2 * max(took), "what they took"
    assert min(took) < 0.2, "less than was told"


def test_what_is_left_of_a_job_is_told_by_its_pace(jobs: Jobs) -> None:
    job = start(jobs, seconds=60)
    assert job.left() == pytest.approx(60, abs=1) and job.left(0.5) == pytest.approx(30, abs=1)
    jobs.stop(job)
    until(lambda: job.status == "stopped")
    job.metrics = [{"step": step, "seconds": 2.0 * step} for step in range(1, 11)]
    assert job.left() == job.left(0.5) == pytest.approx(2 * (CONFIG.steps - 10))


def test_a_day_has_so_many_runs() -> None:
    jobs = Jobs(slots=1, limits=Limits(daily=2))
    assert jobs.left_today("ann") == 2
    for left in (1, 0):
        jobs.stop(start(jobs))
        assert jobs.left_today("ann") == left
    with pytest.raises(Busy, match="in 24 hours: 2.*tomorrow"):
        start(jobs)
    assert start(jobs, "bob").active and Jobs().left_today("ann") is None
    jobs._begun["ann"][0] -= 25 * 3600
    assert jobs.left_today("ann") == 1
    jobs.close()


def test_a_job_that_has_had_its_minutes_is_stopped_and_says_so(jobs: Jobs) -> None:
    jobs.limits = Limits(minutes=0.5 / 60)
    paused, job = start(jobs), start(jobs, "bob")
    jobs.pause(paused)
    until(lambda: job.status == "stopped")
    assert job.why == "stopped after 0.00833 minutes, the most that a run has here" and job.metrics
    assert paused.active, "while it is paused it takes nobody's time"


def test_a_job_that_is_to_go_on_goes_on_when_nobody_watches(jobs: Jobs) -> None:
    job, other = start(jobs), start(jobs, "bob")
    jobs.keep(job, True)
    job.page = other.page = "tab"
    jobs.leave("tab")
    until(lambda: other.status == "stopped")
    steps = len(job.metrics)
    until(lambda: len(job.metrics) > steps)
    jobs.keep(job, False)
    until(lambda: job.status == "stopped")
