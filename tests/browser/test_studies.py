"""The tab of studies, in a real browser."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.test_access import serious
from tests.browser.test_page import _hush
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


def test_a_study_is_begun_goes_on_when_the_page_is_closed_and_is_stopped_later(page: Page, tmp_path: Path) -> None:
    page.get_by_role("tab", name="Studies").click(timeout=WAIT)
    expect(page.get_by_text("Puppet 3D ResNet").locator("visible=true").first).to_be_visible(timeout=WAIT)
    actions = page.get_by_label("Actions", exact=True)
    for name in ("bowling", "tai chi", "side kick"):
        actions.click()
        page.get_by_role("option", name=name, exact=True).click()
    actions.press("Escape")
    page.get_by_label("Settings of all runs").fill("steps=30")
    page.get_by_role("button", name="Start study").click()
    page.locator("#tray aside:not([hidden])").wait_for(timeout=WAIT)
    assert not (found := serious(page)), found
    line = page.locator("#study-line")
    expect(line).to_contain_text(re.compile(r"(4|8|12) of 15 runs, about \d+ (s|min) left"), timeout=WAIT)
    expect(page.locator("#study-table tbody tr").first).to_contain_text("puppet_r50", timeout=WAIT)
    expect(page.locator("#study-pictures img")).to_have_count(1, timeout=WAIT)
    url, (rows,) = page.url, (tmp_path / "leaps" / "studies").glob("*/rows")
    finished = len(list(rows.iterdir()))
    _hush(page)
    page.goto("about:blank")
    deadline = time.monotonic() + WAIT / 1000
    while len(list(rows.iterdir())) == finished:
        assert time.monotonic() < deadline, "it did not go on when the page was closed"
        time.sleep(0.1)
    page.goto(url)
    page.get_by_role("tab", name="Studies").click()
    page.get_by_role("button", name="Stop", exact=True).locator("visible=true").click(timeout=WAIT)
    expect(line).to_contain_text("Start goes on with it", timeout=WAIT)
    expect(page.get_by_role("button", name="Start study")).to_be_enabled(timeout=WAIT)
    page.reload()
    page.get_by_role("tab", name="Studies").click()
    expect(page.locator("#study-table tbody tr").first).to_contain_text("puppet_r50", timeout=WAIT)
    expect(line).to_contain_text(re.compile(r"(8|12) of 15 runs"), timeout=WAIT)
