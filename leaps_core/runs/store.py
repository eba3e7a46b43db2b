"""All runs of this machine: list, find, delete; and pack one to ship it."""

from __future__ import annotations

import logging
import os
import shutil
import uuid
from contextlib import suppress
from pathlib import Path

import numpy as np

from .. import files, paths, video
from ..errors import LeapsError, RunError
from ..paths import PROGRAM
from .record import INTERRUPTED, LOCK, NOTE, PACKED, Run, bundled_clips, hold
from .writer import explained

log = logging.getLogger(__name__)

LONGEST_NOTE = 2000
"""Characters of a note."""


def list_runs(demos: bool = True, owner: str | None = None) -> list[Run]:
    """Own runs, newest first, then the demos, the best first, as they are numbered. Reads run.json only; broken folders are
    skipped and logged.

    owner: only this owner's runs (and the demos); None: everybody's.
    """
    own = [run for run in _opened(paths.own_runs()) if owner is None or run.owner == owner]
    return own + (sorted(_opened(paths.DEMOS), key=lambda run: run.id) if demos else [])


def find(name: str, owner: str | None = None) -> Run:
    """The run with this id. Raises `RunError` if there is none that `owner` may see (None: may see all)."""
    for parent in (paths.own_runs(), paths.DEMOS):
        # an id never leads out of its folder, neither by “..” nor by a link
        if name and name == Path(name).name and (parent / name).resolve().parent == parent.resolve():
            if (parent / name / "run.json").is_file():
                run = Run.open(parent / name)
                if owner is None or run.demo or run.owner == owner:
                    return run
    raise RunError(f"There is no run “{name}” here. `{PROGRAM} runs` lists them.")


def delete(run: Run, owner: str | None = None) -> None:
    """Delete a run's folder. Raises `RunError` for a demo, another's run (owner None: anybody's is fine), a run that
    is going on, and whatever lies outside of the runs' folder."""
    if run.demo:
        raise RunError(f"“{run.id}” is a demo; demos can't be deleted.")
    if owner is not None and run.owner != owner:
        raise RunError(f"The run “{run.id}” belongs to somebody else.")
    runs = paths.own_runs()
    if run.folder.is_symlink() or run.folder.resolve().parent != runs.resolve():
        raise RunError(f"{run.folder} lies outside of {runs}; delete it by hand.")
    lock = hold(run.folder)
    gone = runs / f".deleted-{uuid.uuid4().hex}"
    try:
        os.replace(run.folder, gone)  # renamed first: a half-deleted run must never be listed
    except OSError as error:
        raise explained(error, run.folder) from error
    finally:
        lock.release()
    shutil.rmtree(gone, ignore_errors=True)


def annotate(run: Run, text: str, owner: str | None = None) -> None:
    """Write a note about a run, instead of the one before; an empty one removes it. Raises `RunError` for a demo, another's run
    (owner None: anybody's is fine), a text of more than `LONGEST_NOTE` characters, and where it can't be written."""
    text = text.strip()
    if text == run.note:
        return
    if run.demo:
        raise RunError(f"“{run.id}” is a demo; notes are for runs of your own.")
    if owner is not None and run.owner != owner:
        raise RunError(f"The run “{run.id}” belongs to somebody else.")
    if len(text) > LONGEST_NOTE:
        raise RunError(f"The note has {len(text)} characters; {LONGEST_NOTE} are the most.")
    try:
        if text:
            files.write(run.folder / NOTE, text)
        else:
            (run.folder / NOTE).unlink(missing_ok=True)
    except OSError as error:
        raise explained(error, run.folder) from error


def tidy(most: float) -> list[str]:
    """Delete visitors' runs until they take no more than so many bytes: those that are done first, then interrupted ones, the
    oldest of each first. The newest, pinned ones, those that go on, and runs without an owner stay. Returns the ids."""
    found = [run for run in list_runs(demos=False) if run.owner]
    sizes = {run.id: sum(path.stat().st_size for path in run.folder.glob("*") if path.is_file()) for run in found}
    over, gone = sum(sizes.values()) - most, []
    old = [run for run in found[1:] if not run.pinned and run.status != "running"]
    for run in sorted(old, key=lambda run: (run.status == INTERRUPTED, run.created)):
        if over <= 0:
            break
        with suppress(RunError, OSError):  # somebody else has it, or was faster
            delete(run)
            gone.append(run.id)
            over -= sizes[run.id]
    return gone


def pack(run: Run) -> None:
    """Make a finished run small enough to ship: its snapshots become one H.264 video, and what only a resume needs is
    dropped. It can still be shown, scrubbed and replayed. Raises `RunError` where something of it is missing."""
    shots, frames = run.snapshots, run.clip
    n, t, *_ = shots.clips.shape
    video.write_mp4(shots.clips.reshape(n * t, *shots.clips.shape[2:]), run.folder / PACKED, fps=n * t / 16, crf=30)
    files.write_arrays(run.folder / "snapshots.npz", steps=shots.steps, embeddings=shots.embeddings.astype(np.float16))
    files.write_arrays(run.folder / "clip.npz", frames=frames)
    drawn = ("stimulus.npz",) if 0 < len(run.stimulus) == len(bundled_clips(run.config)) == len(run.config.stimuli) else ()
    for name in ("checkpoint.pt", LOCK, *drawn):
        (run.folder / name).unlink(missing_ok=True)


def _opened(parent: Path) -> list[Run]:
    """The runs in a folder, newest first."""
    runs = []
    for path in parent.glob("[!.]*/run.json"):
        try:
            runs.append(Run.open(path.parent))
        except LeapsError as error:
            log.warning("Skipped a run: %s", error)
    return sorted(runs, key=lambda run: (run.created, run.id), reverse=True)
