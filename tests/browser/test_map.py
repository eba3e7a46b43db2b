"""The map in a real browser: hover, press, search, and runs that travel on it, also while they are made."""

from __future__ import annotations

import csv
import re
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from leaps_core import banks, maps, video
from leaps_core.puppets import render_clip
from tests.browser.test_page import LONG, SECONDS, WAIT, _prepare, _start, _state, opened

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = sync_api.expect
pytestmark = pytest.mark.timeout(600, method="thread")
PLOT = "document.querySelector('#map .plot')"
WAYS = f"({PLOT}.data || []).filter((trace) => trace.customdata?.[0]?.[0] === 'run')"  # dots of runs
WAY = f"{WAYS}[0]"
CONTOURED = (
    f"({PLOT}.data || []).find((trace) => trace.type === 'histogram2dcontour')?.x.length * "
    "!!document.querySelector('#map .contourlayer path')"
)  # how many clips the drawn contours are of

Page = Any


@pytest.fixture
def folder(app_home: Path) -> Path:
    """Where the page finds banks; one of 480 puppets, 30 per class, is there."""
    folder = app_home / "leaps" / "banks"
    folder.mkdir(parents=True, exist_ok=True)
    banks.build(banks.plan_puppets(480), "tiny", folder / "tiny.parquet")
    return folder


def test_a_run_travels_among_real_clips(page: Page, folder: Path, tmp_path: Path) -> None:
    _prepare(page, steps=LONG)
    _start(page)
    page.get_by_role("tab", name="Map").click()

    # the map is fitted in a process of its own while the run goes on; then the run moves on it, live
    expect(page.locator("#map-state")).to_contain_text("Fitting the map", timeout=WAIT)
    expect(page.locator("#tray")).to_contain_text("Map of tiny", timeout=WAIT)
    step = "parseInt(document.querySelector('#status').textContent.match(/step (\\d+)/)?.[1] || 0)"
    page.wait_for_function(f"before => {step} > before", arg=page.evaluate(step), timeout=WAIT)
    _press(page, "Pause")  # both at once take longer than one after the other
    expect(page.locator("#map-state")).to_contain_text("480 of 480 real clips", timeout=3 * WAIT)
    _press(page, "Resume")
    expect(page.locator("#map-state")).to_contain_text("puppets, not Kinetics")
    page.wait_for_function(f"() => {PLOT} && {WAY} && {WAY}.x.length > 1", timeout=WAIT)
    before = page.evaluate(f"{WAY}.text.at(-1)")
    page.wait_for_function(f"before => {WAY}.text.at(-1) !== before", arg=before, timeout=WAIT)
    expect(page.locator("#map-numbers")).to_be_empty()
    _press(page, "Stop")
    _state(page, "stopped")
    # when it ends its figures come by themselves
    expect(page.locator("#map-numbers tbody tr")).to_have_count(1, timeout=WAIT)
    expect(page.locator("#map-numbers")).to_contain_text("distance to the centre")
    page.wait_for_function(f"() => {CONTOURED} === 30", timeout=WAIT)

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
    page.wait_for_function(
        f"() => {PLOT}.data.some((trace) => trace.name === 'others' && trace.x.length === 450) && "
        f"{PLOT}.data.some((trace) => trace.name === 'tai chi' && trace.x.length === 30)",
        timeout=WAIT,
    )
    page.get_by_label("as in the paper's figure S5").check()
    page.wait_for_function(
        f"() => {PLOT}.data.some((trace) => trace.name === 'tai chi' && trace.marker.color === '#4c78c8')", timeout=WAIT
    )

    # with no class highlighted, all are contoured
    box.click()
    page.get_by_role("option", name="all classes").click()
    page.wait_for_function(f"() => {CONTOURED} === 480", timeout=WAIT)

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
    kinds = Counter(row["kind"] for row in csv.DictReader((tmp_path / "map.csv").open(encoding="utf-8")))
    assert kinds["real"] == 480 and kinds["step"] > 1 and kinds["video"] == 1 and len(kinds) == 3
    expect(page.get_by_text("Put a larger bank into the folder")).to_be_visible()
    _check_pictures(page, tmp_path)
    page.locator("label").filter(has_text="3-D").click()
    page.locator("label").filter(has_text="PCA").click()
    page.wait_for_function(f"() => ({PLOT}.data || []).some((trace) => trace.type === 'scatter3d')", timeout=3 * WAIT)


