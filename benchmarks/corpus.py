"""What the fuzzer reads: harmful files (harmful.py), and whole ones (whole.py) with some of their bytes changed."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.harmful import HARMFUL, Aims
from benchmarks.whole import WHOLE, film, scripted

NUMBERS = (
    b"\x00\x00\x00\x00",
    b"\xff\xff\xff\xff",
    b"\x7f\xff\xff\xff",
    b"\xff\xff\xff\x7f",
    b"\x80\x00\x00\x00",
    b"\x01\x00\x00\x00",
)
"""What is written over sizes, counts and offsets."""
CANARY = (255, 0, 255)
"""Colour of the one video that no other file may lead to."""


@dataclass(frozen=True)
class Case:
    """A file to be read. kind: video, run, bank, map, weights, pickle, record or table; what: how it was made."""

    kind: str
    what: str
    path: Path


class Corpus:
    """Everything below `folder`. `address` is that of a server which nobody may ask."""

    def __init__(self, folder: Path, seed: int, address: str) -> None:
        self.folder, self.random = folder, random.Random(seed)
        secret = folder / "secret"
        secret.mkdir(parents=True)
        self.aims = Aims(secret / "canary.mp4", secret / "touched", address)
        self.aims.canary.write_bytes(film(np.full((8, 32, 32, 3), CANARY, np.uint8), "mp4"))
        self.whole: dict[str, list[tuple[str, bytes]]] = {kind: list(make()) for kind, make in WHOLE.items()}
        self.beside = {
            "run": self.whole["run"],
            "map": self.whole["bank"][-1:],
            "record": [("mine.ts", scripted())],
            "table": self.whole["video"],
        }

    def cases(self, count: int) -> Iterator[Case]:
        """So many files: the harmful ones, then mutations of whole ones, each kind in turn."""
        harmful = [(kind, what, make) for kind, makers in HARMFUL.items() for what, make in makers(self.aims)]
        for number in range(count):
            place = self.folder / f"{number:05d}"
            place.mkdir()
            if number < len(harmful):
                kind, what, make = harmful[number]
                case = Case(kind, what, make(place))
            else:
                kind = list(self.whole)[number % len(self.whole)]
                case = Case(kind, *self._mutated(kind, place))
            for name, data in self.beside.get(kind, ()):
                if not (place / name).exists():
                    (place / name).write_bytes(data)
            yield case

    def _mutated(self, kind: str, place: Path) -> tuple[str, Path]:
        name, data = self.random.choice(self.whole[kind])
        how = self.random.choice(list(MUTATIONS))
        if how == "another name":
            others = self.random.choice(list(self.whole.values()))
            end = Path(name).suffix
            name, data = Path(self.random.choice(others)[0]).stem + end, self.random.choice(others)[1]
        elif how == "two files":
            other = self.random.choice(self.whole[kind])[1]
            data = data[: self.random.randrange(len(data) + 1)] + other[self.random.randrange(len(other) + 1) :]
        else:
            data = MUTATIONS[how](data, self.random)
        path = place / name
        path.write_bytes(data)
        return f"{name}, {how}", path


def _flip(data: bytes, chance: random.Random) -> bytes:
    found = bytearray(data)
    for _ in range(chance.choice((1, 4, 32)) if found else 0):
        found[chance.randrange(len(found))] ^= 1 << chance.randrange(8)
    return bytes(found)


def _flip_in_head(data: bytes, chance: random.Random) -> bytes:
    return _flip(data[:200], chance) + data[200:]


def _number(data: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(max(1, len(data) - 4))
    return data[:at] + chance.choice(NUMBERS) + data[at + 4 :]


def _cut(data: bytes, chance: random.Random) -> bytes:
    return data[: chance.randrange(len(data) + 1)]


def _without(data: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(data) + 1)
    return data[:at] + data[at + chance.choice((1, 4, 64, 512)) :]


def _twice(data: bytes, chance: random.Random) -> bytes:
    at, count = chance.randrange(len(data) + 1), chance.choice((1, 8, 200))
    return data[:at] + data[at : at + count] * 2 + data[at + count :]


def _stuffed(data: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(data) + 1)
    return data[:at] + chance.randbytes(chance.choice((1, 16, 1000))) + data[at:]


def _end(data: bytes, chance: random.Random) -> bytes:
    return data[chance.randrange(len(data) + 1) :]


MUTATIONS: dict[str, Callable[[bytes, random.Random], bytes]] = {
    "bits flipped": _flip,
    "bits of the head flipped": _flip_in_head,
    "a number changed": _number,
    "cut off": _cut,
    "a piece missing": _without,
    "a piece twice": _twice,
    "noise in it": _stuffed,
    "the head missing": _end,
    "another name": lambda data, chance: data,
    "two files": lambda data, chance: data,
}
