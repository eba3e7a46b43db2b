"""The tab that compares, in a real browser."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from leaps_core import video

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = sync_api.expect
pytestmark = pytest.mark.timeout(600, method="thread")
WAIT = 120_000  # ms; a shared machine may be slow

Page = Any


def test_a_setting_is_varied_and_the_figure_downloaded(page: Page, tmp_path: Path) -> None:
    page.get_by_role("tab", name="Compare").click()
    chosen = page.get_by_label("Models", exact=True)
    expect(page.get_by_label("Action", exact=True).locator("visible=true")).to_have_value("abseiling", timeout=WAIT)
    for _ in range(3):
        chosen.press("Backspace")  # what is chosen at first
    chosen.click()
    page.get_by_role("option", name=re.compile("^Tiny ·")).click()
    chosen.press("Escape")
    page.get_by_role("button", name="Compare", exact=True).click()
    expect(page.get_by_text("A comparison of 1 was asked for")).to_be_visible(timeout=WAIT)

    page.get_by_label("Vary", exact=True).click()
    page.get_by_role("option", name="smoothness", exact=True).click()
    page.get_by_label("Values, with commas between").fill("0, 1, 10")
    page.get_by_label("Steps", exact=True).locator("visible=true").fill("8")
    page.get_by_role("button", name="Compare", exact=True).click()
    expect(page.locator("#versus-line")).to_contain_text("3 of 3 runs have ended", timeout=WAIT)
    expect(page.locator("#versus figure")).to_have_count(4, timeout=WAIT)  # the stimulus and three clips
    expect(page.locator("#versus-table")).to_contain_text("smoothness 10", timeout=WAIT)
    expect(page.locator("#versus-table td", has_text="done")).to_have_count(3, timeout=WAIT)

    files = {}
    for name in ("Picture", "Film"):
        with page.expect_download(timeout=WAIT) as started:
            page.get_by_role("button", name=name, exact=True).click()
        files[name] = tmp_path / started.value.suggested_filename
        started.value.save_as(files[name])
    assert Image.open(files["Picture"]).width > 800 and video.read(files["Film"], 4, 64).frames.std() > 10
