"""What the page costs: `python -m benchmarks.page`

Starts `app.py` on a free port and measures how long it takes to answer, to show the first refined picture, and how many
steps per second a default run makes: on the command line, in the page with a client that asks for news every five seconds, or
twice a second by the same requests as a browser (which asks so often in a run's first seconds, and doesn't wait in Gradio's
queue), and in the page with a real
Chromium on the same machine (left out where there is none). They take turns, so that a busy moment of the machine hits all.
`--busy 1`: the same while somebody else keeps so many cores busy.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from leaps_core import models

ROOT = Path(__file__).parents[1]
SETTINGS = {"model": "puppet_csn", "action": "juggling balls"}
WAIT = 300
"""Seconds after which an answer is given up."""


@contextmanager
def page(home: Path, personal: bool = False, **more: str) -> Iterator[tuple[str, float]]:
    """The running page: its address, and the seconds from its start to its first answer. `more`: environment variables."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    url, begun = f"http://127.0.0.1:{port}/", time.perf_counter()
    env = {**os.environ, "GRADIO_SERVER_PORT": str(port), "LEAPS_HOME": str(home), "TORCH_HOME": str(home / "torch"), **more}
    server = subprocess.Popen(
        [sys.executable, "app.py", *["--personal"] * personal], cwd=ROOT, env=env, stdout=subprocess.DEVNULL
    )
    try:
        while time.perf_counter() - begun < WAIT:
            try:
                urllib.request.urlopen(url, timeout=2)
                break
            except OSError:
                time.sleep(0.05)
        yield url, time.perf_counter() - begun
    finally:
        server.kill()
        server.wait()


@contextmanager
def busy(cores: int) -> Iterator[None]:
    """So many processes that do nothing but count."""
    others = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(cores)]
    try:
        yield
    finally:
        for other in others:
            other.kill()
            other.wait()


