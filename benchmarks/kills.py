"""Pulled plugs: `python -m benchmarks.kills [--kills N] [--seed S] [--cost MODEL ...]`

Runs are begun and killed (SIGKILL) again and again: at random moments, and in the middle of writing, before a file takes its
place, after it has, and with half of a snapshot on the disk. Each time the run goes on in a new process; settings are moved on
the way, as a person would. When a run is done, it is compared with one that nobody disturbed: clip, losses, snapshots and
changes, bit for bit. Prints a row for each run.

--cost: what checkpoints cost instead: a run of each model at its recommended settings, and the share of its time that they
took.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from leaps_core import SynthesisConfig, files, models, runs
from leaps_core.inversion.control import Control
from leaps_core.runs import waiting, writer

STEPS = 30
CHANGES = [{"step": 9, "field": "coherence", "value": 0.0}, {"step": 23, "field": "smoothness", "value": 2.0}]
"""What is moved while a run goes on."""
PLACES = ("before a file takes its place", "after a file took its place", "half of a snapshot")
"""Where a process is killed that isn't killed at a random moment."""


@dataclass
class Tally:
    """What happened to one run: where it was killed, from which steps it went on, and what differs in the end."""

    moments: int = 0
    writes: dict[str, int] = field(default_factory=lambda: dict.fromkeys(PLACES, 0))
    went_on: list[int] = field(default_factory=list)
    differs: list[str] = field(default_factory=list)

    @property
    def kills(self) -> int:
        """How often it was killed."""
        return self.moments + sum(self.writes.values())


def config(model: str, seed: int) -> SynthesisConfig:
    """A short run with all that there is to go on with: views, stages, a stimulus, a verifier and a judge."""
    return models.configure(model, models.labels(models.spec(model).world)[seed % 16], {"steps": STEPS, "seed": seed})


def rounds(model: str, kills: int, seed: int) -> list[Tally]:
    """Kill runs of a model so many times in all; every run ends well in the end. LEAPS_HOME is a folder of its own."""
    chance, tallies = random.Random(seed), list[Tally]()
    with tempfile.TemporaryDirectory() as folder:  # loads all modules, which each copy of this process would do again
        _perform(config(model, seed).replace(steps=1), Path(folder) / "first")
    while sum(tally.kills for tally in tallies) < kills:
        settings, tally = config(model, seed + len(tallies)), Tally()
        tallies.append(tally)
        with tempfile.TemporaryDirectory() as folder:
            disturbed, alone = Path(folder) / "disturbed", Path(folder) / "alone"
            killed = False
            while not _ended(disturbed):
                if (disturbed / "run.json").exists():
                    tally.went_on.append(runs.Run.open(disturbed).done)
                enough = sum(tally.kills for tally in tallies) >= kills
                # half of them at a random moment, the others where fewest were so far, so that each place has its turn
                rarest = min(PLACES, key=lambda place: sum(tally.writes[place] for tally in tallies))
                place = None if chance.random() < 0.5 else rarest
                killed = _attempt(settings, disturbed, place, chance, enough)
                tally.moments += killed and place is None
                if place is not None:
                    tally.writes[place] += killed
            _in_a_process(partial(_perform, settings, alone))
            tally.differs = _differences(runs.Run.open(disturbed), runs.Run.open(alone), half=killed)
    return tallies


def _ended(folder: Path) -> bool:
    return (folder / "run.json").exists() and runs.Run.open(folder).status == "done"


def _attempt(settings: SynthesisConfig, folder: Path, place: str | None, chance: random.Random, enough: bool) -> bool:
    """Begin the run or go on with it, in a process that is killed at a moment, or at its n-th write of a kind; whether it
    was."""
    moment, countdown = chance.uniform(0, 1), chance.randint(1, 25)

    def work() -> None:
        if place is not None and not enough:
            _trap(place, countdown)
        _perform(settings, folder)

    def disturb(child: int) -> None:
        if place is None and not enough:
            time.sleep(moment)
            os.kill(child, signal.SIGKILL)

    return _in_a_process(work, disturb)


