"""What commands share: how one is added, errors in one line, and where work is done."""

from __future__ import annotations

import argparse
from typing import Any, NoReturn

from .. import fleet
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


def add_engine(parser: Parser) -> None:
    """The options that say where independent pieces of work are done."""
    parser.add_argument("--engine", default="local", help=f"where work is done: {' or '.join(fleet.ENGINES)} (default: local)")
    parser.add_argument("--address", default="", help="of a Ray cluster: HOST:6379, ray://HOST:10001 or auto (docs/cluster.md)")


def engine_of(options: argparse.Namespace) -> fleet.Engine:
    """What these options say. Raises `ConfigError`."""
    return fleet.Engine(options.engine, options.address, tuple(getattr(options, "own", ())))
