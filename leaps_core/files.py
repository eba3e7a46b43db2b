"""Files that appear complete or not at all, locks between processes, and how progress is told."""

from __future__ import annotations

import hashlib
import os
import threading
import uuid
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock, Timeout

Progress = Callable[[int, int | None], None]
"""Told how much is done, and of how much in all (None: not known): bytes, clips or epochs."""

UNFINISHED = ".part"
"""How the name of a file ends that is being written, and isn't there under its own yet."""


def is_unfinished(path: Path) -> bool:
    """Whether it is a file that is being written, or was when its process was killed."""
    return path.name.startswith(".") and path.name.endswith(UNFINISHED)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path to write to, which takes the place of `path` when all went well; else nothing of it is left."""
    part = path.with_name(f".{uuid.uuid4().hex}{UNFINISHED}")
    try:
        yield part
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def write(path: Path, data: bytes | str) -> None:
    """Write a whole file. `OSError` where the disk is full or can't be written: then the old file is still there."""
    with replacing(path) as part, open(part, "wb") as file:
        file.write(data.encode() if isinstance(data, str) else data)
        file.flush()
        os.fsync(file.fileno())  # some disks say only now that they are full


def write_arrays(path: Path, **arrays: Any) -> None:
    """Write a compressed .npz, whole or not at all."""
    with replacing(path) as part, open(part, "wb") as file:  # a name would get .npz appended
        np.savez_compressed(file, allow_pickle=False, **arrays)


@contextmanager
def arrays(path: Path, most: int) -> Iterator[Any]:
    """The arrays of an .npz by their names, each read when it is asked for; `most`: bytes that they may take in all.

    Raises `ValueError` for a file that is none, is damaged, holds more than arrays or larger ones; `KeyError` for a name that
    it hasn't; `OSError`.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(member.file_size for member in archive.infolist())
        if size <= most:
            with np.load(path, allow_pickle=False) as found:
                yield found
            return
    except (OSError, KeyError):
        raise
    except Exception as error:  # there is no end to what NumPy's reader trips over
        raise ValueError(f"its arrays can't be read: {type(error).__name__}") from error
    raise ValueError(f"its arrays take {size / 1e9:.1f} GB, at most {most / 1e9:.1f} GB are read")


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def lock(path: Path) -> FileLock:
    """A lock between processes. Any thread may release it: a page may begin a run in one thread and end it in another."""
    return FileLock(path, thread_local=False)


class ThreadLock:
    """A lock between threads, which a thread may take again that has it. In a process that is forked off it is free: whoever
    held it isn't there."""

    def __init__(self) -> None:
        self._renew()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._renew)

    def _renew(self) -> None:
        self._lock = threading.RLock()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()


def is_locked(path: Path) -> bool:
    """Whether another process, or another lock of this one, holds the lock."""
    found = lock(path)
    try:
        found.acquire(timeout=0)
    except Timeout:
        return True
    except OSError:
        return False
    found.release()
    return False
