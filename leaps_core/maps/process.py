"""Fitting a map in a process of its own: UMAP takes a core for minutes, and would hold up everybody else's page."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path

from ..banks import Bank
from ..errors import BankError, LeapsError
from .layout import Recipe, load_or_fit


def fit_apart(bank: Bank, recipe: Recipe) -> Iterator[tuple[int, int | None]]:
    """Fit and store the map of a bank; yields how many of how many epochs are done. Closing the iterator ends the process.

    Raises `BankError` where it can't be fitted.
    """
    spawned = multiprocessing.get_context("spawn")  # a fork would inherit locks that another thread holds
    ours, theirs = spawned.Pipe(duplex=False)
    process = spawned.Process(target=_fit, args=(bank.path, recipe, theirs), name="map", daemon=True)
    process.start()
    theirs.close()  # so that its end shows here
    try:
        with suppress(EOFError):
            while True:
                said = ours.recv()
                if isinstance(said, str):
                    raise BankError(said)
                yield said
        process.join()
        if process.exitcode:
            raise BankError("The map could not be fitted: its process ended early. Is there enough memory?")
    finally:  # the visitor may have left
        process.kill()
        process.join()
        ours.close()


def _fit(path: Path, recipe: Recipe, told: Connection) -> None:
    """What the process does: it sends (done, in all) of its epochs, and a sentence if it fails."""
    with suppress(BrokenPipeError):  # nobody listens any more
        try:
            load_or_fit(Bank.open(path), recipe, lambda done, total: told.send((done, total)))
        except LeapsError as error:
            told.send(str(error))
