"""A made-up engine in place of the real one, for tests of what is kept of runs."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from leaps_core import models, runs
from leaps_core.config import SynthesisConfig
from leaps_core.inversion.control import Control
from leaps_core.inversion.plan import Plan
from leaps_core.inversion.step import Step
from leaps_core.runs import Run

FRAMES, SIZE = 4, 8
SPEC = models.ModelSpec(
    key="tiny", name="Tiny", family="Test", world="tests", frames=FRAMES, size=SIZE, taps="0", embedding_layer="0"
)
ALL_FILES = {
    ".lock",
    "run.json",
    "metrics.jsonl",
    "snapshots.npz",
    "stimulus.npz",
    "clip.npz",
    "clip.mp4",
    "clip.webp",
    "checkpoint.pt",
}


def synthesize(plan: Plan, control: Control, *, checkpoint: dict[str, Any] | None = None) -> Iterator[Step]:
    """The value of a clip depends on seed, stimulus, every step so far, and the changes: the canvas is one number."""
    assert plan.stimulus is not None
    grey = float(plan.stimulus.mean()) if len(plan.stimulus) else 0.0
    start = {"value": torch.tensor(plan.config.seed / 7 + grey / 300), "done": 0, "rate": 0.1}
    value, index, rate = (checkpoint or start).values()
    steps = plan.config.steps
    control.skip(index)

    def step(final: bool) -> Step:
        size = SIZE // 2 if index * 2 <= steps else SIZE  # coarse to fine
        return Step(
            index=index,
            total=steps,
            losses={"cross_entropy": 1 / index},
            weighted={"cross_entropy": 1 / index},
            probabilities={"model": 0.5, "verifier": None, "judge": None},
            top5=(("bowling", 0.5), ("tai chi", 0.25)),
            clip=(value * torch.arange(1, 1 + 3 * FRAMES * size**2) % 1).reshape(1, 3, FRAMES, size, size),
            embedding=np.full(3, index, np.float32),
            seconds=0.1,
            snapshot=True,
            notices=("a notice",),
            final={"model": 0.9, "verifier": None, "judge": 0.8} if final else None,
        )

    while index < steps and control.state != "stopped":
        index += 1
        rate = [rate, *control.take(index).values()][-1]
        value = value + rate * index / steps
        control.keep({"value": value, "done": index, "rate": rate})
        yield step(index == steps)
    if control.state == "stopped" and index:
        yield step(True)


def stimulus_clips(config: SynthesisConfig, spec: models.ModelSpec) -> tuple[np.ndarray, tuple[str, ...]]:
    """Grey clips, and a notice."""
    return np.full((len(config.stimuli), FRAMES, SIZE, SIZE, 3), 100, np.uint8), ("from the stimulus",)


def config(**settings: Any) -> SynthesisConfig:
    return SynthesisConfig(**{"model": "tiny", "action": "bowling", "steps": 6, "seed": 3, **settings})


def made(iterator: Iterator[tuple[Run, Step]], at: int | None = None, act: Callable[[], None] = lambda: None) -> Run:
    """The run, once the iterator has ended; after step `at`, `act` is called."""
    found = None
    for found, step in iterator:  # noqa: B007
        if step.index == at:
            act()
    assert found is not None
    return found


def stopped(at: int, changes: Iterable[dict[str, Any]] = ()) -> Run:
    """A run stopped after step `at`."""
    control = Control(changes)
    return made(runs.perform(config(), control), at, control.stop)


def files_of(run: Run) -> set[str]:
    return {path.name for path in run.folder.iterdir()}


def contents_of(run: Run) -> dict[str, bytes]:
    return {name: (run.folder / name).read_bytes() for name in files_of(run)}


class FullDisk:
    """From `full = True` on, nothing new fits: replacing files fails as on a full disk."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, only: str = "") -> None:
        self.full, replace = False, os.replace

        def refusing(source: Path, target: Path) -> None:
            if self.full and only in str(target):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(target))
            replace(source, target)

        monkeypatch.setattr(os, "replace", refusing)