@pytest.mark.slow
def test_two_runs_are_shown_against_each_other(page: Page, folder: Path) -> None:
    _prepare(page, steps=600)
    for seed in (0, 1):
        page.get_by_label("Seed", exact=True).fill(str(seed))
        _start(page)
        _state(page, "done")
    page.get_by_role("tab", name="Map").click()
    expect(page.locator("#map-state")).to_contain_text("480 of 480 real clips", timeout=3 * WAIT)
    rows = page.locator("#map-numbers table").first.locator("tbody tr")
    page.wait_for_function(f"() => {PLOT} && {WAYS}.length === 1 && {WAY}.name.endsWith('seed 1')", timeout=WAIT)
    expect(rows).to_have_count(1, timeout=WAIT)

    # the other one is chosen: two ways in two colours, figures of both and of the set, and both clips at a moment
    box = page.locator("#shown-runs input")
    box.click()
    page.get_by_role("option", name=re.compile("seed 0")).click()
    page.keyboard.press("Escape")
    page.wait_for_function(f"() => {WAYS}.length === 2 && {WAYS}[0].marker.color !== {WAYS}[1].marker.color", timeout=WAIT)
    expect(rows).to_have_count(2, timeout=WAIT)
    expect(rows.nth(1)).to_contain_text("seed 0")
    expect(page.locator("#map-numbers")).to_contain_text("LEAPS (2)")
    page.get_by_label(re.compile("range slider for Journey")).focus()
    page.keyboard.press("Home")
    expect(page.locator("#map-player figure")).to_have_count(2, timeout=WAIT)
    page.get_by_label("as in the paper's figure S5").check()
    page.wait_for_function(f"() => {WAYS}.length === 2 && {WAYS}.every((way) => way.marker.color === '#d62728')", timeout=WAIT)

    # and taken away again
    page.locator("#shown-runs .token-remove").first.click()
    page.wait_for_function(f"() => {WAYS}.length === 1 && {WAY}.name.endsWith('seed 1')", timeout=WAIT)
    expect(rows).to_have_count(1, timeout=WAIT)


@pytest.mark.slow
def test_a_large_bank_opens_within_seconds(page: Page, large: banks.Bank) -> None:
    page.get_by_role("tab", name="Map").click()
    expect(page.locator("#map-state")).to_contain_text("real clips", timeout=3 * WAIT)  # of another bank
    page.wait_for_function(f"() => {PLOT} && {PLOT}.data", timeout=WAIT)
    page.get_by_label("Bank of real clips").click()
    option = page.get_by_role("option", name=re.compile(f"{len(large):,} clips"))
    expect(option).to_be_visible(timeout=WAIT)
    begun = time.perf_counter()
    option.click()
    page.wait_for_function(f"() => {PLOT}.data.some((trace) => trace.x.length === {len(large)}) && {CONTOURED}", timeout=WAIT)
    took = time.perf_counter() - begun
    print(f"a bank of {len(large)} clips was drawn in {took:.2f} s")
    assert took < 6, "2.7 s on a quiet machine with two cores"


@pytest.fixture
def large(folder: Path) -> Iterator[banks.Bank]:
    """20,000 made-up vectors of 2,048 numbers with a stored map, and a small bank, which the page opens first."""
    rng, made = np.random.default_rng(0), []
    for name, count in (("a-small", 64), ("z-large", 20_000)):

        def make(numbers: range) -> tuple[dict[str, Any], banks.Skipped]:
            return {
                "label": [f"class {i % 100}" for i in numbers],
                "source": [f"{i}.mp4" for i in numbers],
                "embedding": rng.random((len(numbers), 2048), np.float32),
            }, []

        facts = {"model": name, "weights": "0" * 16, "world": "puppets", "layer": "made up", "puppets": False}
        made.append(banks.assemble(folder / f"{name}.parquet", facts, count, make))
        places = rng.normal(0, 1, (count, 2)).astype(np.float32)
        maps.store(maps.Map(maps.Recipe(), np.arange(count), places), made[-1])
    yield made[-1]
    for bank in made:
        for path in folder.glob(f"{bank.name}.*"):
            path.unlink()


def _check_pictures(page: Page, folder: Path) -> None:
    """The plot's own buttons save it as PNG and as SVG."""
    for title, name, begins in (("Download plot", "leaps-map.png", b"\x89PNG"), ("Save as SVG", "leaps-map.svg", b"<svg")):
        with page.expect_download(timeout=WAIT) as started:
            page.locator(f"#map .modebar-btn[data-title^='{title}']").click()
        assert started.value.suggested_filename == name
        started.value.save_as(folder / name)
        found = (folder / name).read_bytes()
        assert found.startswith(begins) and len(found) > 5_000


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


def _press(page: Page, name: str) -> None:
    """Press a button of the first tab while another one is shown."""
    button = page.get_by_role("button", name=name, exact=True, include_hidden=True)
    expect(button).to_be_enabled(timeout=WAIT)
    button.dispatch_event("click")


def test_without_webgl_the_map_is_drawn_as_svg_and_three_dimensions_are_explained(
    browser: Any, app_url: str, folder: Path
) -> None:
    lacking = (
        "const had = HTMLCanvasElement.prototype.getContext; HTMLCanvasElement.prototype.getContext = function (kind, ...rest) "
        "{ return kind.includes('webgl') ? null : had.call(this, kind, ...rest); };"
    )
    drawn = "() => document.querySelectorAll('#map .scatterlayer .point').length >= 480"
    with opened(browser, app_url, lacking) as page:
        page.get_by_role("tab", name="Map").click()
        expect(page.locator("#map-state")).to_contain_text("480 of 480 real clips", timeout=3 * WAIT)
        page.wait_for_function(drawn, timeout=WAIT)
        expect(page.locator("#map .flat")).to_be_hidden()
        page.locator("label").filter(has_text="3-D").click()
        expect(page.locator("#map .flat")).to_contain_text("needs WebGL", timeout=3 * WAIT)
        expect(page.locator("#map .plot")).to_be_hidden(timeout=3 * WAIT)
        page.locator("label").filter(has_text="2-D").click()
        page.wait_for_function(drawn, timeout=3 * WAIT)
