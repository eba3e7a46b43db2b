"""The tab that compares, in a real browser."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from leaps_core import runs, video
from tests.browser.test_page import OBSERVE, SIZES, _nothing_jumped, _resize

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = sync_api.expect
pytestmark = pytest.mark.timeout(600, method="thread")
WAIT = 120_000  # ms; a shared machine may be slow

Page = Any


def choose_tiny(page: Page) -> None:
    """The tab, with one small model chosen."""
    page.get_by_role("tab", name="Compare").click()
    chosen = page.get_by_label("Models", exact=True)
    expect(page.get_by_label("Action", exact=True).locator("visible=true")).to_have_value("juggling balls", timeout=WAIT)
    for _ in range(3):
        chosen.press("Backspace")  # what is chosen at first
    chosen.click()
    page.get_by_role("option", name=re.compile("^Tiny ·")).click()
    chosen.press("Escape")


def vary_smoothness(page: Page, values: str, steps: int) -> None:
    """Several runs of few steps."""
    page.get_by_label("Vary", exact=True).click()
    page.get_by_role("option", name="Smoothness", exact=True).click()
    page.get_by_label("Values, with commas between").fill(values)
    page.get_by_role("spinbutton", name="Steps", exact=True).locator("visible=true").fill(str(steps))


def test_it_opens_with_clips_that_play_on_a_phone_too(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.get_by_role("tab", name="Compare").click()
    page.locator("#versus canvas").first.wait_for(timeout=WAIT)
    clips, box = page.locator("#versus canvas").all(), page.locator("#versus .tracks").bounding_box()
    tops = {clip.bounding_box()["y"] for clip in clips if clip.is_visible()}
    assert len(tops) == 1 and box and box["y"] + box["height"] < 844, "all in one row, in sight"
    assert all(clip.bounding_box()["width"] > 150 for clip in clips if clip.is_visible())
    cut = page.evaluate(
        "[...document.querySelectorAll('#versus figcaption span')].filter(one => one.scrollWidth > one.clientWidth)"
    )
    assert not cut, "captions are whole"


def test_an_own_video_primes_all_runs(page: Page, app_home: Path, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.mp4", tmp_path / "bad.mp4"
    clip = np.zeros((24, 64, 64, 3), np.uint8)
    clip[..., 0] = 255  # red, as no bundled clip is
    video.write_mp4(clip, good)
    bad.write_bytes(b"This is no video.")
    choose_tiny(page)
    vary_smoothness(page, "0, 1", 4)
    page.get_by_label("own video").locator("visible=true").check()
    expect(page.get_by_label("Which bundled clip").locator("visible=true")).to_have_count(0, timeout=WAIT)
    page.get_by_role("button", name="Compare", exact=True).click()
    expect(page.get_by_text("No video has been chosen yet")).to_be_visible(timeout=WAIT)
    picked = page.locator("#versus-video input[type=file]")
    picked.set_input_files(bad)
    expect(page.get_by_text("can't be read as MP4")).to_be_visible(timeout=WAIT)
    page.locator("#versus-video").get_by_label("Remove this file").or_(
        page.locator("#versus-video").get_by_label("Clear")
    ).first.click()
    picked.set_input_files(good)
    expect(page.locator("#versus-video")).to_contain_text("good", timeout=WAIT)
    before = set((app_home / "leaps" / "runs").glob("*"))
    page.get_by_role("button", name="Compare", exact=True).click()
    expect(page.locator("#versus-line")).to_contain_text("2 of 2 runs have ended", timeout=WAIT)
    expect(page.locator("#versus figure")).to_have_count(3, timeout=WAIT)  # the stimulus and two clips
    made = set((app_home / "leaps" / "runs").glob("*")) - before
    assert len(made) == 2
    for folder in made:
        stimulus = runs.Run.open(folder).stimulus
        assert stimulus[..., 0].mean() > 200 and stimulus[..., 1:].mean() < 60, "that video, not a bundled clip"


def test_a_reload_finds_the_comparison_that_goes_on(page: Page) -> None:
    choose_tiny(page)
    vary_smoothness(page, "0, 1, 2", 900)
    page.get_by_role("button", name="Compare", exact=True).click()
    expect(page.locator("#versus-table td", has_text="running")).to_have_count(1, timeout=WAIT)
    expect(page.locator("#versus-table td", has_text="waits").first).to_be_visible()
    page.evaluate("console.error = () => {}; addEventListener('unhandledrejection', (event) => event.preventDefault())")
    page.reload()
    page.get_by_role("tab", name="Compare").click()
    expect(page.locator("#versus-line")).to_contain_text("3 of 3 runs have ended", timeout=WAIT)
    expect(page.locator("#versus-table td", has_text="done")).to_have_count(3, timeout=WAIT)


@pytest.mark.parametrize("size", SIZES)
def test_nothing_jumps_while_a_comparison_goes_on(page: Page, size: str) -> None:
    _resize(page, size)
    choose_tiny(page)
    vary_smoothness(page, "0, 1", 20)
    page.evaluate(OBSERVE)
    page.get_by_role("button", name="Compare", exact=True).click()
    expect(page.locator("#versus-line")).to_contain_text("2 of 2 runs have ended", timeout=WAIT)
    _nothing_jumped(page)


def test_a_setting_is_varied_and_the_figure_downloaded(page: Page, tmp_path: Path) -> None:
    choose_tiny(page)
    vary_smoothness(page, "0, 1, 2, 3, 4, 5, 6, 7, 8", 8)
    page.get_by_role("button", name="Compare", exact=True).click()
    expect(page.get_by_text("A comparison of 9 was asked for")).to_be_visible(timeout=WAIT)

    vary_smoothness(page, "0, 1, 10", 8)
    page.get_by_role("button", name="Compare", exact=True).click()
    expect(page.locator("#versus-line")).to_contain_text("3 of 3 runs have ended", timeout=WAIT)
    expect(page.locator("#versus figure")).to_have_count(4, timeout=WAIT)  # the stimulus and three clips
    expect(page.locator("#versus-table")).to_contain_text("Smoothness 10", timeout=WAIT)
    expect(page.locator("#versus-table td", has_text="done")).to_have_count(3, timeout=WAIT)

    files = {}
    for name in ("Picture", "Film"):
        with page.expect_download(timeout=WAIT) as started:
            page.get_by_role("button", name=name, exact=True).click()
        files[name] = tmp_path / started.value.suggested_filename
        started.value.save_as(files[name])
    assert Image.open(files["Picture"]).width > 800 and video.read(files["Film"], 4, 64).frames.std() > 10
