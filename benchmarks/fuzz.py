"""Hostile files: `python -m benchmarks.fuzz [--files N] [--seed S] [--only KIND] [--keep DIR]`

Files of every kind that the program reads, harmful (harmful.py) or broken (corpus.py), are read one after the other, by a
process that may hold so much memory; if that breaks down, the next file gets a new one. Each has to end within 10 s, read or
refused by one sentence, without touching what is not its own: a file that is opened elsewhere is noted by Python's audit, one
video has a colour that nothing else has, a server counts who asks it, and code that ran would leave a folder. Prints a row for
each kind, and what went wrong.
"""

from __future__ import annotations

import argparse
import http.server
import multiprocessing
import os
import re
import sys
import sysconfig
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from benchmarks.corpus import CANARY, Case, Corpus
from leaps_core import video
from leaps_core.errors import LeapsError

LONGEST = 10.0
"""s that a file may take."""
MEMORY = 3 * 2**30
"""Bytes that reading a file may take beyond what the process has at first."""
WAY = "spawn"
"""How the reading process is begun."""
SENTENCE = 1000
"""Most characters of an error."""


@dataclass
class Outcome:
    """What became of a file. wrong: what should not have been; "" where all is well."""

    case: Case
    read: bool = False
    said: str = ""
    wrong: str = ""
    seconds: float = 0.0
    memory: int = 0


@dataclass
class Row:
    """What became of all files of a kind."""

    files: int = 0
    read: int = 0
    slowest: float = 0.0
    memory: int = 0
    wrong: list[Outcome] = field(default_factory=list)

    def add(self, found: Outcome) -> None:
        """Count one more."""
        self.files, self.read = self.files + 1, self.read + found.read
        self.slowest, self.memory = max(self.slowest, found.seconds), max(self.memory, found.memory)
        self.wrong += [found] if found.wrong else []


# --------------------------------------------------------------------------------------------------- how each kind is read


def read_video(path: Path) -> None:
    """As an upload."""
    video.probe(path)
    frames = video.read(path, 4, 16).frames
    if np.abs(frames.reshape(-1, 3).mean(0) - CANARY).max() < 60:
        raise PermissionError("it shows another file")


def read_run(path: Path) -> None:
    """As “Run again from JSON” does; else as a file in a run's own folder."""
    from leaps_core import runs

    with _first_refusal() as attempt:
        if path.suffix == ".json":
            with attempt():
                runs.from_text(path.read_text("utf-8", errors="replace"))
        run = None
        with attempt():
            run = runs.Run.open(path.parent)
        for name in (name for name, kind in vars(runs.Run).items() if isinstance(kind, property)):
            with attempt():
                getattr(run, name, None)
        with attempt():
            if run:
                run.checkpoint()


def read_bank(path: Path) -> None:
    """All that the page and the map ask of a bank."""
    from leaps_core import banks, maps

    bank = banks.Bank.open(path)
    with _first_refusal() as attempt:
        with attempt():
            len(bank.labels), len(bank.sources), len(bank.embeddings), bank.rows(bank.sample(5))
        for number in (0, len(bank) - 1):
            with attempt():
                bank.poster(number), bank.preview(number)
        with attempt():
            maps.Atlas(bank, maps.layout.fit(bank, maps.Recipe("pca")))


def read_map(path: Path) -> None:
    """A map beside its bank; one that isn't the bank's is made anew."""
    from leaps_core import banks, maps

    bank = banks.Bank.open(path.with_name("small.parquet"))
    atlas = maps.Atlas(bank, maps.load_or_fit(bank, maps.Recipe("pca")))
    if not (np.isfinite(atlas.map.positions).all() and len(atlas.map.positions) == len(bank)):
        raise ValueError("a map that can't be is used")
    atlas.project(bank.rows([0, 1]))


def read_weights(path: Path) -> None:
    """As weights given by hand."""
    from leaps_core.models import checkpoints

    checkpoints.read(path)


def read_pickle(path: Path) -> None:
    """As the archive of a package."""
    from leaps_core.models import packages

    packages.tensors(path, "pack/weights.pkl", path.parent)


def read_record(path: Path) -> None:
    """As a custom model."""
    from leaps_core.models import custom, registry

    before = dict(registry._specs)
    try:
        custom.load(path)
    finally:
        registry._specs.clear()
        registry._specs.update(before)


def read_table(path: Path) -> None:
    """As a Kinetics table beside its videos."""
    from leaps_core import banks

    banks.plan_csv(path.parent, path)


READERS: dict[str, Callable[[Path], None]] = {
    name.removeprefix("read_"): reader for name, reader in list(globals().items()) if name.startswith("read_")
}


@contextmanager
def _first_refusal() -> Iterator[Callable[[], Any]]:
    """Goes on after a `LeapsError`, and raises the first one at the end."""
    refused: list[LeapsError] = []

    @contextmanager
    def attempt() -> Iterator[None]:
        try:
            yield
        except LeapsError as error:
            refused.append(error)

    yield attempt
    if refused:
        raise refused[0]


# ------------------------------------------------------------------------------------------------------ the reading process


