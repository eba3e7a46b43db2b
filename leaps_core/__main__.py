"""The command line, with the page among its commands: `leaps`, or `python -m leaps_core`."""

import signal
import sys


def main() -> int:
    """Run one command. Returns the exit code."""
    from app.main import add_command  # here: the processes that a command begins import this file, too, and need none of it
    from leaps_core import cli

    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: of a page's Stop, or a cluster's
    return cli.main(more=[add_command])


if __name__ == "__main__":
    sys.exit(main())
