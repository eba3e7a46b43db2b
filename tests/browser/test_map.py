"""The map in a real browser: hover, press, search, and a run that travels on it while it is made."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from leaps_core import embed, video
from leaps_core.puppets import render_clip
from tests import tiny
from tests.browser.test_page import SECONDS, WAIT, _prepare, _start, _state

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = sync_api.expect
pytestmark = pytest.mark.timeout(600, method="thread")
PLOT = "document.querySelector('#map .plot')"
WAY = f"({PLOT}.data || []).find((trace) => trace.mode === 'lines+markers')"

Page = Any


def test_a_run_travels_among_real_clips(page: Page, app_home: Path, tmp_path: Path) -> None:
    tiny.register()
    folder = app_home / "leaps" / "banks"
    folder.mkdir(parents=True, exist_ok=True)
    embed.build(embed.plan_puppets(160), "tiny", folder / "tiny.parquet")
    _prepare(page, steps=20_000)
    _start(page)
    page.get_by_role("tab", name="Map").click()

    # the map is fitted in a process of its own while the run goes on; then the run moves on it, live
    expect(page.locator("#map-state")).to_contain_text("160 of 160 real clips", timeout=3 * WAIT)
    expect(page.locator("#map-state")).to_contain_text("puppets, not Kinetics")
    page.wait_for_function(f"() => {PLOT} && {WAY} && {WAY}.x.length > 1", timeout=WAIT)
    before = page.evaluate(f"{WAY}.text.at(-1)")
    page.wait_for_function(f"before => {WAY}.text.at(-1) !== before", arg=before, timeout=WAIT)
    page.get_by_role("tab", name="Synthesis").click()
    page.get_by_role("button", name="Stop", exact=True).click()
    _state(page, "stopped")
    page.get_by_role("tab", name="Map").click()

    # hover shows the poster, a press plays the clip and names its neighbours
    page.wait_for_function(f"() => {PLOT}.offsetWidth && {WAY}", timeout=WAIT)
    page.wait_for_timeout(2 * SECONDS)
    x, y = _pixel(page)
    page.mouse.move(x - 30, y - 30)
    page.mouse.move(x, y, steps=4)
    expect(page.locator("#map .card img")).to_have_attribute("src", re.compile("^data:image/webp"), timeout=WAIT)
    page.mouse.click(x, y)
    expect(page.locator("#map-about")).to_contain_text("Nearest real clips", timeout=WAIT)
    expect(page.locator("#map-player figure")).to_have_count(1, timeout=WAIT)

    # search by label: that class stays, the others fade
    box = page.get_by_label("Highlight a class")
    box.click()
    box.fill("tai")
    page.get_by_role("option", name="tai chi").click()
    page.wait_for_function(f"() => {PLOT}.data.some((trace) => trace.name === 'others' && trace.x.length === 150) && "
                           f"{PLOT}.data.some((trace) => trace.name === 'tai chi' && trace.x.length === 10)", timeout=WAIT)
    page.get_by_label("as in the paper's figure S5").check()
    page.wait_for_function(f"() => {PLOT}.data.some((trace) => trace.name === 'tai chi' && trace.marker.color === '#4c78c8')",
                           timeout=WAIT)

    # the timeline moves the clip and its place together
    journey = page.get_by_label(re.compile("range slider for Journey"))
    journey.focus()
    page.keyboard.press("Home")
    expect(page.locator("#map-player figcaption")).to_contain_text("step 1", timeout=WAIT)
    page.wait_for_function(f"() => {WAY}.marker.size[0] === 15", timeout=WAIT)

    # a video of one's own has its place, too; one that can't be read is told
    video.write_mp4(render_clip("bowling", 7), tmp_path / "mine.mp4")
    (tmp_path / "bad.mp4").write_bytes(b"no video")
    page.locator("#map-videos input[type=file]").set_input_files([tmp_path / "mine.mp4", tmp_path / "bad.mp4"])
    page.wait_for_function(f"() => {PLOT}.data.some((trace) => trace.name === 'mine' && trace.x.length === 1)", timeout=WAIT)
    expect(page.get_by_text("can't be read as MP4")).to_be_visible(timeout=WAIT)

    page.get_by_role("button", name="Make CSV", exact=True).click()
    save = page.get_by_role("button", name="Save CSV", exact=True)
    expect(save).to_be_enabled(timeout=WAIT)
    with page.expect_download(timeout=WAIT) as started:
        save.click()
    started.value.save_as(tmp_path / "map.csv")
    assert len((tmp_path / "map.csv").read_text("utf-8").splitlines()) == 161
    page.locator("label").filter(has_text="3-D").click()
    page.locator("label").filter(has_text="PCA").click()
    page.wait_for_function(f"() => ({PLOT}.data || []).some((trace) => trace.type === 'scatter3d')", timeout=3 * WAIT)


def _pixel(page: Page) -> tuple[float, float]:
    """Where on the screen a real clip's dot is that no other dot and no way covers."""
    found = page.evaluate("""() => {
      const plot = document.querySelector('#map .plot'), full = plot._fullLayout, box = plot.getBoundingClientRect();
      const dots = plot.data.flatMap((trace) => Array.from(trace.x, (x, i) => [
        box.left + full._size.l + full.xaxis.d2p(x), box.top + full._size.t + full.yaxis.d2p(trace.y[i]), trace.mode]));
      const apart = ([x, y], me) => Math.min(...dots.map((dot, i) => i === me ? 1e9 : Math.hypot(dot[0] - x, dot[1] - y)));
      return dots.map((dot, i) => [apart(dot, i), ...dot]).filter((dot) => dot[3] === 'markers').sort((a, b) => b[0] - a[0])[0];
    }""")
    return float(found[1]), float(found[2])
