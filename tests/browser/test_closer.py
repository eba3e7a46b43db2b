"""The closer look in a browser: of whichever clip is on the stage, and filled once a run has ended."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.test_page import CAPTION, LONG, WAIT, _prepare, _start, _state

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = sync_api.expect
pytestmark = pytest.mark.timeout(600, method="thread")

Page = Any


def test_a_look_that_takes_seconds_gives_way_to_that_of_the_next_clip(page: Page) -> None:
    open_it = page.locator("#closer").get_by_role("button").first
    line, table = page.locator("#closer-line"), page.locator("#closer-table")
    page.locator("#demos .cards button[data-id*=mvit]").click()
    page.wait_for_function(f"() => {CAPTION}.startsWith('tai chi')", timeout=WAIT)
    page.get_by_label("Steps", exact=True).fill("3")
    _start(page)
    _state(page, "done")
    open_it.click()
    expect(line).to_contain_text("two dozen times", timeout=WAIT)
    page.locator("#demos .cards button[data-id*=x3d]").click()
    page.wait_for_function(f"() => {CAPTION}.startsWith('crawling baby')", timeout=WAIT)
    expect(line).not_to_contain_text("two dozen times", timeout=WAIT)  # the panel is closed
    open_it.click()
    expect(table).to_contain_text("the model names “crawling baby”", timeout=WAIT)


def test_opened_during_a_run_it_fills_when_that_has_ended(page: Page) -> None:
    _prepare(page, steps=LONG)
    _start(page)
    _state(page, "running")
    page.locator("#closer").get_by_role("button").first.click()
    expect(page.locator("#closer-line")).to_contain_text("once the run is finished", timeout=WAIT)
    page.get_by_role("button", name="Stop", exact=True).click()
    _state(page, "stopped")
    expect(page.locator("#closer-table")).to_contain_text("played backwards", timeout=WAIT)
