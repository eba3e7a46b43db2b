"""A run's files as a visitor may have them: copies with telling names, as nobody reaches into the runs' folder."""

from __future__ import annotations

import shutil
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from leaps_core import runs
from leaps_core.errors import RunError, brief

from . import export
from .texts import say

FILES = {"mp4": "clip.mp4", "webp": "clip.webp", "npz": "clip.npz", "json": "run.json"}
"""Kinds of download that are files of the run's folder."""
KINDS = (*FILES, "html", "film.mp4", "film.webp", "film.gif")
"""All kinds: also the run as one page that opens offline, and as a film from noise to clip."""


def save(run: runs.Run, kind: str, folder: Path | None = None) -> Path:
    """A run as one file that can be shown to others: run.json leaves without its owner and without folders of this server.
    folder: where to (None: a new one). Raises `LeapsError`."""
    if kind not in KINDS:
        raise RunError(f"A run can't be saved as {brief(repr(kind))}. Known: {', '.join(KINDS)}.")
    try:
        path = (folder or new_folder()) / f"leaps-{run.config.action.replace(' ', '-')}.{kind}"
        if kind == "json":
            path.write_text(run.shared, encoding="utf-8")
        elif kind == "html":
            export.write(run, path)
        elif kind in FILES:
            shutil.copyfile(run.folder / FILES[kind], path)
        else:
            runs.write_film(run, path)
    except FileNotFoundError as error:
        raise RunError(say("The run “{run}” has no {file} yet.", run=run.id, file=FILES.get(kind, kind))) from error
    except OSError as error:
        raise RunError(say("The run can't be saved: {why}. The server's disk may be full.", why=error.strerror)) from error
    return path


def copies(run: runs.Run | None) -> dict[str, Path | None]:
    """The files of a run's folder, each as far as it can be had: on a full disk there is nothing to download, and all else goes
    on."""
    made: dict[str, Path | None] = dict.fromkeys(FILES)
    if run is not None:
        with suppress(OSError):
            folder = new_folder()
            for kind in made:
                with suppress(RunError):
                    made[kind] = save(run, kind, folder)
    return made


def new_folder() -> Path:
    """A folder that nobody can guess; those of earlier are removed (Gradio has copies of its own by then)."""
    parent = Path(tempfile.gettempdir())
    for old in parent.glob("leaps-download-*"):
        with suppress(OSError):
            if time.time() - old.stat().st_mtime > 600:
                shutil.rmtree(old)
    return Path(tempfile.mkdtemp(prefix="leaps-download-"))
