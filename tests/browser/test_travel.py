"""What goes from here to there: a video of one's own that becomes another action, and a link to another server."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from leaps_core import runs, video
from tests.browser.test_page import WAIT, _hush, _link, _prepare, _start, _state, opened
from tests.conftest import serve

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = sync_api.expect
pytestmark = pytest.mark.timeout(600, method="thread")

Page = Any


def test_a_video_of_ones_own_becomes_another_action_with_little_change(page: Page, app_home: Path, tmp_path: Path) -> None:
    red = np.zeros((16, 64, 64, 3), np.uint8)
    red[..., 0] = 200
    video.write_mp4(red, tmp_path / "mine.mp4")
    _prepare(page, steps=3)
    page.get_by_label("own video").check()
    page.locator("#controls input[type=file][accept*='.mp4']").set_input_files(tmp_path / "mine.mp4")
    expect(page.locator("#preview figure canvas")).to_have_attribute("width", re.compile(r"\d+"), timeout=WAIT)
    page.get_by_role("button", name="More settings").click()
    page.get_by_label("Begin at", exact=True).click()
    page.get_by_role("option", name="stimulus", exact=True).click()
    nearness = page.get_by_label("Nearness", exact=True).or_(page.get_by_label("number input for Nearness")).first
    nearness.fill("5")
    nearness.press("Tab")
    run = _made(page, app_home)
    assert run.config.begin_at == "stimulus" and run.config.nearness == 5
    assert run.clip[..., 0].mean() > 150 and run.clip[..., 1:].mean() < 60, "it began at that video, and stays near it"
    page.locator("#closer button").first.click()
    expect(page.locator("#closer-player")).to_contain_text("what changed since the start", timeout=WAIT)
    expect(page.locator("#closer-player figure")).to_have_count(5)


def test_a_link_gives_the_same_clip_on_another_server(
    page: Page, browser: Any, app_url: str, app_home: Path, tmp_path: Path
) -> None:
    _prepare(page, steps=12)
    number = page.get_by_label("number input for Smoothness")
    number.fill("2.5")
    number.press("Tab")
    mine = _made(page, app_home)
    link = _link(page, "smoothness=2.5")
    with serve(tmp_path) as (url, _), opened(browser, url + link.removeprefix(app_url), "0") as other:
        expect(other.get_by_role("button", name="Start", exact=True)).to_be_enabled(timeout=WAIT)
        expect(other.get_by_label("Steps", exact=True)).to_have_value("12", timeout=WAIT)
        theirs = _made(other, tmp_path)
    assert theirs.config == mine.config and theirs.owner != mine.owner
    assert np.array_equal(theirs.clip, mine.clip) and np.array_equal(theirs.tensor, mine.tensor), "bit for bit"


def test_a_link_to_a_run_primed_by_another_action_gives_that_clip_again(page: Page, app_url: str, app_home: Path) -> None:
    _hush(page)
    page.goto(f"{app_url}?model=tiny&action=bowling&steps=6&stimuli=%5B%22bundled:3/tai+chi%22%5D")
    expect(page.get_by_label("Steps", exact=True)).to_have_value("6", timeout=WAIT)
    first = _made(page, app_home)
    assert first.config.stimuli == ("bundled:3/tai chi",)
    page.wait_for_timeout(2000)  # the last news come after the state
    link = _link(page, f"run={first.id}")
    assert "tai+chi" in link
    _hush(page)
    page.goto(link)
    _state(page, "done")
    expect(page.get_by_label("Steps", exact=True)).to_have_value("6", timeout=WAIT)
    again = _made(page, app_home)
    assert again.config == first.config and np.array_equal(again.tensor, first.tensor)


def _made(page: Page, home: Path) -> runs.Run:
    """The run that Start makes, once it is done: an answer about an earlier one may come late and be put right by the next."""
    folder = home / "leaps" / "runs"
    before = set(folder.glob("*/run.json"))
    _start(page)
    for _ in range(WAIT // 100):
        made = [runs.Run.open(path.parent) for path in set(folder.glob("*/run.json")) - before]
        if made and made[0].status != "running":
            break
        page.wait_for_timeout(100)
    _state(page, "done")
    (run,) = made
    return run