class _Audit:
    """Notes files that are opened outside of the case's own folder, and whatever is worse."""

    OWN = tuple(os.path.realpath(path) for path in (sys.prefix, sys.base_prefix, Path(__file__).parents[1]))
    SYSTEM = (
        "/proc/",
        "/sys/",
        "/dev/null",
        "/etc/localtime",
        "/usr/share",
        "/usr/lib",
        "/etc/ld.so",
        "/etc/magic",
        "/etc/mime",
    )
    WORSE = ("os.system", "subprocess.Popen", "os.mkdir", "os.remove", "os.rename", "socket.connect", "shutil.rmtree")

    def __init__(self) -> None:
        self.folder, self.found, self.scratch = "", list[str](), os.path.realpath(tempfile.gettempdir()) + "/pymp-"
        sys.addaudithook(self.hook)

    def hook(self, event: str, args: tuple[Any, ...]) -> None:
        if not self.folder:
            return
        if event == "open" and isinstance(args[0], str | bytes):
            path = os.path.realpath(os.fsdecode(args[0]))
            allowed = (self.folder, *self.OWN, *self.SYSTEM, self.scratch, sysconfig.get_path("stdlib"))
            if not path.startswith(allowed):
                self.found.append(f"opens {path}")
        elif event in self.WORSE and self.folder not in str(args) and "pymp-" not in str(args):
            self.found.append(f"{event} {str(args)[:80]}")


def _work(pipe: Any) -> None:
    """Read what the pipe names, until it closes."""
    import resource

    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # decoders' remarks
    import torch  # noqa: F401

    from leaps_core import banks, maps, models, runs  # noqa: F401

    models.specs()
    video.isolate()
    audit = _Audit()
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + MEMORY,) * 2)
    pipe.send("ready")
    while case := pipe.recv():
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        os.environ["LEAPS_HOME"] = str(case.path.parent)
        audit.folder, audit.found = os.path.realpath(case.path.parent), []
        found = _outcome(case)
        audit.folder = ""
        found.wrong = found.wrong or "; ".join(audit.found[:3])
        found.memory = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
        pipe.send(found)


def _outcome(case: Case) -> Outcome:
    try:
        READERS[case.kind](case.path)
    except LeapsError as error:
        said = str(error)
        strange = re.search(r"Traceback|<class|0x[0-9a-f]{6}|[\x00-\x1f\x7f-\x9f\u202a-\u202e\ud800-\udfff]", said)
        wrong = f"not a sentence: {strange[0]!r}" if strange else "no sentence" if len(said.split()) < 4 else ""
        return Outcome(case, said=said, wrong=wrong or ("too long a sentence" if len(said) > SENTENCE else ""))
    except BaseException as error:
        return Outcome(case, wrong=f"{type(error).__name__}: {str(error)[:200]}")
    return Outcome(case, read=True)


class Reader:
    """A process that reads files; a new one for the file after that over which it broke down."""

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        spawned: Any = multiprocessing.get_context(WAY)
        self.pipe, theirs = spawned.Pipe()
        self.process = spawned.Process(target=_work, args=(theirs,))
        self.process.start()
        theirs.close()
        self.pipe.recv()

    def read(self, case: Case) -> Outcome:
        """What becomes of a file."""
        begun, wrong = time.monotonic(), "takes more than 10 s"
        self.pipe.send(case)
        try:
            if self.pipe.poll(LONGEST):
                found: Outcome = self.pipe.recv()
                found.seconds = time.monotonic() - begun
                return found
        except (EOFError, OSError):
            self.process.join()
            wrong = f"the process ended with {self.process.exitcode}"
        self.close()
        self._begin()
        return Outcome(case, wrong=wrong, seconds=time.monotonic() - begun)

    def close(self) -> None:
        """No more files."""
        self.process.kill()
        self.process.join()
        self.pipe.close()


@contextmanager
def server() -> Iterator[tuple[str, list[str]]]:
    """The address of a server that nobody should ask, and who did."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    found = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=found.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{found.server_port}", asked
    finally:
        found.shutdown()
        found.server_close()


def fuzz(folder: Path, count: int, seed: int, kinds: Iterable[str] = tuple(READERS)) -> Iterator[Outcome]:
    """Read so many files of these kinds, made in `folder`."""
    with server() as (address, asked):
        corpus, reader, wanted = Corpus(folder, seed, address), Reader(), set(kinds)
        try:
            for case in corpus.cases(count):
                if case.kind not in wanted:
                    continue
                found = reader.read(case)
                if corpus.aims.touched.exists():
                    found.wrong = "code of the file was run"
                    corpus.aims.touched.rmdir()
                if asked:
                    found.wrong = f"asks a server for {asked.pop()}"
                yield found
        finally:
            reader.close()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fuzz", description=__doc__.split("\n\n")[0])
    parser.add_argument("--files", type=int, default=2000, help="how many (default: 2000)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", nargs="+", choices=sorted(READERS), default=sorted(READERS), help="kinds of files")
    parser.add_argument("--keep", type=Path, help="a new folder for the files (default: they are deleted)")
    options = parser.parse_args()
    rows: dict[str, Row] = defaultdict(Row)
    with tempfile.TemporaryDirectory() as scratch:
        begun, bar = time.monotonic(), tqdm(total=options.files, unit=" files", disable=None)
        for number, found in enumerate(fuzz(options.keep or Path(scratch) / "fuzz", options.files, options.seed, options.only)):
            rows[found.case.kind].add(found)
            if found.wrong:
                print(f"{found.case}: {found.wrong!a} {found.said[:150]!a}", flush=True)
            bar.update(number + 1 - bar.n)
        bar.close()
    print("| kind | files | read | refused by a sentence | went wrong | slowest, s | memory, MB |\n" + "| --- " * 7 + "|")
    for kind, row in rows.items():
        refused = row.files - row.read - len(row.wrong)
        print(
            f"| {kind} | {row.files} | {row.read} | {refused} | {len(row.wrong)} | {row.slowest:.1f} | {row.memory / 1e6:.0f} |"
        )
    print(f"\n{sum(row.files for row in rows.values())} files in {time.monotonic() - begun:.0f} s, seed {options.seed}")
    return int(any(row.wrong for row in rows.values()))


if __name__ == "__main__":
    sys.exit(main())
