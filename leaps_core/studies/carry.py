"""Carrying out a study: its runs are made here or on a cluster, kept as they come, and read."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path

import psutil

from .. import files, fleet, models, runs
from ..config import FRAME_NETWORKS, NETWORKS, SynthesisConfig
from ..errors import LeapsError, RunError
from ..inversion.plan import make_plan
from ..runs.writer import disk_is_full, explained
from . import scores, stimuli
from .kept import Batch, Kept, Made, Progress
from .report import Report, Row, done, write_clips
from .study import Asked, Study, Trial

PERIOD = 10.0
"""s between two partial reports."""


BATCH = 4
"""The most runs that are made in one batch. Twice as many gain a sixth at most on two cores, or lose (docs/speed.md)."""
MEMORY = 8 * 2**30
"""Bytes that they may need together. The same everywhere, so that the batches are."""


PLACE = "leaps-study-"
"""How the folders begin in which runs are made, until they are kept; then comes the process."""


Work = tuple[Batch, list[SynthesisConfig]]
"""Trials whose runs are made together, and their configs as `decided`."""


def decided(config: SynthesisConfig, precision: str) -> SynthesisConfig:
    """A config that leaves nothing to the machine that makes the run, so that all compute alike: the number format where it is
    open, and who takes part, by the weights that are here."""
    with suppress(LeapsError):  # it will be said when its turn comes
        cast = models.resolve(config)
        left = [name for name in (*NETWORKS, *FRAME_NETWORKS) if getattr(config, name) == "auto"]
        config = config.replace(**{name: found.key if (found := getattr(cast, name)) else "none" for name in left})
    return config.replace(precision=precision) if config.precision == "auto" else config


def make(work: Work) -> list[Made]:
    """Make runs in one batch, and find out about their clips. One that can't be made, or breaks off, is a row
    that says so."""
    trials, configs = work
    with tempfile.TemporaryDirectory(prefix=f"{PLACE}{os.getpid()}-") as place:
        made = _together(configs, Path(place)) if len(trials) > 1 else None
        return [
            _made(trial, made[number] if made else None if trial.work else _alone(config, Path(place) / f"alone-{number}"))
            for number, (trial, config) in enumerate(zip(trials, configs, strict=True))
        ]


def _together(configs: Sequence[SynthesisConfig], place: Path) -> list[runs.Run | LeapsError] | None:
    """The runs, made in one batch, or what ended them; None where that can't be: each alone may succeed, where memory is small
    or a network takes one clip only."""
    with suppress(LeapsError, RuntimeError):
        return runs.perform_together(configs, [place / f"{number}" for number in range(len(configs))])
    return None


def _alone(config: SynthesisConfig, folder: Path) -> runs.Run | LeapsError:
    try:
        *_, (run, _) = runs.perform(config, folder=folder)
    except (LeapsError, RuntimeError) as error:
        return _ours(error)
    return run


def _ours(error: LeapsError | RuntimeError) -> LeapsError:
    """The error, one of PyTorch's as one of ours."""
    return error if isinstance(error, LeapsError) else RunError(f"{type(error).__name__}: {error}")


def sweep() -> None:
    """Delete the folders in which processes made runs that were killed on this machine."""
    for place in Path(tempfile.gettempdir()).glob(f"{PLACE}*-*"):
        number = place.name.removeprefix(PLACE).split("-")[0]
        if number.isdecimal() and not psutil.pid_exists(int(number)):
            shutil.rmtree(place, ignore_errors=True)


def _made(trial: Trial, run: runs.Run | LeapsError | None) -> Made:
    """The row of a trial, and the files of its run (None: it has other work)."""
    row = {**trial.at, "status": "done", "error": ""}
    try:
        if isinstance(run, LeapsError):
            raise run
        if run is None:
            assert trial.work is not None
            return Made(row | trial.work(), {})
        row |= scores.of(run) | (trial.also(run) if trial.also else {})
        runs.pack(run)
    except (LeapsError, RuntimeError) as error:
        if disk_is_full(error):  # once there is space again it can be made
            raise
        return Made({**trial.at, "status": "failed", "error": str(_ours(error))}, {})
    return Made(row, {path.name: path.read_bytes() for path in sorted(run.folder.iterdir())})


