"""Showing a synthesis on stderr while it goes on."""

from __future__ import annotations

import shlex
import signal
import sys
import threading
from collections.abc import Generator, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from typing import TYPE_CHECKING, NoReturn

from .. import paths, runs
from ..inversion.control import Control
from ..paths import PROGRAM
from .words import percent, says

if TYPE_CHECKING:
    from ..inversion.step import Step


def follow(steps: Generator[tuple[runs.Run, Step]], control: Control) -> int:
    """Show a synthesis on stderr until it ends; its folder is the last line on stdout."""
    run, interrupted = watch(steps, control)
    if run is None:
        print("leaps: stopped before the first step; nothing was made", file=sys.stderr)
        return 130
    print(run.config.action + ": model {}, verifier {}, judge {}".format(*says(run.final)))
    if (final := run.final or {}).get("object_rank"):
        seen = ", ".join(f"{name} {percent(share)}" for name, share in final["objects"])
        print(f"object judge: the action's object at place {final['object_rank']}; it sees {seen}")
    if interrupted and run.status == "stopped":
        print(
            f"leaps: stopped and saved at step {run.done} of {run.config.steps}; to go on: {PROGRAM} runs resume "
            f"{shlex.quote(_name(run))}",
            file=sys.stderr,
        )
    print(run.folder)
    return 130 if interrupted else 0


def watch(steps: Generator[tuple[runs.Run, Step]], control: Control) -> tuple[runs.Run | None, bool]:
    """Show a synthesis on stderr until it ends: its run (None: there was no step), and whether Ctrl-C ended it."""
    from tqdm import tqdm

    bar: tqdm[NoReturn] | None = None
    run: runs.Run | None = None
    with _stops_on_interrupt(control) as interrupted, ExitStack() as shown, closing(steps), suppress(KeyboardInterrupt):
        for run, step in steps:
            if bar is None:
                for notice in run.notices:
                    print("note:", notice, file=sys.stderr)
                bar = shown.enter_context(
                    tqdm(total=step.total, initial=step.index - 1, unit="step", dynamic_ncols=True, mininterval=0.3)
                )
            bar.set_postfix_str(_losses(step), refresh=False)
            bar.update(step.index - bar.n)
    return run, interrupted.is_set() or run is None


@contextmanager
def _stops_on_interrupt(control: Control) -> Iterator[threading.Event]:
    """The first Ctrl-C ends the run after its step, with its final scores; a second one ends it at once.

    Yields the event that there was one."""
    interrupted = threading.Event()

    def stop(*_: object) -> None:
        interrupted.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        print("\nleaps: stopping and saving ... (Ctrl-C again: at once)", file=sys.stderr)
        control.stop()

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield interrupted
    finally:
        signal.signal(signal.SIGINT, before)


def _losses(step: Step) -> str:
    terms = " ".join(f"{name} {value:.3g}" for name, value in step.weighted.items())
    return f"loss {step.loss:.3g} = {terms}"


def _name(run: runs.Run) -> str:
    """What the commands of `runs` find it by."""
    return run.id if run.folder.parent == paths.own_runs().absolute() else str(run.folder)
