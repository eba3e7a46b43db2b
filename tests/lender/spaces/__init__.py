"""A stand-in of the package `spaces`, which each Space has, without a graphics card: what `GPU` wraps is done by a process that
was forked off, which gets pickled arguments and gives pickled pieces."""

from __future__ import annotations

import multiprocessing
import pickle
import threading
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from typing import Any

asked: list[float] = []
"""The seconds that each call asked for."""
refusal = ""
"""What to say instead of lending anything."""
_forked = multiprocessing.get_context("fork")


def gradio_auto_wrap(function: Callable[..., Any]) -> Callable[..., Any]:
    """Asked for by Gradio."""
    return function


class Error(Exception):
    """As Gradio's, which has a message in HTML."""

    def __init__(self, message: str) -> None:
        super().__init__()
        self.message = message


def GPU(duration: Callable[..., float]) -> Callable[..., Any]:
    """Wraps a generator function; `duration` says how long a call will take."""

    def wrap(work: Callable[..., Iterator[Any]]) -> Callable[..., Iterator[Any]]:
        def call(*arguments: Any) -> Iterator[Any]:
            if refusal:
                raise Error(refusal)
            asked.append(duration(*arguments))
            mine, theirs = _forked.Pipe()
            worker = _forked.Process(target=_worker, args=(work, pickle.dumps(arguments), theirs), daemon=True)
            worker.start()
            theirs.close()
            try:
                while (piece := mine.recv()) is not None:
                    if isinstance(piece, str):
                        raise Error(piece)
                    yield piece
            except EOFError:
                raise Error("GPU task aborted") from None
            finally:
                worker.kill()
                worker.join()

        return call

    return wrap


def _worker(work: Callable[..., Iterator[Any]], arguments: bytes, pipe: Connection) -> None:
    def give() -> None:
        try:
            for piece in work(*pickle.loads(arguments)):  # noqa: S301
                pipe.send(piece)
            pipe.send(None)
        except Exception as error:  # no more than its name is passed on
            pipe.send(type(error).__name__)

    thread = threading.Thread(target=give)  # OpenMP's threads of the process that was forked are no more
    thread.start()
    thread.join()
