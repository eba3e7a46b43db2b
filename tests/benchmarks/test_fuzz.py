"""200 hostile files; and that the fuzzer would find what it looks for."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks import fuzz
from benchmarks.corpus import Case, Corpus
from leaps_core.errors import LeapsError


def test_200_hostile_files(tmp_path: Path) -> None:
    found = list(fuzz.fuzz(tmp_path / "files", 200, 7))
    assert len(found) == 200 and {one.case.kind for one in found} == set(fuzz.READERS)
    assert not [one for one in found if one.wrong]


def test_whole_files_are_read(tmp_path: Path) -> None:
    corpus = Corpus(tmp_path / "files", 0, "")
    for kind, files in corpus.whole.items():
        for name, data in files:
            place = tmp_path / f"{kind} {name}"
            place.mkdir()
            for other, whole in (*corpus.beside.get(kind, ()), (name, data)):
                (place / other).write_bytes(whole)
            fuzz.READERS[kind](place / name)


def asks(path: Path) -> None:
    with socket.create_connection(("127.0.0.1", int(path.read_text()))):
        pass


def raises(said: str) -> Callable[[Path], None]:
    def read(path: Path) -> None:
        raise LeapsError(said)

    return read


@pytest.mark.parametrize(
    ("reads", "wrong"),
    [
        (lambda path: open("/etc/hostname").close(), "opens /etc/hostname"),
        (lambda path: subprocess.run(["true"]), "subprocess.Popen"),
        (asks, "socket.connect"),
        (lambda path: 1 / 0, "ZeroDivisionError"),
        (lambda path: bytearray(2**40), "MemoryError"),
        (raises("Traceback (most recent call last): and much more"), "not a sentence"),
        (raises("no"), "no sentence"),
        (raises("word " * 300), "too long a sentence"),
        (lambda path: time.sleep(60), "takes more than"),
        (lambda path: os.kill(os.getpid(), signal.SIGKILL), "the process ended with -9"),
        (lambda path: path.read_text(), ""),
    ],
)
def test_the_fuzzer_sees(reads: Any, wrong: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fuzz, "LONGEST", 1.0)
    monkeypatch.setattr(fuzz, "WAY", "fork")  # so that the reader below is known there
    monkeypatch.setitem(fuzz.READERS, "table", reads)
    (tmp_path / "case").mkdir()
    file = tmp_path / "case" / "a.csv"
    with fuzz.server() as (address, _):
        file.write_text(address.rpartition(":")[2])
        reader = fuzz.Reader()
        try:
            found = reader.read(Case("table", "", file))
        finally:
            reader.close()
    assert found.wrong.startswith(wrong) if wrong else found.read and not found.wrong
