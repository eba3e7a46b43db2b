"""Studies that the page begins and shows. Each is carried out by a process of its own, which goes on when the page is closed,
and gives way to the runs of the page."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from leaps_core import files, machine, paths
from leaps_core.errors import RunError
from leaps_core.studies import catalogue, kept
from leaps_core.studies.study import Asked, Study

from . import controls, plots
from .texts import say

NICE = 10
"""How far a study's process stands back."""
PROCESS = "process.json"
"""Which process carries a study out, in its folder: its id, and when it began, as ids are used again."""


@dataclass(frozen=True)
class Shown:
    """A study's folder as the page shows it."""

    folder: Path

    @property
    def study(self) -> Study:
        """Which study it is of. Raises `RunError` for a folder of none."""
        return catalogue.find(str(kept.asked_in(self.folder).get("study")))

    @property
    def name(self) -> str:
        """A name for a list."""
        asked, which = kept.asked_in(self.folder), say("shipped") if self.shipped else self.folder.name[-8:]
        return f"{say(self.study.title)}: {', '.join(asked.get('models', ()))} ({which})"

    @property
    def shipped(self) -> bool:
        """Whether it came with the program: what it found, without its runs."""
        return self.folder.parent == paths.FINDINGS

    @property
    def process(self) -> psutil.Process | None:
        """Which process carries it out at the moment, begun by this page or by one before it; None of another machine's."""
        try:
            number, begun = json.loads((self.folder / PROCESS).read_text("utf-8"))
            process = psutil.Process(number)
            alive = process.create_time() == begun and process.status() != psutil.STATUS_ZOMBIE
        except (OSError, ValueError, TypeError, psutil.Error):
            return None
        return process if alive else None

    @property
    def running(self) -> bool:
        """Whether a page's process carries it out at the moment."""
        return self.process is not None

    @property
    def begun(self) -> bool:
        """Whether a page began it, be it that its process wrote nothing down: its line says why, then."""
        return (self.folder / PROCESS).is_file()

    @property
    def progress(self) -> kept.Progress | None:
        """How far it is, as its process wrote it down; None before that."""
        try:
            return kept.Progress(**json.loads((self.folder / "progress.json").read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    @property
    def line(self) -> str:
        """How far it is."""
        found, running = self.progress, self.running
        if found is None:
            return say("It is beginning.") if running else _said(self.folder) or say("Nothing has been made yet.")
        parts = [say("{done} of {total} runs", done=found.done, total=found.total)]
        parts += [say("{count} failed", count=found.failed)] if found.failed else []
        if found.done == found.total and not running:
            made = [say("an example; the command line and a personal page make studies")] if self.shipped else []
            return " · ".join([", ".join(parts), say("done"), *made])
        if running:
            parts += [say("about {time} left", time=controls.duration(found.left))] if found.left else []
            return ", ".join(parts)
        why = _said(self.folder) or say("stopped, or carried out elsewhere")
        return f"{', '.join(parts)} · {why.removesuffix('.')}: {say('Start goes on with it')}"

    @property
    def table(self) -> str:
        """Its table and claims so far, as Markdown."""
        path = self.folder / "table.md"
        return path.read_text("utf-8") if path.is_file() else ""

    @property
    def figures(self) -> list[Any]:
        """Its figures so far, as the page draws them."""
        known = {kept.FILE, "progress.json", PROCESS}
        found = [json.loads(path.read_text("utf-8")) for path in sorted(self.folder.glob("*.json")) if path.name not in known]
        return [plots.kept(figure) for figure in found]

    @property
    def pictures(self) -> list[Path]:
        """Its contact sheet and layouts; pictures of figures aren't among them."""
        figures = {path.stem for path in self.folder.glob("*.json")}
        return [path for path in sorted(self.folder.iterdir()) if path.suffix in (".png", ".webp") and path.stem not in figures]


def all_shown() -> list[Shown]:
    """The studies that can be shown: those in LEAPS_HOME/studies, the newest first, then those that came with the program, by
    name."""
    own = sorted(paths.studies().glob(f"*/{kept.FILE}"), key=lambda path: -path.stat().st_mtime)
    found = []
    for path in (*own, *sorted(paths.FINDINGS.glob(f"*/{kept.FILE}"))):
        shown = Shown(path.parent)
        with suppress(RunError):
            shown.study  # noqa: B018
            found.append(shown)
    return found


def going() -> list[Shown]:
    """Those that a page's processes carry out at the moment, once these have written down which they are."""
    found = [Shown(path.parent) for path in paths.studies().glob(f"*/{PROCESS}")]
    return [shown for shown in found if shown.running and (shown.folder / kept.FILE).is_file()]


def begin(study: Study, asked: Asked) -> Shown:
    """Carry out a study, or go on with it, in a process of its own: one at a time, as each has half of the cores. Raises
    `LeapsError` for whatever can't be, and while one goes on."""
    asked, _ = study.planned(asked)
    shown = Shown(kept.place(study, asked))
    if other := next((one for one in (shown, *going()) if one.running), None):
        which = say("This study") if other == shown else f"“{other.name}”"
        raise RunError(
            say(
                "{which} is being carried out already. Wait until it is done, or stop it first: one goes on at a time.",
                which=which,
            )
        )
    shown.folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "leaps_core", "study", study.name, "--out", str(shown.folder)]
    command += ["--model", *asked.models, "--seeds", str(asked.seeds), "--first-seed", str(asked.first_seed)]
    command += ["--actions", *asked.actions] if asked.actions else []
    command += ["--stimuli", str(asked.stimuli)] if asked.stimuli else []
    command += ["--budget", str(asked.budget)] if asked.budget else []
    command += ["--bank", *map(str, asked.banks)] if asked.banks else []
    command += ["--set", *(f"{name}={json.dumps(value)}" for name, value in asked.settings.items())] if asked.settings else []
    # half of the cores, so that a run of the page beside it has the others
    environment = {**os.environ, "OMP_NUM_THREADS": str(max(1, machine.cores() // 2))}
    with (shown.folder / "log.txt").open("wb") as log:
        process = subprocess.Popen(
            command, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, start_new_session=True, env=environment
        )
    begun = psutil.Process(process.pid)
    begun.nice(psutil.BELOW_NORMAL_PRIORITY_CLASS if sys.platform == "win32" else NICE)
    files.write(shown.folder / PROCESS, json.dumps([process.pid, begun.create_time()]))
    return shown


def stop(shown: Shown) -> None:
    """End it after what is finished; it can go on later."""
    if process := shown.process:
        process.terminate()


def _said(folder: Path) -> str:
    """Why a study's process ended, if something was wrong: its last line."""
    try:
        lines = (folder / "log.txt").read_text("utf-8", errors="replace").strip().splitlines()
    except OSError:
        return ""
    wrong = lines and re.match(r"leaps: (?!stopped$)|[\w.]*(Error|Exception)\b", lines[-1])
    return paths.hidden(lines[-1].removeprefix("leaps: ")) if wrong else ""