def command_line(home: Path) -> float:
    """Steps per second of `python -m leaps_core synth`."""
    folder = home / f"cli-{time.time_ns()}"
    subprocess.run(
        [
            sys.executable,
            "-m",
            "leaps_core",
            "synth",
            "--model",
            SETTINGS["model"],
            "--action",
            SETTINGS["action"],
            "--out",
            str(folder),
        ],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    return float(json.loads((folder / "run.json").read_text("utf-8"))["final"]["steps_per_second"])


def ask(client: httpx.Client, name: str, *data: Any) -> list[Any]:
    """What an event of the page answers."""
    answer = client.post(f"gradio_api/run/{name}", json={"data": data, "session_hash": "benchmark"})
    return answer.raise_for_status().json()["data"]


def polled(client: httpx.Client, every: float = 0.5, **settings: Any) -> tuple[float, float]:
    """Steps per second of a run whose page is asked for news every so many seconds, and the seconds from its start to its first
    step."""
    begun, first, asked = time.perf_counter(), 0.0, 0.0
    mine = ask(client, "run", {**SETTINGS, **settings}, "", None)[0]
    while True:
        ask(client, "tick", mine["visitor"], mine["run"], None, None, None, False)  # its states lie on the server
        ask(client, "poll", mine["visitor"], mine["run"], None, None, None, False)
        if not first or time.perf_counter() - begun > asked + 4:  # the page itself asks one question a tick
            asked, news = time.perf_counter() - begun, ask(client, "news", mine["visitor"], mine["run"])[0]
            if news["newest"] and not first:
                first = time.perf_counter() - begun
            if news["final"]:
                return float(news["final"]["steps_per_second"]), first
        time.sleep(every if first else 0.05)


def chromium() -> str | None:
    """The browser of this machine; None: there is none."""
    return shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


class Shown(NamedTuple):
    """A run with its page in Chromium: its steps per second; seconds from Start to a changed picture, and from opening the page
    to a Start that can be pressed; what was sent by then, and in each second of the run, bytes."""

    rate: float
    first: float
    ready: float
    weight: float
    stream: float


def browser(url: str, home: Path) -> Shown:
    """One run."""
    from playwright.sync_api import expect, sync_playwright

    picture = "document.querySelector('#player .strip canvas')?.toDataURL()"
    with sync_playwright() as driver:
        window = driver.chromium.launch(executable_path=chromium(), args=["--no-sandbox", "--disable-gpu"])
        shown = window.new_page(viewport={"width": 1440, "height": 900})
        sent = [0.0]
        network = shown.context.new_cdp_session(shown)
        network.send("Network.enable")
        network.on(
            "Network.dataReceived", lambda part: sent.append(sent[-1] + (part["encodedDataLength"] or part["dataLength"]))
        )
        begun = time.perf_counter()
        shown.goto(url)
        start = shown.get_by_role("button", name="Start", exact=True)
        expect(start).to_be_enabled(timeout=WAIT * 1000)
        ready, weight = time.perf_counter() - begun, sent[-1]
        shown.get_by_label("Model", exact=True).click()  # where I3D is on the machine the page begins with it
        shown.get_by_role("option", name=models.spec(SETTINGS["model"]).name).first.click()
        shown.wait_for_timeout(3000)
        before, already = shown.evaluate(picture), sent[-1]
        begun = time.perf_counter()
        start.click()
        shown.wait_for_function(f"before => {picture} !== before", arg=before, timeout=WAIT * 1000, polling=50)
        first = time.perf_counter() - begun
        expect(shown.locator("#status b")).to_have_text("done", timeout=WAIT * 1000)
        stream = (sent[-1] - already) / (time.perf_counter() - begun)
        window.close()
    newest = max((home / "runs").glob("*/run.json"), key=lambda file: file.stat().st_mtime)
    rate = float(json.loads(newest.read_text("utf-8"))["final"]["steps_per_second"])
    return Shown(rate, first, ready, weight, stream)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=2, help="how often each is measured; the median counts")
    parser.add_argument("--busy", type=int, default=0, metavar="CORES", help="cores that somebody else keeps busy")
    args = parser.parse_args()
    rates: dict[str, list[float]] = {}
    firsts: dict[str, list[float]] = {}
    shown: list[Shown] = []
    with busy(args.busy), tempfile.TemporaryDirectory() as temporary:
        home = Path(temporary)
        with page(home) as (url, answered):
            client = httpx.Client(base_url=url, timeout=WAIT)
            polled(client, steps=3)  # PyTorch and the models are loaded from here on
            for _ in range(args.rounds):
                rates.setdefault("command line", []).append(command_line(home))
                rates.setdefault("page, asked every five seconds", []).append(polled(client, every=5)[0])
                rate, first = polled(client)
                rates.setdefault("page, asked twice a second", []).append(rate)
                firsts.setdefault("page, asked twice a second", []).append(first)
                if chromium():
                    shown.append(browser(url, home))
                    rates.setdefault("page, Chromium on this machine", []).append(shown[-1].rate)
                    firsts.setdefault("page, Chromium on this machine", []).append(shown[-1].first)
    print(f"From `python app.py` to an answer: {answered:.1f} s\n")
    print("| default run | steps/s | of the command line's | first picture after Start, s |\n| --- | --- | --- | --- |")
    base = statistics.median(rates["command line"])
    for name, values in rates.items():
        rate = statistics.median(values)
        first = f"{statistics.median(firsts[name]):.1f}" if name in firsts else "–"
        print(f"| {name} | {rate:.1f} | {rate / base:.0%} | {first} |")
    if shown:
        ready, weight, stream = (statistics.median(getattr(one, of) for one in shown) for of in ("ready", "weight", "stream"))
        print(
            f"\nIn Chromium Start can be pressed after {ready:.1f} s, for which {weight / 1e6:.1f} MB were sent; a run sends "
            f"{stream / 1e3:.0f} kB/s."
        )


if __name__ == "__main__":
    main()
