"""A study's folder: what was asked, what is finished, who works on what.

It holds study.json, runs/ID (each run, packed: docs/runs.md), rows/ID.json (what was found out about its clip; written last, so
that a killed study has no half of a run), clips.csv and .parquet (all rows), table.md, .csv and .parquet, figures (.json for
Plotly, .svg, .png), sheet.webp and progress.json. Any number of processes and machines may work in it at once.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from .. import __version__, files, machine, models, paths
from ..errors import RunError
from .report import Row
from .study import Asked, Study, Trial

FILE = "study.json"
"""What was asked, in a study's folder."""
Batch = tuple[Trial, ...]
"""Trials whose runs are made together."""
WAIT = 1.0
"""s between two looks at what others are working on."""


@dataclass(frozen=True)
class Progress:
    """How far a study is: trials that are done, of those known; how many of them failed; about how many seconds are left (None:
    not known yet)."""

    done: int
    total: int
    failed: int = 0
    left: float | None = None


@dataclass(frozen=True)
class Made:
    """What a worker gives back: the row of a trial, and the files of its packed run (none of one that failed)."""

    row: Row
    run: dict[str, bytes]


class Kept:
    """The folder of a study. Raises `RunError` for a folder that holds another study, or this one asked in another way or of
    other weights; `OSError`."""

    def __init__(self, path: Path, study: Study, asked: Asked) -> None:
        self.path, self._locks, self._known = path, dict[str, FileLock](), dict[str, Row]()
        for part in (path, path / "rows", path / "runs", path / "locks"):
            part.mkdir(parents=True, exist_ok=True)
        said = {"study": study.name, **described(asked)}
        with self._writing():
            if not (path / FILE).exists():
                files.write(path / FILE, json.dumps({**said, "version": __version__}, indent=1) + "\n")
        found = asked_in(path)
        found.setdefault("banks", [])  # of a study begun before there were any
        if apart := [name for name in said if found.get(name) != said[name]]:
            raise RunError(
                f"{path} holds the study “{found.get('study')}” with another “{apart[0]}” ({found.get(apart[0])}; asked for: "
                f"{said[apart[0]]}). Choose another folder (--out), or ask for the same."
            )

    def _writing(self) -> FileLock:
        """A lock on study.json."""
        return files.lock(self.path / "locks" / "study")

    def precision(self, device: str) -> str:
        """The number format of all its runs that leave it open: what suits the machine that asked first. Which is faster is
        measured, so that another process, or this one later, may find another."""
        with self._writing():
            said = asked_in(self.path)
            if "precision" not in said:
                said["precision"] = machine.pick_precision("auto", device)
                files.write(self.path / FILE, json.dumps(said, indent=1) + "\n")
            return str(said["precision"])

    def rows(self, trials: Sequence[Trial]) -> list[Row]:
        """The rows of those that are finished, in their order, with the `folder` of each one's run."""
        for trial in trials:
            if trial.id not in self._known and self.has(trial):
                row = json.loads(self._row(trial).read_text("utf-8"))
                self._known[trial.id] = row | {"folder": str(self.run(trial))}
        return [self._known[trial.id] for trial in trials if trial.id in self._known]

    def has(self, trial: Trial) -> bool:
        """Whether it is finished, or failed in this process: the next one tries it again."""
        return trial.id in self._known or self._row(trial).is_file()

    def claims(self, batches: Sequence[Batch]) -> Iterator[Batch]:
        """Those that are to be done, one by one, each when nobody else works on it; it is this process's until it is kept.
        Those that others finish meanwhile are left out. Ends when all are done, or when others have the rest while something of
        this process's is still to be kept: ask again then."""
        left = deque(batches)
        while left:
            for _ in range(len(left)):
                batch = left.popleft()
                if self.finished(batch):
                    continue
                lock = files.lock(self.path / "locks" / batch[0].id)
                try:
                    lock.acquire(timeout=0)
                except Timeout:
                    left.append(batch)
                    continue
                if self.finished(batch):  # since a moment ago
                    lock.release()
                    continue
                self._locks[batch[0].id] = lock
                yield batch
            if left and self._locks:  # what was made has to be kept first: another may wait for it, and this one for the other
                return
            if left:
                time.sleep(WAIT)

    def finished(self, batch: Batch) -> bool:
        """Whether all of them are."""
        return all(map(self.has, batch))

    def keep(self, batch: Batch, made: Sequence[Made]) -> None:
        """Write what was made of a batch, and let go of it. What is finished stays as it is: it was made of the same batch."""
        for trial, one in zip(batch, made, strict=True):
            if not self.has(trial):
                self._keep(trial, one)
        self._locks.pop(batch[0].id).release()

    def _keep(self, trial: Trial, made: Made) -> None:
        """Write the files of a trial's run, and then its row; of one that failed nothing, as memory, weights or a file may have
        been missing for a while."""
        if made.row.get("status") == "failed":
            self._known[trial.id] = made.row | {"run": trial.id, "folder": ""}
            return
        folder = self.path / "runs" / trial.id
        shutil.rmtree(folder, ignore_errors=True)
        if made.run:
            folder.mkdir()
        for name, data in made.run.items():
            (folder / name).write_bytes(data)
        files.write(self._row(trial), json.dumps(made.row | {"run": trial.id}))

    def release(self) -> None:
        """Let go of what isn't finished: others may do it."""
        for lock in self._locks.values():
            lock.release()
        self._locks.clear()

    def run(self, trial: Trial) -> Path:
        """Where the run of a trial lies; of a failed one there is none."""
        return self.path / "runs" / trial.id

    def _row(self, trial: Trial) -> Path:
        return self.path / "rows" / f"{trial.id}.json"


def place(study: Study, asked: Asked) -> Path:
    """Where a study is kept if nobody says where: the same for the same study."""
    asked = study.completed(asked)
    digest = hashlib.sha256(json.dumps(described(asked), sort_keys=True).encode()).hexdigest()
    return paths.studies() / f"{study.name}-{'-'.join(asked.models)[:60]}-{digest[:8]}"


def described(asked: Asked) -> dict[str, Any]:
    """What was asked, as study.json has it, with which weights the models have."""
    plain = asdict(asked) | {"stimuli": str(asked.stimuli.absolute()) if asked.stimuli else None}
    plain["banks"] = [str(bank.absolute()) for bank in asked.banks]
    weights = {key: models.fingerprint(models.spec(key)) for key in asked.models}
    return json.loads(json.dumps(plain | {"weights": weights}))


def asked_in(path: Path) -> dict[str, Any]:
    """What study.json of a folder says. Raises `RunError` where it is damaged."""
    try:
        found = json.loads((path / FILE).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise RunError(f"{path / 'study.json'} can't be read: {error}. Choose another folder (--out).") from None
    return found if isinstance(found, dict) else {}
