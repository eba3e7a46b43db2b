"""The command line, with the page among its commands: `leaps`, or `python -m leaps_core`."""

import sys

from app.main import add_command
from leaps_core import cli


def main() -> int:
    """Run one command. Returns the exit code."""
    return cli.main(more=[add_command])


if __name__ == "__main__":
    sys.exit(main())
