"""Whoever can't hold a mouse: each tab is used by Tab, Enter, Space and the arrows alone."""

from __future__ import annotations

import re
from typing import Any

import pytest

from app.lessons import lessons
from tests.browser.test_page import CAPTION, LONG, SECONDS, WAIT, _prepare, _state

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = sync_api.expect
pytestmark = pytest.mark.timeout(600, method="thread")

PLOTTED = "document.querySelector('#map .js-plotly-plot')"

Page = Any


def test_all_of_a_run_can_be_done_with_the_keyboard_alone(page: Page) -> None:
    """From the top of the page by Tab: Start, steer, pause, resume, stop, play, scrub, another tab."""
    _prepare(page, steps=LONG)
    _top(page)
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


def test_an_arrow_moves_a_logarithmic_slider_to_its_next_value_wherever_it_stands(page: Page) -> None:
    """Two digits may be further apart than one step of its way; whole numbers are."""
    page.get_by_role("button", name="More settings").click()
    for label, values in (("Priming, first layer (λ₁)", [1, 1.1, 1.2]), ("Views shifted in time, frames", [0, 1, 2, 3])):
        slider, number = (page.get_by_label(f"{kind} {label}", exact=True) for kind in ("range slider for", "number input for"))
        number.fill(str(values[0]))
        number.press("Enter")
        slider.focus()
        for keys, way in (("ArrowRight", values), ("ArrowLeft", values[::-1])):
            for value in way[1:]:
                page.keyboard.press(keys)
                expect(number).to_have_value(str(value))
    number.fill("2.4")
    number.press("Enter")
    expect(number).to_have_value("2")


def test_tab_goes_the_way_of_the_eye(page: Page) -> None:
    """Down the page on a phone, where the parts lie in another order, and down each of a desktop's columns; settings that stand
    side by side are less than 300 px high."""
    page.locator("#closer").wait_for(timeout=WAIT)
    jumps = """() => {
        const seen = [...document.querySelectorAll('#columns :is(a[href], button, input, select, textarea, [tabindex="0"])')]
            .filter(one => !one.disabled && one.checkVisibility({visibilityProperty: true, opacityProperty: true}))
            .map(one => [one.getBoundingClientRect(), one.ariaLabel || one.textContent]);
        return seen.slice(1).map(([box, said], at) => [seen[at][0].top - box.top, seen[at][1], said])
            .filter(([up]) => up > 300).map(([up, from, to]) => `${Math.round(up)} px up from ${from} to ${to}`);
    }"""
    page.wait_for_function("() => document.querySelector('#stage #closer')", timeout=WAIT)
    assert len(page.evaluate(jumps)) == 1, "to the other column"
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_function("() => document.querySelector('#columns > #closer')", timeout=WAIT)
    assert page.evaluate(jumps) == []
    page.set_viewport_size({"width": 1440, "height": 900})
    page.wait_for_function("() => document.querySelector('#stage > #closer:last-child')", timeout=WAIT)


def test_a_lesson_is_read_and_its_check_answered(page: Page) -> None:
    _top(page)
    _tab_to(page, "el => el.matches('#lessons button')")
    page.keyboard.press("Enter")
    expect(page.locator("#lesson-text")).to_be_visible(timeout=WAIT)
    page.wait_for_timeout(SECONDS)  # it slides open
    _tab_to(page, "el => el.matches('#lesson input')")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("#lesson-text")).not_to_contain_text("Before you read on: does", timeout=WAIT)  # the first one's
    chosen = page.locator("#lesson input").input_value()
    lesson = next(one for one in lessons().values() if chosen.startswith(f"{one.number}. "))
    expect(page.locator("#lesson-check")).to_contain_text(lesson.question, timeout=WAIT)
    _tab_to(page, "el => el.matches('#lesson-check input')")
    page.keyboard.press("Space")
    expect(page.locator("#lesson-told")).to_contain_text(re.compile(r"Right\.|Not quite\."), timeout=WAIT)
    first = page.locator("#lesson-told").inner_text()
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(page.locator("#lesson-told")).not_to_have_text(first, timeout=WAIT)


