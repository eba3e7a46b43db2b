"""Whoever can't see, or hold a mouse: axe-core finds nothing serious on any tab, and nothing jumps while a run goes on."""

from __future__ import annotations

from typing import Any

import pytest

from tests.app.test_plots import contrast
from tests.browser.test_page import OBSERVE, SECONDS, SIZES, WAIT, _hush, _nothing_jumped, _prepare, _resize, _start, _state

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = sync_api.expect
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
pytestmark = pytest.mark.timeout(600, method="thread")
SERIOUS = ("serious", "critical")
INKS = """() => {
  const ground = document.body.appendChild(document.createElement('i'));
  ground.style.color = 'var(--body-background-fill)';
  const page = getComputedStyle(ground).color;
  ground.remove();
  return [...document.querySelectorAll('.js-plotly-plot text')].filter((one) => one.textContent.trim() && one.checkVisibility())
    .map((one) => [one.textContent, getComputedStyle(one).fill, page]);
}"""
"""A script that finds the words in plots, which axe doesn't look at, their colour and the page's."""

Page = Any


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_axe_finds_nothing_serious(page: Page, app_url: str, size: str, theme: str) -> None:
    _resize(page, size)
    _hush(page)
    page.goto(f"{app_url}?__theme={theme}")
    page.wait_for_function("() => document.querySelector('#player figure canvas')", timeout=WAIT)
    page.locator("#lessons button").first.click()
    page.locator("#closer button").first.click()
    page.locator("#closer-slice img").wait_for(timeout=WAIT)
    page.get_by_role("button", name="More settings").click()
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
        if tab == "Runs":
            page.locator(there).nth(2).click()
            page.get_by_label("Save it as").locator("visible=true").wait_for(timeout=WAIT)
        page.wait_for_timeout(1000)
        faint = [(words, ink) for words, ink, ground in page.evaluate(INKS) if contrast(ink, ground) < 4.5]  # WCAG's AA
        wrong += [(tab, *found) for found in [*serious(page), *faint]]
    assert not wrong, wrong


def serious(page: Page) -> list[tuple[Any, ...]]:
    """What axe finds wrong that is serious: the rule, where, and what stands there."""
    found = [one for one in axe.Axe().run(page).response["violations"] if one["impact"] in SERIOUS]
    return [(one["id"], node["target"], node["html"][:120]) for one in found for node in one["nodes"]]


def test_nothing_is_drawn_while_nothing_goes_on(browser: Any, app_url: str) -> None:
    page = browser.new_page()
    page.add_init_script("""(() => {
      window.drawn = 0;
      const draw = window.requestAnimationFrame.bind(window);
      window.requestAnimationFrame = (then) => { window.drawn += 1; return draw(then); };
    })()""")
    page.goto(app_url)
    expect(page.get_by_role("button", name="Start", exact=True)).to_be_enabled(timeout=WAIT)
    for _ in range(10):  # a page under load needs a while to come to rest; Gradio's own clock would never let it
        page.evaluate("window.drawn = 0")
        page.wait_for_timeout(3 * SECONDS)
        if not page.evaluate("window.drawn"):
            break
    else:
        pytest.fail("the page asks to be drawn without end")
    page.close()


@pytest.mark.parametrize("size", SIZES)
def test_nothing_jumps_while_a_run_goes_on(page: Page, size: str) -> None:
    _resize(page, size)
    _prepare(page, steps=400)
    page.evaluate(OBSERVE)
    _start(page)
    _state(page, "done")
    _nothing_jumped(page)