def batches(trials: Sequence[Trial]) -> list[tuple[Trial, ...]]:
    """The trials, those together whose runs can be made in one batch. The same for the same trials, on every machine."""
    found, room = list[list[Trial]](), dict[object, list[Trial]]()
    for trial in trials:
        company, most = None, 1
        with suppress(LeapsError):  # it will be said when its turn comes
            if trial.work is None:
                plan = make_plan(trial.config, weights=False)
                company, most = plan.company, min(BATCH, int(MEMORY // plan.estimate.memory))
        if company not in room or len(room[company]) >= most:
            room[company] = []
            found.append(room[company])
        room[company].append(trial)
    return list(map(tuple, found))


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
    asked, trials = study.planned(asked)
    try:
        kept = Kept(folder, study, asked)
        sweep()
        try:
            return _finish(study, asked, kept, trials, engine or fleet.Engine(), progress)
        finally:
            kept.release()
    except OSError as error:
        raise explained(error, folder) from error


def _finish(
    study: Study, asked: Asked, kept: Kept, trials: list[Trial], engine: fleet.Engine, progress: Callable[[Progress], None]
) -> tuple[Report, list[str]]:
    pace, told, work = _Pace(), 0.0, batches(trials)
    while True:
        # a search knows more to try when some is done; one that goes on learns of its earlier points one after the other
        known, trials = {trial.id for trial in trials}, study.trials(asked, kept.rows(trials))
        work += batches([trial for trial in trials if trial.id not in known])
        pending = [batch for batch in work if not kept.finished(batch)]
        if not pending and len(trials) > len(known):
            continue
        _tell(kept, trials, pace, progress)
        if not pending:
            break
        auto = kept.precision(pending[0][0].config.device)
        claimed = ((batch, [decided(one.config, auto) for one in batch]) for batch in kept.claims(pending))
        for (batch, _), made in fleet.each(make, claimed, engine, _lost):
            kept.keep(batch, made)
            pace.done += len(batch)
            _tell(kept, trials, pace, progress)
            if time.monotonic() > told + PERIOD:
                _report(study, asked, kept, trials, whole=False)
                told = time.monotonic()
    return _report(study, asked, kept, trials, whole=True)


def _lost(work: Work, why: str) -> list[Made]:
    """Rows of runs whose workers were lost again and again, as where memory doesn't suffice for them."""
    return [Made({**trial.at, "status": "failed", "error": why}, {}) for trial in work[0]]


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


def _without_diversity(trials: Sequence[Trial], rows: Sequence[Row]) -> str:
    """The names of models whose runs were to have R_feat, and had none."""
    wanted = {trial.id for trial in trials if trial.work is None and trial.config.r * trial.config.diversity}
    bare = {row["model"] for row in done(rows) if row["run"] in wanted and "loss_diversity" not in row}
    return ", ".join(models.spec(key).name for key in sorted(bare))


def _report(study: Study, asked: Asked, kept: Kept, trials: Sequence[Trial], whole: bool) -> tuple[Report, list[str]]:
    rows = kept.rows(trials)
    report = study.read(asked, rows)
    seeds = asked.range
    report.claims.append(f"Seeds: {seeds[0]} to {seeds[-1]}." if len(seeds) > 1 else f"One seed, {seeds[0]}.")
    if bare := _without_diversity(trials, rows):
        report.claims.append(f"R_feat took no part in runs of {bare}, as no network with batch norm verified them.")
    if again := stimuli.repeated(asked):
        report.claims.append(again)
    if failed := [row for row in rows if row["status"] == "failed"]:
        report.claims.append(f"{len(failed)} of {len(rows)} runs failed, and are left out of these figures:")
        report = replace(report, failed=failed)
    write_clips(kept.path, rows)
    return report, report.write(kept.path, whole)
