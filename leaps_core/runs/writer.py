"""What a run writes while it goes on, and when it ends. Each file but metrics.jsonl appears complete or not at all; while a
run is being written, its process holds the folder's lock."""

from __future__ import annotations

import errno
import io
import json
import math
import os
import re
import shutil
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from filelock import FileLock

from .. import files, models, video
from ..config import SynthesisConfig
from ..errors import RunError, VideoError
from ..inversion.control import Control
from . import waiting
from .record import Run

if TYPE_CHECKING:
    from ..inversion.step import Step


PERIOD = 10.0
"""Seconds from one checkpoint of a run that is going on to the next, at least."""
SHARE = 0.02
"""The most of a run's time that its checkpoints may take: where writing one takes long, the next one waits longer."""
SMALLER = "Choose fewer frames, a smaller size or a smaller model."


class Writer:
    """Writes one run. `begin` once, `add` each step, `finish` however it ends; it owns the folder's lock until then.

    A process may be killed at any moment. So that the run can go on from its newest checkpoint, to the same end: what a
    checkpoint needs is on the disk before it, in files that grow or are replaced as a whole, and where it says to go on counts,
    whatever run.json, metrics and snapshots know beyond that.
    """

    def __init__(self, run: Run, lock: FileLock, control: Control, legs: Sequence[dict[str, int]], earlier: Run | None) -> None:
        self.run, self.lock, self.control, self.legs, self.earlier = run, lock, control, legs, earlier
        self.kept_changes = run.changes
        self.first = self.index = run.done
        self.last: Step | None = None
        self.due = time.monotonic() + PERIOD

    def begin(self, stimulus: np.ndarray, checkpoint: dict[str, Any] | None = None) -> None:
        """Say that the run is going on, and lay out what grows with it. checkpoint: of another run, where it begins."""
        for left in filter(files.is_unfinished, list(self.run.folder.iterdir())):  # by a process that was killed
            left.unlink()
        self.run.record.pop("error", None)
        self._save_record("running")
        if not self.run.has("stimulus.npz"):
            files.write_arrays(self.run.folder / "stimulus.npz", clips=stimulus)
        if not self.earlier and checkpoint:
            self._save_checkpoint(checkpoint)
        lines = [line for line in self.run.metrics if line["step"] <= self.first]
        files.write(self.run.folder / "metrics.jsonl", "".join(map(_line, lines)))
        # unbuffered: a line is there for other readers at once, and a full disk shows where it can be handled
        self.metrics = open(self.run.folder / "metrics.jsonl", "ab", buffering=0)
        self.waiting = waiting.Waiting(self.run.folder / waiting.FILE, upto=self.first)

    def add(self, step: Step) -> None:
        """Write what one step brings. The last step of a stopped run repeats an index and brings `final`."""
        if self.last is None:
            notices = list(dict.fromkeys([*self.run.notices, *step.notices]))
            self.run.record.update(_environment(step, self.run.config), notices=notices)
        self.run.record["final"] = step.final
        if self._changes() != self.run.changes:  # before the line that shows what they did
            self._save_record("running")
        if step.index > self.index:
            self.metrics.write(_line(step.row).encode())
        if (step.snapshot or step.final is not None) and step.index > (self.waiting.steps or [self.first])[-1]:
            self.waiting.add(step.index, np.asarray(step.embedding, np.float32), step.frames)
        self.index, self.last = step.index, step
        if step.final is None and time.monotonic() >= self.due and self.control.kept:
            with suppress(OSError):  # the earlier one is still there
                self._keep()

    def _keep(self) -> None:
        """Write a checkpoint, and what it stands on before it."""
        begun = time.monotonic()
        os.fsync(self.metrics.fileno())
        self.waiting.sync()
        self._save_checkpoint(self.control.checkpoint())
        self._note_leg()
        self._save_record("running")
        self.due = time.monotonic() + max(PERIOD, (time.monotonic() - begun) / SHARE)

    def finish(self, status: str, problem: BaseException | None = None) -> Exception | None:
        """Save all that can be saved. Returns the first reason why something could not be."""
        try:
            if self.last is None:
                return self._undo()
            if isinstance(problem, Exception):
                status, self.run.record["error"] = "failed", str(problem)
            self._note_leg()
            # snapshots first: whether or not they fit, the space that they waited in is free afterwards; the checkpoint last:
            # while the record says "running", the earlier one is where the run goes on from
            failures = [
                failure
                for job in (
                    self._save_snapshots,
                    self._free,
                    self._save_clip,
                    self._save_mp4,
                    self._save_webp,
                    partial(self._save_record, status),
                    lambda: self._save_checkpoint(self.control.checkpoint()),
                )
                if (failure := _attempt(job, self.run.folder))
            ]
            if failures:
                self.run.record.setdefault("error", str(failures[0]))
                _attempt(partial(self._save_record, "failed"), self.run.folder)
            return failures[0] if failures else None
        finally:
            with suppress(Exception):
                self._close()
            self.lock.release()

    def _undo(self) -> Exception | None:
        """Not one step was made: a new folder goes away, a resumed run stays what it was."""
        if self.earlier is None:
            shutil.rmtree(self.run.folder, ignore_errors=True)
            return None
        self.run.record = self.earlier.record
        if (path := self.run.folder / waiting.FILE).exists() and not path.stat().st_size:
            path.unlink()  # it wasn't there before
        return _attempt(self.run.save, self.run.folder)

    def _close(self) -> None:
        self.metrics.close()
        self.waiting.close()

    def _free(self) -> None:
        self._close()
        self.waiting.path.unlink()

    def _changes(self) -> list[dict[str, Any]]:
        return self.kept_changes + [change for change in self.control.changes if change not in self.kept_changes]

    def _save_record(self, status: str) -> None:
        self.run.save(status=status, changes=self._changes())

    def _save_snapshots(self) -> None:
        """Earlier snapshots and new ones, all of the final size; one at a time, as together they may not fit memory."""
        assert self.last is not None
        path, shape = self.run.folder / "snapshots.npz", self.last.frames.shape
        steps, embeddings, clips = self.waiting.steps, self.waiting.embeddings, self.waiting.clips()
        if self.earlier and self.run.has(path.name):
            with np.load(path) as old:
                kept = int((old["steps"] < (steps or [self.first + 1])[0]).sum())
                steps, embeddings = [*old["steps"][:kept], *steps], [*old["embeddings"][:kept], *embeddings]
            clips = chain(islice(_stored_clips(path), kept), clips)
        with files.replacing(path) as part, zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            with archive.open("clips.npy", "w", force_zip64=True) as file:
                head = {"descr": "|u1", "fortran_order": False, "shape": (len(steps), *shape)}
                np.lib.format.write_array_header_1_0(file, head)  # type: ignore[arg-type]
                for clip in clips:
                    file.write((clip if clip.shape == shape else video.resample(clip, *shape[:2])).tobytes())
            for name, rows in (("steps", np.asarray(steps, np.int64)), ("embeddings", np.asarray(embeddings))):
                with archive.open(f"{name}.npy", "w") as file:
                    np.lib.format.write_array(file, rows)  # type: ignore[arg-type]

    def _save_clip(self) -> None:
        assert self.last is not None
        files.write_arrays(self.run.folder / "clip.npz", frames=self.last.frames, clip=self.last.clip[0].cpu().numpy())

    def _save_mp4(self) -> None:
        assert self.last is not None
        video.write_mp4(self.last.frames, self.run.folder / "clip.mp4")

    def _save_webp(self) -> None:
        assert self.last is not None
        video.write_webp(self.last.frames, self.run.folder / "clip.webp")

    def _save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        import torch

        file = io.BytesIO()  # torch tells a full disk from its other errors only by their text
        torch.save(checkpoint, file)
        files.write(self.run.folder / "checkpoint.pt", file.getvalue())

    def _note_leg(self) -> None:
        """Note in the record how far the run is."""
        past = [leg for leg in self.legs if leg["to"] < self.index]
        self.run.record["legs"] = [*past, {"to": self.index, "total": self.legs[len(past)]["total"]}]


