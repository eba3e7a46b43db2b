"""runs: list, show, look closer, film, compare, resume, replay, delete."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from .. import paths, runs
from ..config import FIELDS, NETWORKS
from ..errors import RunError, did_you_mean
from ..inversion.control import Control
from ..paths import PROGRAM, given
from .follow import follow
from .parser import add
from .words import says, scores, table, word


def list_runs(options: argparse.Namespace) -> None:
    """Own runs, then the demos, each newest first."""
    found = runs.list_runs()
    if not found:
        print(f"No runs yet. Make one: {PROGRAM} synth --help", file=sys.stderr)
        return
    table(
        ("id", "status", "action", "model", "steps", "model says", *NETWORKS[1:]),
        [
            (
                "demo " * run.demo + run.id,
                run.status,
                run.config.action,
                run.config.model,
                f"{run.done}/{run.config.steps}",
                *says(run.final),
            )
            for run in found
        ],
    )
    if any(run.status == runs.INTERRUPTED for run in found):
        print(f"note: interrupted runs can go on: {PROGRAM} runs resume ID", file=sys.stderr)


def show_run(options: argparse.Namespace) -> None:
    """A run's settings, changes and scores."""
    run = _run(options.id)
    defaults = {name: field.default for name, field in FIELDS.items()}
    settings = {name: value for name, value in run.config.model_dump().items() if value != defaults[name]}
    lines = {
        "run": run.id,
        "status": run.status,
        "made": f"{run.created:%Y-%m-%d %H:%M:%S} UTC",
        "steps done": run.done,
        "steps": run.config.steps,
        **settings,
        **scores(run.final or {}),
    }
    for name, value in lines.items():
        print(f"{name:<18} {word(value)}")
    for change in run.changes:
        print(f"{'changed':<18} {change['field']} = {change['value']} at step {change['step']}")
    for notice in [*run.notices, *filter(None, [run.error])]:
        print(f"{'note':<18} {notice}")
    if run.note:
        print(f"{'your note':<18} {run.note}")
    print(run.folder)


def compare_runs(options: argparse.Namespace) -> None:
    """Where two runs differ."""
    a, b = _run(options.a), _run(options.b)
    found = runs.compare(a, b)
    rows = [(name, *map(word, pair)) for name, pair in found["settings"].items()]
    for column, changes in enumerate(found["changes"]):
        for change in changes:
            cells = ["", ""]
            cells[column] = str(change["value"])
            rows.append((f"{change['field']} at step {change['step']}", *cells))
    sides = [scores({name: pair[side] for name, pair in found["final"].items()}) for side in (0, 1)]
    rows += [(name, sides[0][name], sides[1][name]) for name in sides[0]]
    table(("", a.id, b.id), rows)
    alike = found["difference"]
    print(
        "The clips can't be compared: their shapes differ, or one is missing."
        if alike is None
        else f"The clips' pixels differ by {100 * alike:.2f} % on average."
        if alike
        else "The clips are the same."
    )


def delete_run(options: argparse.Namespace) -> None:
    """Delete a run."""
    run = _run(options.id)
    runs.delete(run)
    print(f"deleted {run.folder}")


def note_run(options: argparse.Namespace) -> None:
    """Write a note about a run."""
    run = _run(options.id)
    runs.annotate(run, options.text)
    print(f"{run.id}: {'noted' if run.note else 'no note'}")


def pin_run(options: argparse.Namespace) -> None:
    """Let a run stay when space is made."""
    run = _run(options.id)
    run.save(pinned=not options.off)
    print(f"{run.id} {'may go' if options.off else 'stays'} when a server makes space.")


def resume_run(options: argparse.Namespace) -> int:
    """Go on with a run."""
    run = _run(options.id)
    control = Control()
    return follow(runs.resume(run, options.steps, control), control)


def replay_run(options: argparse.Namespace) -> int:
    """Do a run again."""
    run = _run(options.id)
    control = Control(run.changes)
    return follow(runs.replay(run, options.out, control), control)


def look_run(options: argparse.Namespace) -> None:
    """Look closer at a run."""
    from ..probes.look import look

    run = _run(options.id)
    found = look(run)
    folder = options.out or paths.home() / "looks" / run.id
    found.write(folder)
    print(found.markdown)
    print(folder)


def film_run(options: argparse.Namespace) -> None:
    """Write a run as a film."""
    runs.write_film(_run(options.id), options.out)
    print(options.out)


def _run(name: str) -> runs.Run:
    """The run of an id, or of a folder."""
    if (given(name) / "run.json").is_file():
        return runs.Run.open(given(name).absolute())
    try:
        return runs.find(name)
    except RunError as error:
        raise RunError(f"{error}{did_you_mean(name, [run.id for run in runs.list_runs()])}") from None


def add_commands(menu: Any) -> None:
    """The command runs."""
    parser = add(
        menu,
        "runs",
        list_runs,
        "list, show, compare, look closer at, resume, replay and delete runs",
        f"""examples:
  {PROGRAM} runs                                      own runs, then the demos, each newest first
  {PROGRAM} runs show ID
  {PROGRAM} runs resume ID --steps 100

ID is a run's id, or its folder.""",
    )
    inner = parser.add_subparsers(title="commands", metavar="COMMAND")
    for name, command, text in (
        ("show", show_run, "show a run's settings and scores"),
        ("delete", delete_run, "delete a run for good"),
        ("note", note_run, "write a note about a run, which the page shows, too, and finds runs by"),
        ("pin", pin_run, "let a visitor's run stay when a server with LEAPS_LIMIT_DISK makes space"),
        ("look", look_run, "what changes in a run's clip, where its model looks, and what is left without its motion"),
        ("film", film_run, "write a run as a film from noise to clip: MP4, WebP or GIF"),
        ("resume", resume_run, "go on where a run ended, in its folder"),
        ("replay", replay_run, "do a run again, changes included: the same clip, bit for bit"),
    ):
        added = add(inner, name, command, text, f"example:\n  {PROGRAM} runs {name} ID")
        added.add_argument("id", metavar="ID", help="a run's id, or its folder")
        if name == "note":
            added.add_argument("text", metavar="TEXT", help='the note; "" removes it')
        if name == "pin":
            added.add_argument("--off", action="store_true", help="it may go again")
        if name == "resume":
            added.add_argument(
                "--steps", metavar="N", type=int, help="how many more steps (default: what a stopped run has left)"
            )
        if name == "look":
            added.add_argument(
                "--out", metavar="DIR", type=given, help="where pictures are written (default: LEAPS_HOME/looks/ID)"
            )
        if name == "film":
            added.add_argument("out", metavar="FILE", type=given, help="the film, by its ending: .mp4, .webp or .gif")
        if name == "replay":
            added.add_argument("--out", metavar="DIR", type=given, help="the new run's folder, new or empty")
    added = add(inner, "compare", compare_runs, "show where two runs differ", f"example:\n  {PROGRAM} runs compare A B")
    added.add_argument("a", metavar="A", help="a run's id, or its folder")
    added.add_argument("b", metavar="B", help="another run's id, or its folder")
