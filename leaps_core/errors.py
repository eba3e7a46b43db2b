"""Errors that a person can cause: each says what was given, what is expected and what to do next."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class LeapsError(Exception):
    """Base of every error shown to a person: a toast in the page, one line and exit code 2 on the command line."""


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


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """A question to append to an error about an unknown name; "" where none is near."""
    close = difflib.get_close_matches(name, list(known), 1)
    return f" Did you mean “{close[0]}”?" if close else ""
