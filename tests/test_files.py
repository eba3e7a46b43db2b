"""Files that appear whole or not at all, and locks."""

from __future__ import annotations

import errno
import hashlib
import os
import threading
from pathlib import Path

import numpy as np
import pytest

from leaps_core import files


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "file"
    files.write(path, b"old")
    with pytest.raises(ZeroDivisionError), files.replacing(path) as part:
        part.write_bytes(b"ne")
        raise ZeroDivisionError
    assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]


def test_text_is_written_as_utf_8(tmp_path: Path) -> None:
    files.write(tmp_path / "file", "λ₁\n")
    assert (tmp_path / "file").read_bytes() == "λ₁\n".encode()


def test_a_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    path = tmp_path / "file"
    files.write(path, "old")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        files.write(path, "new")
    assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]


def test_arrays_are_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "arrays"  # without an ending, and it gets none
    files.write_arrays(path, numbers=np.arange(3), text="words")
    for wrong in (object(), [1, "two", None]):
        with pytest.raises(ValueError, match="pickle"):
            files.write_arrays(path, numbers=np.arange(4), wrong=np.asarray(wrong, object))
    with np.load(path) as found:
        assert found["numbers"].tolist() == [0, 1, 2] and str(found["text"]) == "words"
    assert list(tmp_path.iterdir()) == [path]


def test_sha256_is_that_of_the_bytes(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x" * 3_000_000)
    assert files.sha256_of(tmp_path / "file") == hashlib.sha256(b"x" * 3_000_000).hexdigest()


def test_a_lock_shows_to_others_and_may_be_released_in_another_thread(tmp_path: Path) -> None:
    path = tmp_path / ".lock"
    assert not files.is_locked(path)
    held = files.lock(path)
    held.acquire()
    assert files.is_locked(path) and files.is_locked(path), "looking doesn't take it"
    thread = threading.Thread(target=held.release)
    thread.start()
    thread.join(10)
    assert not files.is_locked(path)
    assert not files.is_locked(tmp_path / "nowhere" / ".lock"), "where nothing can be, nothing is locked"


def test_arrays_are_read_when_asked_for_and_no_more_than_is_allowed(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    files.write_arrays(path, a=np.arange(5), b=np.zeros(100_000, np.uint8))
    with files.arrays(path, 10**6) as found:
        assert found["a"].tolist() == [0, 1, 2, 3, 4]
    with pytest.raises(KeyError), files.arrays(path, 10**6) as found:
        found["c"]
    with pytest.raises(ValueError, match="at most 0.0 GB are read"), files.arrays(path, 1000):
        pass
    np.savez(path, a=np.array([object()]))
    with pytest.raises(ValueError, match="can't be read"), files.arrays(path, 10**6) as found:
        found["a"]
    path.write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(ValueError, match="can't be read"), files.arrays(path, 10**6):
        pass
    with pytest.raises(FileNotFoundError), files.arrays(tmp_path / "no.npz", 1):
        pass
