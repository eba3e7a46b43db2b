"""What all commands share: how a command is added, and errors in one line."""

from __future__ import annotations

import argparse
from typing import Any, NoReturn

from ..paths import given


class Parser(argparse.ArgumentParser):
    """Argparse, with errors in one line."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False, **settings)

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"leaps: {message} (`{self.prog} --help` tells more)\n")


def add(menu: Any, name: str, command: Any, text: str, epilog: str = "") -> Parser:
    """Add a command to a menu. command: the function that does it, given the parsed options."""
    parser: Parser = menu.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".", epilog=epilog)
    parser.set_defaults(command=command)
    parser.add_argument(
        "--models",
        dest="own",
        metavar="FILE",
        nargs="+",
        type=given,
        default=argparse.SUPPRESS,
        help="files of custom models (docs/custom-models.md); those in LEAPS_HOME/models are always there",
    )
    return parser
