"""Snapshots of a run that is going on: a file that only grows, so that a process that is killed loses none that it wrote."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

FILE = "snapshots.part"
Snapshot = tuple[int, np.ndarray, np.ndarray]
"""A step, its embedding float32 (D,), and its clip uint8 (T, H, W, 3), which is smaller while the run is coarse."""


def read(path: Path) -> Iterator[tuple[Snapshot, int]]:
    """All snapshots that were written whole, in order, each with the place in the file where it ends. What a killed process
    wrote half is left out; without a file there are none."""
    try:
        with open(path, "rb") as file:
            while True:
                step, embedding, clip = (np.load(file, allow_pickle=False) for _ in range(3))
                yield (int(step), embedding, clip), file.tell()
    except Exception:  # there is no end to what NumPy's reader trips over
        return


class Waiting:
    """Such a file, to add to. `steps` and `embeddings` are those of the snapshots in it."""

    def __init__(self, path: Path, upto: int) -> None:
        """Open the file, or begin it. Of what an earlier process left there, snapshots up to the step `upto` stay."""
        self.path, self.steps, self.embeddings, end = path, list[int](), list[np.ndarray](), 0
        for (step, embedding, _), place in read(path):
            if step > upto:
                break
            self.steps.append(step)
            self.embeddings.append(embedding)
            end = place
        self._file = open(path, "ab")
        self._file.truncate(end)

    def add(self, step: int, embedding: np.ndarray, clip: np.ndarray) -> None:
        """Write one more. Raises `OSError`."""
        written = io.BytesIO()
        for value in (np.int64(step), embedding, clip):
            np.save(written, value, allow_pickle=False)
        self._file.write(written.getbuffer())
        self._file.flush()  # so that it is the system's to keep
        self.steps.append(step)
        self.embeddings.append(embedding)

    def clips(self) -> Iterator[np.ndarray]:
        """Their clips, one at a time, as together they may not fit memory."""
        return (clip for (_, _, clip), _ in read(self.path))

    def sync(self) -> None:
        """Have them on the disk, whatever happens to the machine. Raises `OSError`."""
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """No more are added."""
        self._file.close()
