"""Decoding in a process of its own, for videos that strangers send.

`isolate()` turns it on for the whole process, as the page and the making of banks do: from then on each file is decoded by a
process that is forked for it, may hold so much memory and take so long, writes nothing, and opens no second file or socket
while it holds the video's. What it answers is JSON and the frames' bytes, never a pickle. If it breaks down, that is a
`VideoError` like others.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import cache, wraps
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import numpy as np

from .. import machine
from ..errors import VideoError
from . import decode
from .decode import Info, Video

MAX_MEMORY = 2 * 2**30
"""Bytes that decoding may take: a picture of 64 million pixels takes 1.2 GB."""
PATIENCE = 5.0
"""s that a decoder has left to say by itself that it took too long, before it is killed."""

P = ParamSpec("P")
R = TypeVar("R", Video, Info)

_isolated = False
_places = threading.BoundedSemaphore(max(2, machine.cores()))


def isolate(on: bool = True) -> None:
    """From now on, `read` and `probe` decode in processes of their own. The first of them takes about a second, begun here."""
    global _isolated
    _isolated = on
    if on:
        threading.Thread(target=_context, name="decoder", daemon=True).start()


def _apart(function: Callable[P, R]) -> Callable[P, R]:
    """`function` of decode.py, here or in a process of its own."""

    @wraps(function)
    def decides(*args: P.args, **kwargs: P.kwargs) -> R:
        if not _isolated:
            return function(*args, **kwargs)
        with _places:
            answer: Any = _ask(function.__name__, args, kwargs)
            return answer

    return decides


read = _apart(decode.read)
probe = _apart(decode.probe)


@cache
def _context() -> Any:
    """How processes are begun: forked from one that has imported what they need, where the system can do that. Threads and
    memory of this process are not inherited."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    from multiprocessing.forkserver import ensure_running

    found = multiprocessing.get_context("forkserver")
    found.set_forkserver_preload([f"{__package__}.warm", __name__])
    ensure_running()
    return found


def _ask(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Video | Info:
    """What a process of its own makes of a call of decode.py. Raises `VideoError`."""
    file = Path(args[0]).name
    ours, theirs = _context().Pipe(duplex=False)
    process = _context().Process(target=_work, args=(name, args, kwargs, theirs), name="decoder", daemon=True)
    process.start()
    theirs.close()  # so that its end shows here
    try:
        if not ours.poll(decode.MAX_WORK_SECONDS + PATIENCE):
            raise VideoError(f"“{file}” takes too long to decode. Cut out the part that you need, or export it smaller.")
        return _answer(ours)
    except (EOFError, OSError, ValueError, TypeError, KeyError):  # it died, or what it says makes no sense
        raise VideoError(f"“{file}” can't be decoded: its decoder broke down. Export it again as an MP4 file.") from None
    finally:
        process.kill()
        process.join()
        ours.close()


def _answer(told: Connection) -> Video | Info:
    facts = json.loads(told.recv_bytes(1_000_000))
    if "error" in facts:
        raise VideoError(str(facts["error"]))
    if "shape" not in facts:
        return Info(**facts)
    shape = facts.pop("shape")
    frames = np.frombuffer(told.recv_bytes(), np.uint8).reshape(shape)
    return Video(frames, **{**facts, "notices": tuple(facts["notices"])})


def _work(name: str, args: tuple[Any, ...], kwargs: dict[str, Any], told: Connection) -> None:
    """What the process does."""
    from . import warm  # noqa: F401  (was imported before the fork, where there is one)

    with suppress(BrokenPipeError):  # nobody listens any more
        _confine()
        facts: dict[str, Any]
        frames: np.ndarray | None = None
        try:
            found = getattr(decode, name)(*args, **kwargs)
        except VideoError as error:
            facts = {"error": str(error)}
        except MemoryError:
            said = f"“{Path(args[0]).name}” takes more than {MAX_MEMORY / 2**30:.0f} GiB to decode. Export it smaller."
            facts = {"error": said}
        else:
            facts = dict(vars(found))
            if isinstance(found, Video):
                frames = facts.pop("frames")
                facts["shape"] = found.frames.shape
        told.send_bytes(json.dumps(facts).encode())
        if frames is not None:
            told.send_bytes(frames.tobytes())


def _confine() -> None:
    """Limit this process: its memory, no file to write, no core dump, and one more file at a time. Systems that can't limit
    these are left as they are."""
    try:
        import resource
    except ImportError:  # Windows
        return
    limits = {resource.RLIMIT_FSIZE: 0, resource.RLIMIT_CORE: 0}
    with suppress(OSError, ValueError):  # no /proc
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        limits[resource.RLIMIT_AS] = pages * resource.getpagesize() + MAX_MEMORY
    limits[resource.RLIMIT_NOFILE] = _lowest_free() + 1
    for kind, most in limits.items():
        with suppress(OSError, ValueError):  # it has a stricter one
            resource.setrlimit(kind, (most, most))


def _lowest_free() -> int:
    """The number that the next file to be opened would get: with one more as the limit, there is never a second one."""
    number = os.open(os.devnull, os.O_RDONLY)
    os.close(number)
    return number
