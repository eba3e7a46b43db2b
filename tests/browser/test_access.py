"""Whoever can't see, or hold a mouse: axe-core finds nothing serious on any tab, and nothing jumps while a run goes on."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.test_page import WAIT, _hush, _prepare, _start, _state

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
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
        ("Runs", "#gallery button"),
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
def test_nothing_jumps_while_a_run_goes_on(page: Page, size: str) -> None:
    page.set_viewport_size(dict(zip(("width", "height"), SIZES[size], strict=True)))
    _prepare(page, steps=400)
    page.evaluate(OBSERVE)
    _start(page)
    _state(page, "done")
    page.wait_for_timeout(2000)
    shifts = page.evaluate("window.shifts")
    assert sum(value for value, *_ in shifts) <= MOST_SHIFT, shifts


def test_all_of_a_run_can_be_done_with_the_keyboard_alone(page: Page) -> None:
    """From the top of the page by Tab: Start, steer, pause, resume, stop, play, scrub, another tab."""
    _prepare(page, steps=3000)
    page.evaluate("() => { document.activeElement.blur(); scrollTo(0, 0); }")
    _tab_to(page, "el => el.textContent.trim() === 'Start'")
    page.keyboard.press("Enter")
    _state(page, "running")
    _tab_to(page, "el => el.getAttribute('aria-label') === 'range slider for Smoothness'")
    page.keyboard.press("ArrowRight")
    page.wait_for_function("() => document.querySelector('#plots').textContent.includes('smoothness')", timeout=WAIT)
    for name, state in (("Pause", "paused"), ("Resume", "running"), ("Stop", "stopped")):
        _tab_to(page, f"el => el.textContent.trim() === '{name}'", "Shift+Tab" if name == "Pause" else "Tab")
        page.keyboard.press("Space")
        _state(page, state)
    _tab_to(page, "el => (el.getAttribute('aria-label') || '').startsWith('range slider for Timeline')")
    page.keyboard.press("Home")
    page.wait_for_function("() => document.querySelector('#player').innerText.includes('step 1 ')", timeout=WAIT)
    _tab_to(page, "el => el.matches('#player .player')", "Shift+Tab")
    before = page.locator("#player .play").get_attribute("aria-label")
    page.keyboard.press("Space")
    assert page.locator("#player .play").get_attribute("aria-label") != before
    _tab_to(page, "el => el.getAttribute('role') === 'tab' && el.textContent.trim() === 'Compare'", "Shift+Tab")
    page.keyboard.press("Enter")
    page.locator("#versus canvas").first.wait_for(timeout=WAIT)


def _tab_to(page: Page, there: str, key: str = "Tab") -> None:
    """Presses Tab until the focus is on what `there` (a function of an element) says, and that can be seen."""
    for _ in range(150):
        page.keyboard.press(key)
        if page.evaluate(f"() => document.activeElement !== document.body && ({there})(document.activeElement)"):
            return
    raise AssertionError(f"Tab never comes to {there}")
