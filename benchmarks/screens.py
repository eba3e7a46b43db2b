"""Screenshots of the page's states, to be looked at: `python -m benchmarks.screens --out DIR [--only first map]`

Each state as a desktop and a phone show it, light and dark; all of them take a quarter of an hour. Starts a page of its own,
with an empty home; those of `PERSONAL` have a person's own, with a run in it that was interrupted, those of `FRESH` one each.
`--docs` writes the README's pictures instead.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from leaps_core import models, runs
from leaps_core.errors import LeapsError

from .page import chromium
from .page import page as started
from .states import BRIEF, FRESH, PERSONAL, STATES, WORDLESS

ROOT = Path(__file__).resolve().parents[1]
SIZES = {"desktop": (1440, 900), "phone": (390, 844)}
WAIT = 120_000  # ms
DOCS = {"page": ("first", "desktop", "light"), "map": ("map", "desktop", "dark"), "phone": ("first", "phone", "dark")}
"""The README's pictures: what they show, on what, and how."""


def main() -> None:
    """Take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("screens"))
    parser.add_argument("--only", nargs="+", choices=STATES)
    parser.add_argument("--language", default="en", help="of the page; if not English, five states only")
    parser.add_argument("--docs", action="store_true")
    options = parser.parse_args()
    os.environ["LEAPS_LANGUAGE"] = options.language
    shots = [
        (state, size, theme, options.out / f"{state}-{size}-{theme}.png")
        for state in options.only or (STATES if options.language == "en" else WORDLESS)
        for size in SIZES
        for theme in ("light", "dark")
    ]
    if options.docs:
        shots = [(*shot, ROOT / "docs" / "pictures" / f"{name}.png") for name, shot in DOCS.items()]
    for personal in (False, True):
        if mine := [shot for shot in shots if shot[0] not in FRESH and (shot[0] in PERSONAL) is personal]:
            _take(mine, personal)
    for shot in shots:
        if shot[0] in FRESH:
            _take([shot], False, **FRESH[shot[0]])


def _take(shots: list[tuple[str, str, str, Path]], personal: bool, **env: str) -> None:
    """Pictures of one page: of which state, on what, how, and where to."""
    with tempfile.TemporaryDirectory() as home, sync_playwright() as driver:
        if personal:
            _ended_early(Path(home) / "runs" / "failed", MemoryError())
            killed = _ended_early(Path(home) / "runs" / "interrupted", KeyboardInterrupt())
            (killed.folder / "run.json").write_text(json.dumps({**killed.record, "status": "running"}), "utf-8")
        browser = driver.chromium.launch(executable_path=chromium(), args=["--no-sandbox", "--disable-gpu"])
        with started(Path(home), personal, **env) as (url, _):
            for state, size, theme, path in shots:
                path.parent.mkdir(parents=True, exist_ok=True)
                _shoot(browser, url, state, size, theme, path)
                print(path, flush=True)


def _ended_early(folder: Path, why: BaseException) -> runs.Run:
    """A run that was ended by something at its fifth step."""
    config = models.configure("puppet_csn", "bowling", {"steps": 60})
    making = runs.perform(config, folder=folder)
    run, _ = [next(making) for _ in range(5)][-1]
    with suppress(LeapsError, KeyboardInterrupt):
        making.throw(why)
    return run


def _shoot(browser: Any, url: str, state: str, size: str, theme: str, path: Path) -> None:
    width, height = SIZES[size]
    context = browser.new_context(viewport={"width": width, "height": height})
    context.set_default_timeout(WAIT)
    page = context.new_page()
    page.goto(f"{url}?__theme={theme}")
    if state != "loading":  # else it would be over
        page.wait_for_function("() => document.querySelector('#player figure canvas')")
        page.wait_for_timeout(2000)
    STATES[state](page)
    page.wait_for_timeout(0 if state in BRIEF else 1500)
    page.screenshot(path=path)
    context.close()  # a run that goes on is stopped some seconds later


if __name__ == "__main__":
    main()
