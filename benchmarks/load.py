"""Many visitors: `python -m benchmarks.load [--visitors N] [--minutes M] [--steps S] [--model KEY]`

Starts `app.py` and sends it so many visitors, over HTTP on this machine, all within ten seconds. Each opens the page, starts a
run, asks for news as often as a browser would, moves a slider, goes back on the timeline, looks at the clip, and begins anew,
until the time is over; then they leave without a word. Prints how long answers took while runs went on, whether each run has
its own clip and how often each visitor had a turn, and what is left of it all: memory over time, threads, open files, locks.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import secrets
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psutil

from benchmarks.page import WAIT, page
from leaps_core import models, runs
from leaps_core.files import is_locked

ARRIVAL = 10.0
"""s within which all visitors come."""
PATIENCE = 600.0
"""s after the time is over in which the last runs have to end."""
SETTLED = 150.0
"""s after which nothing of those who left may be there: their pages' leases and the server's own caches."""


@dataclass
class Tally:
    """What all visitors saw. `took`: seconds of each kind of request; `waits`: (said, was) seconds of waiting in line."""

    took: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    waits: list[tuple[float, float]] = field(default_factory=list)
    finished: list[tuple[str, int]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def time(self, kind: str) -> Iterator[None]:
        """Counts a request."""
        begun = time.perf_counter()
        yield
        with self.lock:
            self.took[kind].append(time.perf_counter() - begun)


class Visitor:
    """Someone with a browser."""

    def __init__(self, url: str, number: int, tally: Tally, model: str, steps: int) -> None:
        self.client = httpx.Client(base_url=url, timeout=WAIT)
        self.name, self.page, self.tally = secrets.token_urlsafe(12), secrets.token_hex(6), tally
        self.random, self.model, self.steps = random.Random(number), model, steps
        actions = models.labels(models.spec(model).world)
        self.action = actions[number % len(actions)]

    def ask(self, kind: str, *data: Any) -> list[Any]:
        """What an event of the page, or a function of the interface, answers."""
        with self.tally.time(kind):
            answer = self.client.post(f"gradio_api/run/{kind}", json={"data": data, "session_hash": self.page})
        return answer.raise_for_status().json()["data"]

    def stay(self, until: float) -> None:
        """Runs after runs, until the time is over."""
        try:
            time.sleep(self.random.uniform(0, ARRIVAL))
            with self.tally.time("open the page"):
                self.client.get("/").raise_for_status()
            while time.monotonic() < until:
                self.one_run(until)
        except Exception as error:
            with self.tally.lock:
                self.tally.wrong.append(f"{type(error).__name__}: {str(error)[:200]}")
        finally:
            self.client.close()

    def one_run(self, until: float) -> None:
        """Start, look, steer, scrub, and look at the clip."""
        settings = {"model": self.model, "action": self.action, "steps": self.steps, "seed": self.random.randrange(10**6)}
        mine = self.ask("run", settings, self.name, None)[0]
        asked, said, steered, line, pulse = time.monotonic(), None, False, None, {"active": False}
        while True:  # as the page's timers: a short question, and a long one if there is news, and while the run goes on
            told = [] if pulse["active"] else self.ask("tick", self.name, mine["run"], None, line, None, False)
            pause = pulse["value"] if pulse["active"] else told[1]["value"]
            if pulse["active"] or isinstance(told[2], float):  # else it doesn't change
                told += self.ask("poll", self.name, mine["run"], None, None, line, False)
                pulse |= told[-2]
            line = next((part for part in reversed(told) if isinstance(part, dict) and "state" in part), line)
            if said is None:
                said = self.ask("news", self.name, mine["run"])[0]["wait"]
            state = line["state"] if line else "queued"
            if state == "running" and "step " in line["text"] and not steered:
                steered = True
                with self.tally.lock:
                    self.tally.waits.append((said, time.monotonic() - asked))
                self.ask("steer", self.name, mine["run"], {"coherence": self.random.random()})
                self.ask("clip", self.name, mine["run"], 1)
            if state not in ("queued", "running"):
                break
            if time.monotonic() > until + PATIENCE:
                raise TimeoutError("a run did not end in ten minutes after the last one was begun")
            time.sleep(pause)
        shown = self.ask("clip", self.name, mine["run"], -1)[0]
        if state != "done" or shown["step"] != self.steps:
            raise ValueError(f"its run ended as {state} at step {shown['step']}")
        with self.tally.lock:
            self.tally.finished.append((self.name, settings["seed"]))


class Server:
    """What the server's process holds, looked at every second."""

    def __init__(self, process: psutil.Process) -> None:
        self.process, self.memory, self._over = process, list[tuple[float, float]](), threading.Event()
        self.thread = threading.Thread(target=self._look, daemon=True)
        self.thread.start()

    def _look(self) -> None:
        while not self._over.wait(1):
            self.memory.append((time.monotonic(), self.process.memory_info().rss / 1e6))

    def stop(self) -> None:
        """No more looking."""
        self._over.set()
        self.thread.join()

    def holds(self) -> dict[str, int]:
        """Threads, open files and connections, child processes."""
        return {
            "threads": self.process.num_threads(),
            "open files": self.process.num_fds(),
            "child processes": len(self.process.children(recursive=True)),
        }

    def slope(self, begun: float, ended: float) -> tuple[float, float]:
        """MB a minute that its memory grew by in this time, by a line through it, and its most."""
        times, sizes = np.array([seen for seen in self.memory if begun <= seen[0] <= ended]).T
        return float(np.polyfit(times / 60, sizes, 1)[0]), float(sizes.max())