def test_a_run_is_chosen_and_opened(page: Page) -> None:
    _to(page, "Runs", "#gallery .cards button")
    _tab_to(page, "el => el.matches('#gallery .cards button[data-id*=mvit]')")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Open", exact=True)).to_be_enabled(timeout=WAIT)
    _tab_to(page, "el => el.textContent.trim() === 'Open'", "Shift+Tab")
    page.keyboard.press("Enter")
    page.wait_for_function(f"() => {CAPTION}?.startsWith('tai chi')", timeout=WAIT)
    expect(page.get_by_role("tab", name="Synthesis")).to_have_attribute("aria-selected", "true")


def test_a_comparison_is_begun_and_stopped(page: Page) -> None:
    _to(page, "Compare", "#versus canvas")
    _tab_to(page, "el => el.matches('#versus-bar button') && el.textContent.trim() === 'Compare'")
    page.keyboard.press("Enter")
    page.wait_for_function("() => /step \\d/.test(document.querySelector('#versus').innerText)", timeout=WAIT)
    _tab_to(page, "el => el.textContent.trim() === 'Stop all'")
    page.keyboard.press("Enter")
    expect(page.locator("#versus-line")).to_contain_text("runs have ended. They are kept", timeout=WAIT)


def test_the_map_is_made_anew_and_a_class_highlighted(page: Page) -> None:
    _to(page, "Map", "#map .js-plotly-plot")
    _tab_to(page, "el => el.type === 'radio' && el.closest('label')?.textContent.trim() === 'PCA'")
    page.keyboard.press("Space")
    page.wait_for_function(f"() => {PLOTTED}?.layout.xaxis.title.text.startsWith('component 1')", timeout=WAIT)
    _tab_to(page, "el => (el.getAttribute('aria-label') || '').startsWith('Highlight a class')")
    page.keyboard.type("tai")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_function(f"() => {PLOTTED}.data.some((trace) => trace.name === 'tai chi')", timeout=WAIT)


def test_on_the_map_one_goes_from_dot_to_dot_and_plays_one(page: Page) -> None:
    _to(page, "Map", "#map .js-plotly-plot")
    page.wait_for_function(f"() => {PLOTTED}.data.some((trace) => trace.customdata?.[0]?.[0] === 'run')", timeout=WAIT)
    _tab_to(page, "el => el.matches('#map .plot')")
    said = page.locator("#map .said")
    steps = []
    for key in ("ArrowRight", "ArrowRight", "ArrowLeft"):
        page.keyboard.press(key)
        steps.append(int(said.inner_text().rpartition("step ")[2]))
    assert steps[0] > steps[1] < steps[2] == steps[0], "the newest step first, then earlier ones"
    page.keyboard.press("Enter")
    expect(page.locator("#map-about")).to_contain_text(f"synthesized, step {steps[0]}.", timeout=WAIT)


def test_another_study_is_shown(page: Page) -> None:
    _to(page, "Studies", "#study-table table")
    before = page.locator("#study-table").inner_text()
    _tab_to(page, "el => el.getAttribute('aria-label') === 'Results'")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.locator("#study-table")).not_to_have_text(before, timeout=WAIT, use_inner_text=True)
    expect(page.locator("#study-table table")).to_be_visible()


def _top(page: Page) -> None:
    page.evaluate("() => { document.activeElement.blur(); scrollTo(0, 0); }")


def _to(page: Page, tab: str, there: str) -> None:
    """To another tab, until `there` is there."""
    _top(page)
    _tab_to(page, f"el => el.getAttribute('role') === 'tab' && el.textContent.trim() === '{tab}'")
    page.keyboard.press("Enter")
    page.locator(there).first.wait_for(timeout=3 * WAIT)


def _tab_to(page: Page, there: str, key: str = "Tab") -> None:
    """Presses Tab until the focus is on what `there` (a function of an element) says, and that can be seen."""
    for _ in range(150):
        page.keyboard.press(key)
        if page.evaluate(f"() => document.activeElement !== document.body && ({there})(document.activeElement)"):
            return
    raise AssertionError(f"Tab never comes to {there}")
