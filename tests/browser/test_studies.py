"""The tab of studies, in a real browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import serve

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = sync_api.expect
pytestmark = pytest.mark.timeout(600, method="thread")
WAIT = 240_000  # ms; a shared machine may be slow

Page = Any


@pytest.fixture
def page(browser: Any, tmp_path: Path) -> Iterator[Page]:
    """A personal page."""
    with serve(tmp_path, personal=True) as (url, _):
        context = browser.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
        page, wrong = context.new_page(), []
        page.on("console", lambda message: message.type == "error" and wrong.append(message.text))
        page.goto(url)
        yield page
        found = list(wrong)
        context.close()
    assert not found, found


def test_a_study_is_begun_watched_stopped_and_still_there_later(page: Page) -> None:
    page.get_by_role("tab", name="Studies").click(timeout=WAIT)
    expect(page.get_by_text("Puppet 3D ResNet").locator("visible=true").first).to_be_visible(timeout=WAIT)
    actions = page.get_by_label("Actions", exact=True)
    actions.click()
    page.get_by_role("option", name="bowling", exact=True).click()
    actions.press("Escape")
    page.get_by_role("button", name="Start study").click()
    line = page.locator("#study-line")
    expect(line).to_contain_text(re.compile(r"[1-4] of 5 runs, about \d+ (s|min) left"), timeout=WAIT)
    expect(page.locator("#study-table tbody tr").first).to_contain_text("puppet_r50", timeout=WAIT)
    expect(page.locator("#study-pictures img")).to_have_count(1, timeout=WAIT)
    page.get_by_role("button", name="Stop", exact=True).locator("visible=true").click()
    expect(line).to_contain_text("Start goes on with it", timeout=WAIT)
    expect(page.get_by_role("button", name="Start study")).to_be_enabled(timeout=WAIT)
    page.reload()
    page.get_by_role("tab", name="Studies").click()
    expect(page.locator("#study-table tbody tr").first).to_contain_text("puppet_r50", timeout=WAIT)
    expect(page.locator("#study-line")).to_contain_text("of 5 runs", timeout=WAIT)
