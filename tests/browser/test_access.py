"""Whoever can't see, or hold a mouse: axe-core finds nothing serious on any tab, and nothing jumps while a run goes on."""

from __future__ import annotations

import re
from typing import Any

import pytest

from app import guide
from tests.browser.test_page import WAIT, _hush, _prepare, _start, _state

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = sync_api.expect
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
pytestmark = pytest.mark.timeout(600, method="thread")
SERIOUS = ("serious", "critical")
SIZES = {"desktop": (1440, 900), "phone": (390, 844)}
MOST_SHIFT = 0.05
"""Of the cumulative layout shift, while a run goes on."""
OBSERVE = """() => { window.shifts = [];
  const named = (source) => source.node?.id || source.node?.className || "";
  new PerformanceObserver((list) => list.getEntries().forEach((entry) =>
    entry.hadRecentInput || window.shifts.push([entry.value, ...entry.sources.map(named)])
  )).observe({type: "layout-shift"}); }"""

Page = Any


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_axe_finds_nothing_serious(page: Page, app_url: str, size: str, theme: str) -> None:
    page.set_viewport_size(dict(zip(("width", "height"), SIZES[size], strict=True)))
    _hush(page)
    page.goto(f"{app_url}?__theme={theme}")
    page.wait_for_function("() => document.querySelector('#player figure canvas')", timeout=WAIT)
    page.locator("#lessons button").first.click()
    page.locator("#closer button").first.click()
    page.locator("#closer-slice img").wait_for(timeout=WAIT)
    wrong = []
    for tab, there in (
        ("Synthesis", "#lesson-text"),
        ("Compare", "#versus canvas"),
        ("Runs", "#gallery .cards button"),
        ("Map", "#map .js-plotly-plot"),
        ("Studies", "#study-table table"),
    ):
        page.get_by_role("tab", name=tab).click()
        page.locator(there).first.wait_for(timeout=3 * WAIT)
        page.wait_for_timeout(1000)
        for found in axe.Axe().run(page).response["violations"]:
            if found["impact"] in SERIOUS:
                wrong += [(tab, found["id"], node["target"], node["html"][:120]) for node in found["nodes"]]
    assert not wrong, wrong


@pytest.mark.parametrize("size", SIZES)
def test_nothing_jumps_while_the_guided_run_speaks(page: Page, size: str) -> None:
    page.set_viewport_size(dict(zip(("width", "height"), SIZES[size], strict=True)))
    expect(page.locator("#status b")).to_have_text(re.compile("ready|demo|done|stopped"), timeout=2 * WAIT)
    page.evaluate(OBSERVE)
    page.locator("#guided").click()
    stops = guide.stops()
    expect(page.locator("#guide")).to_contain_text(stops[0].doing.title, timeout=WAIT)
    heights = [_height(page)]
    for stop in stops[1:]:
        _state(page, "paused")
        expect(page.locator("#guide")).to_contain_text(stop.doing.title, timeout=WAIT)
        heights.append(_height(page))
        page.get_by_role("button", name="Resume", exact=True).click()
    _state(page, "done")
    page.wait_for_timeout(2000)
    assert len(set(heights)) == 1, heights
    shifts = page.evaluate("window.shifts")
    assert sum(value for value, *_ in shifts) <= MOST_SHIFT, shifts


def _height(page: Page) -> float:
    return float(page.locator("#guide").evaluate("box => box.offsetHeight"))


@pytest.mark.parametrize("size", SIZES)
def test_nothing_jumps_while_a_run_goes_on(page: Page, size: str) -> None:
    page.set_viewport_size(dict(zip(("width", "height"), SIZES[size], strict=True)))
    _prepare(page, steps=400)
    page.evaluate(OBSERVE)
    _start(page)
    _state(page, "done")
    page.wait_for_timeout(2000)
    shifts = page.evaluate("window.shifts")
    assert sum(value for value, *_ in shifts) <= MOST_SHIFT, shifts