def _attempt(job: Callable[[], None], folder: Path) -> Exception | None:
    try:
        job()
    except Exception as error:
        return explained(error, folder)
    return None


def explained(error: Exception, folder: Path, smaller: str = SMALLER) -> Exception:
    """The error as a person should read it; one that no person can cause stays as it is. smaller: what to do where memory is
    used up; that error itself is not passed on, as it holds on to all that the run had."""
    cause = error.__cause__ if isinstance(error, VideoError) and isinstance(error.__cause__, OSError) else error
    if disk_is_full(cause):
        told = RunError(
            f"The disk of {folder} is full. What fitted is saved; free some space, or choose another "
            "folder (--out, LEAPS_HOME)."
        )
    elif isinstance(cause, OSError):
        told = RunError(f"{folder} can't be used: {cause.strerror or cause}. Choose another (--out, LEAPS_HOME).")
    elif isinstance(cause, MemoryError) or re.search("out of memory|can't allocate memory", str(cause)):
        return RunError(f"Memory is used up. {smaller}")
    else:
        return error
    told.__cause__ = error
    return told


def disk_is_full(error: BaseException | None) -> bool:
    """Whether that is what an error says, or its cause."""
    full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    return full or error is not None and disk_is_full(error.__cause__)


def _line(values: dict[str, Any]) -> str:
    return json.dumps(values, ensure_ascii=False, default=float) + "\n"


def _stored_clips(path: Path) -> Iterator[np.ndarray]:
    """The clips of a snapshots.npz one by one, uint8 (T, H, W, 3)."""
    with zipfile.ZipFile(path) as archive, archive.open("clips.npy") as file:
        np.lib.format.read_magic(file)  # type: ignore[arg-type]
        (number, *shape), _, _ = np.lib.format.read_array_header_1_0(file)  # type: ignore[arg-type]
        for _ in range(number):
            yield np.frombuffer(file.read(math.prod(shape)), np.uint8).reshape(shape)


def _environment(step: Step, config: SynthesisConfig) -> dict[str, Any]:
    """Where the run computes, as with another device or other threads the clip differs in the last bits; and with which
    weights, as only then its embeddings can be compared with those of real clips."""
    import torch

    return {"device": step.device, "threads": torch.get_num_threads(), "weights": models.fingerprint(models.spec(config.model))}
