"""Errors that a person can cause: each says what was given, what is expected and what to do next."""

from __future__ import annotations

import difflib
import os
import re
import sys
from collections.abc import Callable, Iterable

_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")

GIVEN, SAID = 80, 2000
"""Most characters of what was given, and of a whole error."""


class LeapsError(Exception):
    """Base of every error shown to a person: a toast in the page, one line and exit code 2 on the command line.

    What can't be seen in it, as in the name of a file that commands the terminal or turns the line round, is shown as �. Nobody
    reads more of it than the beginning.
    """

    def __init__(self, said: str = "") -> None:
        super().__init__(_UNSEEN.sub("\ufffd", said if len(said) <= SAID else f"{said[:SAID]} …"))


class ConfigError(LeapsError):
    """A setting has an unknown name, or a value outside of its range."""


class ModelError(LeapsError):
    """A model is unknown, can't be loaded, or can't play the part that it was given."""


class VideoError(LeapsError):
    """A video can't be read or written."""


class RunError(LeapsError):
    """A run's folder is missing, unreadable, in use, or can't be written."""


class BankError(LeapsError):
    """A bank of real clips can't be built, read, or used for what was asked."""


def brief(given: str) -> str:
    """What a person gave, to be told in a sentence: of a long text only its beginning."""
    return given if len(given) <= GIVEN else f"{given[:GIVEN]} …"


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A question to append to an error about an unknown name; "" where none is near."""
    close = difflib.get_close_matches(brief(name), list(known), 1)
    return f" Did you mean “{close[0]}”?" if close else ""


def exit_code(command: Callable[[], int | None]) -> int:
    """Run a command of the command line. What a person can cause is one line on stderr. Returns the exit code: the command's
    (0 for None), 2 for an error that the person can mend, 130 after Ctrl-C."""
    try:
        return command() or 0
    except LeapsError as error:
        print("leaps:", " ".join(str(error).split()), file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("leaps: stopped", file=sys.stderr)
        return 130
    except BrokenPipeError:  # `... | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        said = f"{error.filename or 'A file'} can't be used: {error.strerror or error}."
        print(f"leaps: {said} Check its folder and its permissions, or choose another.", file=sys.stderr)
        return 2