def _in_a_process(work: Callable[[], None], disturb: Callable[[int], None] = lambda child: None) -> bool:
    """Do it in a copy of this process, which has computed with one thread only, as others would be missing there; whether it
    was killed. Raises `RuntimeError` where it failed by itself."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            work()
            code = 0
        except BaseException:
            traceback.print_exc()  # nobody else does in a process that ends by `os._exit`
        finally:
            sys.stderr.flush()
            os._exit(code)
    disturb(child)
    _, status = os.waitpid(child, 0)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status):
        raise RuntimeError("The run failed; see above.")
    return os.WIFSIGNALED(status)


def _perform(settings: SynthesisConfig, folder: Path) -> None:
    """The run from its beginning or from where it is, with a checkpoint as often as can be. What a person would change is
    changed unless the run shows the step before which it was changed: then it has to know by itself."""
    torch.set_num_threads(1)
    writer.PERIOD, writer.SHARE = 0.0, 1.0
    known = runs.Run.open(folder) if (folder / "run.json").exists() else None
    shown = max((row["step"] for row in known.metrics), default=0) if known else 0
    control = Control(change for change in CHANGES if change["step"] > shown)
    for _ in runs.resume(known, control=control) if known else runs.perform(settings, control, folder=folder):
        pass


def _trap(place: str, countdown: int) -> None:
    """Have this process kill itself the n-th time that it comes to a place."""
    left = iter(range(countdown - 1, -1, -1))

    def here() -> None:
        if next(left) == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    replace, add = os.replace, waiting.Waiting.add

    def replacing(source: Any, target: Any) -> None:
        if place == PLACES[0]:
            here()
        replace(source, target)
        if place == PLACES[1]:
            here()

    os.replace = replacing  # type: ignore[assignment]
    if place == PLACES[2]:
        waiting.Waiting.add = _half(add, here)  # type: ignore[method-assign]


def _half(add: Callable[..., None], here: Callable[[], None]) -> Callable[..., None]:
    """Adding a snapshot, with half of its clip on the disk first."""

    def adding(self: waiting.Waiting, step: int, embedding: np.ndarray, clip: np.ndarray) -> None:
        end = self.path.stat().st_size
        add(self, step, embedding, clip)
        whole = self.path.read_bytes()
        os.truncate(self.path, (end + len(whole)) // 2)
        here()
        os.truncate(self.path, end)
        with open(self.path, "ab") as file:
            file.write(whole[end:])

    return adding


def _differences(one: runs.Run, other: runs.Run, half: bool) -> list[str]:
    """What of two runs differs; their times may. half: the first was killed when its record already said that it is done, as
    its very last file was written; half of that may be there, until somebody goes on with it."""
    numbers = [[{**row, "seconds": 0} for row in run.metrics] for run in (one, other)]
    every = [list(run.folder.iterdir()) for run in (one, other)]
    unfinished = [[path for path in paths if files.is_unfinished(path)] for paths in every]
    names = [{path.name for path in paths if not files.is_unfinished(path)} for paths in every]
    found = {
        "clip": np.array_equal(one.tensor, other.tensor),
        "losses": numbers[0] == numbers[1],
        "snapshots": all(map(np.array_equal, one.snapshots, other.snapshots)),
        "changes": one.changes == other.changes,
        "files": names[0] == names[1] and not unfinished[1] and len(unfinished[0]) <= half,
        "scores": {**(one.final or {}), "seconds": 0, "steps_per_second": 0}
        == {**(other.final or {}), "seconds": 0, "steps_per_second": 0},
    }
    return [name for name, same in found.items() if not same]


def cost(model: str) -> tuple[int, float, float]:
    """A run of a model as it is recommended: how many checkpoints were written, the mean of their seconds, and their share of
    the run's time."""
    spent, keep = list[float](), writer.Writer._keep

    def timed(self: writer.Writer) -> None:
        begun = time.perf_counter()
        keep(self)
        spent.append(time.perf_counter() - begun)

    writer.Writer._keep = timed  # type: ignore[method-assign]
    begun = time.perf_counter()
    try:
        with tempfile.TemporaryDirectory() as folder:
            for _ in runs.perform(models.configure(model, models.labels(models.spec(model).world)[0]), folder=folder):
                pass
    finally:
        writer.Writer._keep = keep  # type: ignore[method-assign]
    seconds = time.perf_counter() - begun
    return len(spent), float(np.mean(spent)) if spent else 0.0, sum(spent) / seconds


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=40, help="how many in all (default: 40)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--model", default="puppet_csn", help="the model of the runs that are killed")
    parser.add_argument("--cost", nargs="+", metavar="MODEL", help="what checkpoints cost in a run of these models instead")
    options = parser.parse_args()
    if options.cost:
        print("| model | checkpoints | seconds each | share of the run |\n| --- | --- | --- | --- |")
        for model in options.cost:
            count, seconds, share = cost(model)
            print(f"| {model} | {count} | {seconds:.3f} | {100 * share:.2f} % |", flush=True)
        return
    tallies = rounds(options.model, options.kills, options.seed)
    print(f"| run | killed | at a random moment | {' | '.join(PLACES)} | went on from | differs |")
    print("| --- " * (6 + len(PLACES) - 1) + "|")
    for number, tally in enumerate(tallies, 1):
        went_on, differs = ", ".join(map(str, tally.went_on)), ", ".join(tally.differs) or "nothing"
        places = " | ".join(str(tally.writes[place]) for place in PLACES)
        print(f"| {number} | {tally.kills} | {tally.moments} | {places} | {went_on} | {differs} |")
    if any(tally.differs for tally in tallies):
        sys.exit(1)


if __name__ == "__main__":
    main()
