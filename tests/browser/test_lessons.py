"""Lessons in a real browser: every one is read and its check answered; one is done."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from app import controls, guide
from app.lessons import lessons, of_setting
from app.texts import sections
from tests.browser.test_page import OBSERVE, SIZES, WAIT, _at_rest, _hush, _nothing_jumped, _resize, _state
from tests.conftest import free_port, serve

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = sync_api.expect
pytestmark = pytest.mark.timeout(600, method="thread")

Page = Any


def test_each_lesson_is_read_and_its_check_answered(page: Page) -> None:
    page.locator("#lessons button").first.click()
    for number, lesson in enumerate(lessons().values(), 1):
        box = page.locator("#lesson input")
        box.click()
        page.get_by_role("option", name=f"{number}. {lesson.title}").click()
        first = re.sub(r"[*$\\{}_]", "", lesson.text.splitlines()[0])
        expect(page.locator("#lesson-text")).to_contain_text(first, timeout=WAIT)
        assert page.locator("#lesson-text .katex-error").count() == 0
        assert page.locator("#lesson-text .katex").count() >= bool("$" in lesson.text)
        expect(page.locator("button.doing:visible")).to_have_count(len(lesson.doings), timeout=WAIT)
        expect(page.locator("#lesson-told")).to_be_empty()
        for answer in lesson.answers:
            page.locator("#lesson-check label", has_text=answer.text).click()
            expect(page.locator("#lesson-told")).to_contain_text("Right." if answer.right else "Not quite.", timeout=WAIT)


def test_a_setting_leads_to_its_lesson(page: Page) -> None:
    for name in ("r", "priming_share", "model"):
        lesson = of_setting(name)
        assert lesson
        link = page.locator(f"a[href='#lesson-{lesson.key}']").first
        link.scroll_into_view_if_needed()
        link.focus()
        page.keyboard.press("Enter")
        expect(page.locator("#lesson input")).to_have_value(re.compile(f"^{lesson.number}\\. "), timeout=WAIT)
        expect(page.locator("#lesson-text")).to_be_visible(timeout=WAIT)
        first = re.sub(r"[*$\\{}_]", "", lesson.text.splitlines()[0])
        expect(page.locator("#lesson-text")).to_contain_text(first, timeout=WAIT)


def test_from_another_tab_a_setting_leads_to_its_lesson(page: Page) -> None:
    page.get_by_role("tab", name="Compare").click()
    lesson = of_setting("stimuli")
    assert lesson
    link = page.get_by_role("tabpanel").locator(f"a[href='#lesson-{lesson.key}']:visible").first
    link.click()
    expect(page.locator("#lesson input")).to_have_value(re.compile(f"^{lesson.number}\\. "), timeout=WAIT)
    expect(page.locator("#lesson-text")).to_be_in_viewport(timeout=WAIT)


def test_the_pages_address_may_name_a_lesson(page: Page, app_url: str) -> None:
    for hash_, wanted in (("03-priming", "3"), ("99-nothing", "1")):
        _hush(page)
        page.goto("about:blank")
        page.goto(f"{app_url}#lesson-{hash_}")
        expect(page.locator("#lesson-text")).to_be_in_viewport(timeout=WAIT)
        expect(page.locator("#lesson input")).to_have_value(re.compile(f"^{wanted}\\. "), timeout=WAIT)


def test_a_lesson_is_done(page: Page) -> None:
    page.locator("#lessons button").first.click()
    page.get_by_role("button", name="Show a finished clip").click()
    page.wait_for_function("() => document.querySelector('#player').innerText.includes('juggling balls')", timeout=WAIT)
    page.get_by_role("button", name="▶ Look closer").click()
    expect(page.locator("#closer-table")).to_contain_text("frozen", timeout=WAIT)
    page.locator("#lesson input").click()
    page.get_by_role("option", name="5. Coherence and motion").click()
    page.get_by_role("button", name="Start a bowler").click()
    _state(page, "running")
    page.get_by_role("button", name="Nearly a still").click()
    expect(page.get_by_label("number input for Motion speed")).to_have_value("0.1", timeout=WAIT)
    page.wait_for_function("() => document.querySelector('#plots').textContent.includes('Motion speed 0.1')", timeout=WAIT)
    page.get_by_role("button", name="Stop", exact=True).click()
    _state(page, "stopped")
    page.locator("#lesson input").click()
    page.get_by_role("option", name="6. Convolution").click()
    page.get_by_role("button", name="Both beside each other").click()
    expect(page.get_by_role("tab", name="Compare")).to_have_attribute("aria-selected", "true", timeout=WAIT)


@pytest.mark.parametrize("size", SIZES)
def test_the_guided_run_stops_says_what_to_look_at_and_moves_the_sliders(page: Page, size: str) -> None:
    _resize(page, size)
    _at_rest(page)
    page.evaluate(OBSERVE)
    page.locator("#guided").click()
    first, *stops = guide.stops()
    expect(page.locator("#guide")).to_contain_text(first.doing.title, timeout=WAIT)
    heights = [_height(page)]
    for stop in stops:
        _state(page, "paused")
        expect(page.locator("#guide")).to_contain_text(stop.doing.title, timeout=WAIT)
        assert f"step {stop.step} of" in page.locator("#status").inner_text()
        for name, value in stop.settings.items():
            slider = page.get_by_label(f"number input for {controls.label(name)}")
            expect(slider).to_have_value(f"{value:g}", timeout=WAIT)
        heights.append(_height(page))
        page.get_by_role("button", name="Resume", exact=True).click()
    _state(page, "done")
    _nothing_jumped(page)
    assert len(set(heights)) == 1, heights
    plots = page.locator("#plots").inner_text()
    assert all(f"{sections('settings')[name].title} {value:g}" in plots for name, value in stops[0].settings.items())
    page.locator("#demos .cards button").first.click()
    expect(page.locator("#guide")).to_be_hidden(timeout=WAIT)


def _height(page: Page) -> float:
    return float(page.locator("#guide").evaluate("box => box.offsetHeight"))


def test_the_page_speaks_german(browser: Any, tmp_path: Path) -> None:
    port = free_port()
    with serve(tmp_path, port, LEAPS_LANGUAGE="de") as (url, _):
        page = browser.new_page()
        page.set_default_timeout(WAIT)
        page.goto(url)
        expect(page.get_by_role("button", name="Start", exact=True)).to_be_enabled(timeout=WAIT)
        assert page.evaluate("document.documentElement.lang") == "de"
        expect(page.locator("#head")).to_contain_text("Woran erinnert sich")
        for tab in ("Synthese", "Vergleichen", "Läufe", "Karte", "Studien"):
            expect(page.get_by_role("tab", name=tab)).to_be_visible()
        expect(page.get_by_label("number input for Glätte")).to_be_visible()
        page.locator("#lessons button").first.click()
        expect(page.locator("#lesson-text")).to_contain_text("Weiß ein Netz")
        expect(page.locator("#status")).to_have_text(re.compile(r"(bereit|Demo).*(drücke Start|Schritte)"), timeout=WAIT)
        right = next(answer for answer in lessons()["01-what-a-model-sees"].answers if answer.right)
        page.locator("#lesson-check label").nth(lessons()["01-what-a-model-sees"].answers.index(right)).click()
        expect(page.locator("#lesson-told")).to_contain_text("Richtig.")
        page.locator("#guided").click()
        expect(page.locator("#guide")).to_contain_text("Rauschen")
        page.get_by_role("button", name="Stopp", exact=True).click()
        page.close()
