"""A run as the page shows it, whether it is going on or lies on disk."""

from __future__ import annotations

import hashlib
import secrets
from bisect import bisect_right
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from leaps_core import paths, runs, video
from leaps_core.config import SynthesisConfig
from leaps_core.errors import LeapsError, RunError

from .jobs import Job, Jobs

JOBS = Jobs()
"""The jobs of this server."""
PERSONAL = False
"""Whether whoever opens the page is the one person whose runs are kept here, the command line's too."""


@dataclass(frozen=True)
class View:
    """What the page shows of a run: its numbers per step, its snapshots, and what led to them.

    `journey`: (step, embedding) from the first step to the newest; `weights`: the model's, "" where they weren't noted; `legs`:
    of a run that was stopped or went on later.
    """

    key: str
    config: SynthesisConfig
    metrics: Sequence[dict[str, Any]]
    steps: Sequence[int]
    clips: Sequence[np.ndarray]
    stimulus: np.ndarray | None
    changes: Sequence[dict[str, Any]]
    final: dict[str, Any] | None = None
    journey: Sequence[tuple[int, np.ndarray]] = ()
    weights: str = ""
    legs: Sequence[dict[str, int]] = ()

    @property
    def again(self) -> runs.Again:
        """What makes the run again."""
        return runs.Again(self.config, self.changes, self.legs)

    def snapshot(self, step: int) -> tuple[int, np.ndarray | None, dict[str, Any] | None]:
        """The newest snapshot that is not newer than a step (else the first): its step, clip and numbers."""
        if not self.steps:
            return 0, None, None
        at = max(0, bisect_right(self.steps, step) - 1)
        found = bisect_right(self.metrics, self.steps[at], key=lambda row: row["step"]) - 1
        return self.steps[at], self.clips[at], self.metrics[found] if found >= 0 else None


def owner_of(visitor: str | None) -> str:
    """The name under which a visitor's runs are kept: it tells nothing of the secret that the browser keeps. A personal
    page keeps them as the command line does, under no name."""
    return "" if PERSONAL else hashlib.sha256((visitor or secrets.token_hex()).encode()).hexdigest()[:24]


def own(owner: str) -> list[runs.Run]:
    """An owner's runs, the newest first."""
    return runs.list_runs(demos=False, owner=owner)


def shown(error: str) -> str:
    """An error as a visitor may read it: where things lie on the server is nobody's business but its owner's."""
    return error if PERSONAL else paths.hidden(error)


def of_job(job: Job) -> View:
    """A job's view, as far as it has come."""
    metrics, snapshots = job.metrics[:], job.snapshots[:]
    return View(
        job.id,
        job.config,
        metrics,
        [step for step, _ in snapshots],
        [clip for _, clip in snapshots],
        job.stimulus,
        job.control.changes,
        final=job.step.final if job.step else None,
        journey=_journey(job),
        weights=job.run.weights if job.run else "",
        legs=job.run.again.legs if job.run else (),
    )


def of_run(run: runs.Run) -> View:
    """The view of a run on disk; kept for the next time if all of it can be read."""
    try:
        return _loaded(run.folder, (run.folder / "run.json").stat().st_mtime_ns)
    except LeapsError:  # it ended badly, but its clip and numbers may be there
        with suppress(LeapsError):
            return _view(run, [run.done], [run.clip], None, [])
        return _view(run, [], [], None, [])


def look(key: str | None, owner: str) -> Job | runs.Run:
    """What an owner's key leads to: a job that is going on (or failed before it made a run), or a run on disk, or a demo.

    Of an ended job, the disk has its last step as a snapshot. Raises `RunError` where there is none.
    """
    job = JOBS.get(key, owner)
    return job if job and (job.active or job.run is None) else runs.find(JOBS.run_of(key or ""), owner)


def on_disk(key: str | None, owner: str) -> runs.Run | None:
    """The run on disk that an owner's key leads to, also while it goes on; None: nothing was made yet. Raises `RunError` where
    the key leads nowhere."""
    found = look(key, owner)
    return found.run if isinstance(found, Job) else found


def find(key: str | None, owner: str) -> View | None:
    """The view of an owner's job or run, or of a demo."""
    try:
        found = look(key, owner)
    except RunError:
        return None
    return of_job(found) if isinstance(found, Job) else of_run(found)


@lru_cache(maxsize=256)
def thumbnail(folder: Path, changed: int) -> dict[str, Any] | None:
    """A run's clip as a small sheet of eight frames; None if it has none. `changed` tells old contents from new."""
    try:
        return video.sprite(video.resample(runs.Run.open(folder).clip, 8, 72), quality=75)
    except RunError:
        return None


@lru_cache(maxsize=6)
def _loaded(folder: Path, changed: int) -> View:
    run = runs.Run.open(folder)
    shots = run.snapshots
    steps = shots.steps.tolist()
    journey = list(zip(steps, shots.embeddings.astype(np.float32), strict=True))
    return _view(run, steps, list(shots.clips), next(iter(run.stimulus), None), journey)


def _view(
    run: runs.Run, steps: list[int], clips: list[np.ndarray], stimulus: np.ndarray | None, journey: list[tuple[int, np.ndarray]]
) -> View:
    legs = run.again.legs
    return View(run.id, run.config, run.metrics, steps, clips, stimulus, run.changes, run.final, journey, run.weights, legs)


def _journey(job: Job) -> list[tuple[int, np.ndarray]]:
    """Of a job: its snapshots and its newest step."""
    journey, step = job.journey[:], job.step
    newest = [(step.index, step.embedding)] if step and (not journey or step.index > journey[-1][0]) else []
    return journey + newest
