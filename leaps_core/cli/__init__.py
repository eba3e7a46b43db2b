"""The command line. Whatever the page does can be done here, without a browser.

One file per group of commands has their options and what they do. Results go to stdout, progress and notes to stderr. Errors
that a person can cause are one line on stderr and exit code 2; a run that Ctrl-C stopped is saved, code 130. torch is imported
by those commands that compute.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from .. import __version__, paths
from ..errors import exit_code
from ..models import custom
from ..paths import PROGRAM
from . import banks, compare, models, runs, studies, synth
from .parser import Parser


def main(arguments: Sequence[str] | None = None, more: Sequence[Callable[[Any], None]] = ()) -> int:
    """Run one command (None: the process's own arguments). more: functions that add commands to the menu.

    Returns the exit code: 0, 2 for an error that the person can mend, 130 after Ctrl-C. Raises `SystemExit` for --help and
    for arguments that can't be parsed (2)."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError):
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    options = _parser(more).parse_args(arguments)

    def command() -> int:
        for file in getattr(options, "own", ()):
            custom.load(file)
        return int(options.command(options) or 0)

    return exit_code(command)


def _parser(more: Sequence[Callable[[Any], None]]) -> Parser:
    parser = Parser(
        prog=PROGRAM,
        description="Invert video classifiers: make the clip that a model takes for an action, and see what it learned.",
        epilog=f"""examples:
  {PROGRAM} models                                    which models there are
  {PROGRAM} actions MODEL                             what MODEL can tell apart
  {PROGRAM} synth --model MODEL --action "juggling balls"
  {PROGRAM} runs                                      what was made so far
  {PROGRAM} page                                      all of this in a browser

Runs are kept in LEAPS_HOME (now {paths.home()}).""",
    )
    parser.add_argument("--version", action="version", version=f"leaps {__version__}")
    menu = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    groups = (synth, models, compare, runs, banks, studies)
    for add_commands in (*(group.add_commands for group in groups), *more):
        add_commands(menu)
    return parser