def turns(finished: list[tuple[str, int]]) -> str:
    """How fair it was: how many runs the visitor had who got the fewest, and how many who got the most."""
    counts = Counter(name for name, _ in finished)
    return f"{min(counts.values())} to {max(counts.values())}" if counts else "none"


def own_clips(home: Path, finished: list[tuple[str, int]]) -> int:
    """How many of the finished runs lie on the disk as their visitor asked for them, with a clip unlike all others."""
    found = {
        run.config.seed: run.clip.tobytes() for run in map(runs.Run.open, (home / "runs").iterdir()) if run.status == "done"
    }
    asked = [seed for _, seed in finished]
    return len({found[seed] for seed in asked if seed in found})


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description=__doc__.split("\n\n")[0])
    parser.add_argument("--visitors", type=int, default=50)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--steps", type=int, default=8, help="of each run (default: 8)")
    parser.add_argument("--model", default="puppet_csn")
    options = parser.parse_args()
    os.environ["LEAPS_LIMIT_QUEUE"] = str(2 * options.visitors)
    tally = Tally()
    with tempfile.TemporaryDirectory() as temporary, page(home := Path(temporary)) as (url, _):
        process = next(p for p in psutil.Process().children() if "app.py" in p.cmdline())
        warm = Visitor(url, 0, Tally(), options.model, options.steps)
        warm.one_run(time.monotonic() + WAIT)  # PyTorch and the models are loaded from here on
        warm.client.close()
        server = Server(process)
        before = server.holds()
        begun = time.monotonic()
        until = begun + 60 * options.minutes
        visitors = [Visitor(url, i, tally, options.model, options.steps) for i in range(options.visitors)]
        threads = [threading.Thread(target=visitor.stay, args=(until,)) for visitor in visitors]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        ended = time.monotonic()
        time.sleep(SETTLED)
        after = server.holds()
        server.stop()  # before the process ends
        report(tally, server, (begun, ended), before, after, home)
    return int(bool(tally.wrong))


def report(
    tally: Tally, server: Server, times: tuple[float, float], before: dict[str, int], after: dict[str, int], home: Path
) -> None:
    """Print what was found."""
    begun, ended = times
    print("| request | n | median, ms | p95, ms | longest, ms |\n| --- | --- | --- | --- | --- |")
    for kind, took in [*tally.took.items(), ("all", sum(tally.took.values(), []))]:
        p95 = float(np.percentile(took, 95))
        print(f"| {kind} | {len(took)} | {1e3 * statistics.median(took):.0f} | {1e3 * p95:.0f} | {1e3 * max(took):.0f} |")
    errors = [abs(said - was) for said, was in tally.waits if was > 2]
    half = begun + (ended - begun) / 2
    slope, most = server.slope(half, ended)
    waited = statistics.median(was for _, was in tally.waits)
    locks = sum(is_locked(lock) for lock in (home / "runs").glob("*/.lock"))
    rows = {
        "runs that ended": f"{len(tally.finished)}, each visitor {turns(tally.finished)}",
        "with their own clip": own_clips(home, tally.finished),
        "visits that failed": len(tally.wrong),
        "wait that was told, median error": f"{statistics.median(errors):.1f} s of {waited:.0f} s" if errors else "–",
        "memory, most": f"{most:.0f} MB",
        "memory, slope in the second half": f"{slope:+.1f} MB a minute",
        **{f"{name} before, after": f"{count}, {after[name]}" for name, count in before.items()},
        "locks that are held": locks,
    }
    print("\n| | |\n| --- | --- |")
    for name, value in rows.items():
        print(f"| {name} | {value} |")
    for said, times_ in Counter(tally.wrong).most_common(5):
        print(f"\n{times_} ×: {said}")
    print(json.dumps({"seconds": round(ended - begun)}), file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
