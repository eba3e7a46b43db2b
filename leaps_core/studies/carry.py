"""Carrying out a study: its runs are made here or on a cluster, kept as they come, and read."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from .. import files, fleet, machine, models, runs
from ..errors import LeapsError
from ..runs.writer import explained
from . import scores
from .kept import Kept, Progress
from .report import Report, Row, write_clips
from .study import Asked, Study, Trial

PERIOD = 10.0
"""s between two partial reports."""


@dataclass(frozen=True)
class Made:
    """What a worker gives back: the row of a trial, and the files of its packed run (none of one that failed)."""

    row: Row
    run: dict[str, bytes]


def make(trial: Trial, auto: str) -> Made:
    """Make a run, and find out about its clip. One that can't be made, or breaks off, is a row that says so. `auto`: the number
    format where the trial leaves it open, so that all machines compute alike."""
    config = trial.config.replace(precision=auto) if trial.config.precision == "auto" else trial.config
    row = {**trial.at, "status": "done", "error": ""}
    with tempfile.TemporaryDirectory(prefix="leaps-study-") as place:
        try:
            if trial.work is not None:
                return Made(row | trial.work(), {})
            *_, (run, _) = runs.perform(config, folder=Path(place) / "run")
            row |= scores.of(run) | (trial.also(run) if trial.also else {})
            runs.pack(run)
        except LeapsError as error:
            return Made({**trial.at, "status": "failed", "error": str(error)}, {})
        return Made(row, {path.name: path.read_bytes() for path in sorted(run.folder.iterdir())})


def carry_out(
    study: Study,
    asked: Asked,
    folder: Path,
    engine: fleet.Engine | None = None,
    progress: Callable[[Progress], None] = lambda _: None,
) -> tuple[Report, list[str]]:
    """Make all runs of a study that its folder doesn't have yet, and read them; writes everything into the folder. Returns the
    report, and what there is to say about its files. Raises `LeapsError`: before any run for whatever was asked and can't be,
    or a folder of another study; later where the disk is full."""
    asked = study.completed(asked)
    trials = study.trials(asked, ())
    for trial in trials:
        models.require_weights(models.resolve(trial.config))
    try:
        kept = Kept(folder, study, asked)
        try:
            return _finish(study, asked, kept, trials, engine or fleet.Engine(), progress)
        finally:
            kept.release()
    except OSError as error:
        raise explained(error, folder) from error


def _finish(
    study: Study, asked: Asked, kept: Kept, trials: list[Trial], engine: fleet.Engine, progress: Callable[[Progress], None]
) -> tuple[Report, list[str]]:
    pace, told = _Pace(), 0.0
    while True:
        # a search knows more to try when some is done; one that goes on learns of its earlier points one after the other
        known, trials = len(trials), study.trials(asked, kept.rows(trials))
        pending = [trial for trial in trials if not kept.has(trial)]
        if not pending and len(trials) > known:
            continue
        _tell(kept, trials, pace, progress)
        if not pending:
            break
        auto = machine.pick_precision("auto", pending[0].config.device)
        for trial, made in fleet.each(partial(make, auto=auto), kept.claims(pending), engine):
            kept.keep(trial, made.row | {"run": trial.id}, made.run)
            pace.done += 1
            _tell(kept, trials, pace, progress)
            if time.monotonic() > told + PERIOD:
                _report(study, asked, kept, trials, whole=False)
                told = time.monotonic()
    return _report(study, asked, kept, trials, whole=True)


class _Pace:
    """How fast trials get done in this process."""

    def __init__(self) -> None:
        self.begun, self.done = time.monotonic(), 0

    def left(self, pending: int) -> float | None:
        return (time.monotonic() - self.begun) / self.done * pending if self.done else None


def _tell(kept: Kept, trials: Sequence[Trial], pace: _Pace, progress: Callable[[Progress], None]) -> None:
    rows = kept.rows(trials)
    found = Progress(len(rows), len(trials), sum(row["status"] == "failed" for row in rows), pace.left(len(trials) - len(rows)))
    files.write(kept.path / "progress.json", json.dumps(asdict(found)))
    progress(found)


def _report(study: Study, asked: Asked, kept: Kept, trials: Sequence[Trial], whole: bool) -> tuple[Report, list[str]]:
    rows = kept.rows(trials)
    report = study.read(asked, rows)
    write_clips(kept.path, rows)
    notes = report.write(kept.path, whole)
    failed = [row for row in rows if row["status"] == "failed"]
    with suppress(IndexError):
        notes.append(f"{len(failed)} of {len(rows)} runs failed; the first: {failed[0]['error']}")
    return report, notes
