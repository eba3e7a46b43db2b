"""What the page draws by itself: marks of sliders, names and ways on the map, the tray over all tabs, a clip in view."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from app import controls, previews
from leaps_core import banks
from tests.banks.helpers import FACTS
from tests.browser.test_page import CAPTION, LONG, SECONDS, WAIT, _prepare, _start, _state

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = sync_api.expect
pytestmark = pytest.mark.timeout(600, method="thread")
TRACES = "document.querySelector('#map .js-plotly-plot')?.data"
TOLD = """({x, y, mode, text, line, opacity, marker, customdata}) =>
  ({x, y, mode, text, line, opacity, marker, of: customdata?.[0]?.[0]})"""
MARKS = """label => {
  const range = document.querySelector(`#controls input[type=range][aria-label="range slider for ${label}"]`);
  const share = (range.value - range.min) / (range.max - range.min);
  const kind = (mark) => (mark.classList.contains('paper') ? 'paper' : 'recommended');
  const marks = [...range.parentElement.querySelectorAll('.mark.placed')];
  return {knob: range.offsetLeft + 8 + share * (range.offsetWidth - 16),
    marks: marks.map((mark) => [kind(mark), parseFloat(mark.style.left), mark.dataset.value])};
}"""

Page = Any


def test_a_slider_set_to_a_marked_value_stands_at_its_mark(page: Page) -> None:
    _prepare(page, steps=10)
    known = previews.value("tiny")["marks"]
    page.get_by_role("button", name="More settings").click()
    more = (controls.label(name) for name in ("coarse", "nearness", "jitter"))  # folded away at first
    for label in ("Coherence", "Smoothness", "Motion speed, ×", "Learning rate", *more):  # logarithmic ones and others
        found = page.evaluate(MARKS, label)
        kinds = {kind: (left, float(value)) for kind, left, value in found["marks"]}
        assert {kind: value for kind, (_, value) in kinds.items()} == pytest.approx(known[label]), label
        for left, value in kinds.values():
            number = page.get_by_label(f"number input for {label}", exact=True)
            number.fill(f"{value:g}")
            number.press("Tab")
            page.wait_for_timeout(SECONDS // 2)
            assert page.evaluate(MARKS, label)["knob"] == pytest.approx(left, abs=3), (label, value)


def test_what_is_chosen_is_seen_under_the_pointer(page: Page) -> None:
    chosen = page.locator("#controls input[type=radio]:checked").first
    colour = "radio => getComputedStyle(radio).backgroundColor"
    before = chosen.evaluate(colour)
    chosen.hover()
    assert chosen.evaluate(colour) == before


def _end_of_the_way(page: Page) -> tuple[int, int, int]:
    """The colour of the pixel at which the run's way ends."""
    page.locator("#map .plot").scroll_into_view_if_needed()
    page.wait_for_timeout(2 * SECONDS)
    x, y = page.evaluate("""() => {
      const plot = document.querySelector('#map .plot');
      const {x, y} = plot.data.find((trace) => trace.customdata?.[0]?.[0] === 'run');
      const {xaxis, yaxis} = plot._fullLayout, {left, top} = plot.getBoundingClientRect();
      return [left + xaxis._offset + xaxis.l2p(x.at(-1)), top + yaxis._offset + yaxis.l2p(y.at(-1))]; }""")
    seen = page.screenshot(clip={"x": x - 1, "y": y - 1, "width": 3, "height": 3})
    return Image.open(io.BytesIO(seen)).convert("RGB").getpixel((1, 1))


def test_islands_have_names_and_a_journey_is_faint_first_and_dashed_where_it_jumps(page: Page) -> None:
    page.locator("#demos .cards button[data-id*=csn]").click()
    page.wait_for_function(f"() => {CAPTION}.startsWith('juggling balls')", timeout=WAIT)
    page.get_by_role("tab", name="Map").click()
    page.wait_for_function(f"() => {TRACES}?.some((trace) => trace.customdata?.[0]?.[0] === 'run')", timeout=3 * WAIT)
    traces = page.evaluate(f"{TRACES}.map({TOLD})")
    names, start = (trace for trace in traces if trace["mode"] == "text")
    assert [name.strip() for name in start["text"]] == ["noise"]
    said = [re.sub(r"<[^>]+>|\s", " ", name).strip() for name in names["text"]]
    assert len(said) == 16 and {"juggling balls", "tai chi", "bowling"} <= set(said)
    assert any("<b>juggling balls</b>" in name for name in names["text"]), "the highlighted one"
    drawn = page.locator("#map .js-plotly-plot .textpoint").all_text_contents()
    assert "tai chi" in " ".join(drawn), "they are seen, not only sent"
    dots = next(trace for trace in traces if trace["of"] == "run")
    faint = dots["marker"]["opacity"]
    assert faint[0] < 0.2 < faint[len(faint) // 2] < faint[-1] == 1 and dots["marker"]["size"][0] < dots["marker"]["size"][-1]
    ways = [trace for trace in traces if trace["mode"] == "lines"]
    assert _end_of_the_way(page) == pytest.approx((225, 29, 72), abs=12), "it lies on top of the real clips"
    assert [way["line"].get("dash") for way in ways] == [None, None, "dash"] and ways[0]["opacity"] < ways[1]["opacity"]

    def lengths(way: dict[str, Any]) -> list[float]:
        points = list(zip(way["x"], way["y"], strict=True))
        return [((a[0] - b[0]) ** 2 + (a[1] - b[1]) ** 2) ** 0.5 for a, b in zip(points[::3], points[1::3], strict=True)]

    jumps, steps = lengths(ways[2]), lengths(ways[0]) + lengths(ways[1])
    assert len(jumps) + len(steps) == len(dots["x"]) - 1, "each way is drawn once"
    assert jumps and min(jumps) > max(steps), "a journey of this map jumps out of the noise"


NAMED = """() => [...document.querySelectorAll('#map .textpoint text')].map((text) => {
  const range = document.createRange(), walker = document.createTreeWalker(text, NodeFilter.SHOW_TEXT);
  let node = walker.nextNode();
  while (!node.data.trim()) node = walker.nextNode();  // lines and spaces keep it off its island
  range.setStart(node, node.data.length - node.data.trimStart().length);
  range.setEnd(node, node.data.trimEnd().length);
  const {left, top, right, bottom} = range.getBoundingClientRect();
  return [node.data.trim(), left, top, right, bottom];
})"""


def test_names_of_islands_are_whole_and_apart_on_a_phone(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    page.locator("#demos .cards button[data-id*=csn]").click()
    page.wait_for_function(f"() => {CAPTION}.startsWith('juggling balls')", timeout=WAIT)
    page.get_by_role("tab", name="Map").click()
    page.wait_for_function("() => document.querySelectorAll('#map .textpoint text').length === 17", timeout=3 * WAIT)
    page.wait_for_timeout(2 * SECONDS)
    named = [(name, np.array(box)) for name, *box in page.evaluate(NAMED) if name != "noise"]
    drawn = page.locator("#map .nsewdrag").bounding_box()
    assert len(named) == 16 and drawn
    for number, (name, box) in enumerate(named):
        assert drawn["x"] <= box[0] and box[2] <= drawn["x"] + drawn["width"], f"{name} is cut"
        for other, its in named[:number]:
            over = np.minimum(box[2:], its[2:]) - np.maximum(box[:2], its[:2])
            assert over.min() < 4, (name, other)  # px


RANGE = "JSON.stringify(document.querySelector('#map .plot').layout.xaxis.range)"


def test_the_wheel_scrolls_the_page_unless_it_is_the_maps(page: Page) -> None:
    page.set_viewport_size({"width": 1440, "height": 500})
    page.get_by_role("tab", name="Map").click()
    page.wait_for_function(f"() => {TRACES}?.length > 1", timeout=3 * WAIT)
    page.locator("#map .plot").scroll_into_view_if_needed()
    page.wait_for_timeout(2 * SECONDS)
    page.locator("#map .nsewdrag").hover()
    scrolled, seen = page.evaluate("scrollY"), page.evaluate(RANGE)
    page.mouse.wheel(0, 60)
    page.wait_for_function("before => scrollY > before", arg=scrolled, timeout=10 * SECONDS)
    assert page.evaluate(RANGE) == seen
    page.locator("#map .nsewdrag").hover()
    for take in (lambda: page.keyboard.down("Control"), lambda: page.mouse.click(700, 250)):
        take()
        scrolled, seen = page.evaluate("scrollY"), page.evaluate(RANGE)
        page.mouse.wheel(0, 60)
        page.wait_for_function(f"before => {RANGE} !== before", arg=seen, timeout=10 * SECONDS)
        assert page.evaluate("scrollY") == scrolled
        page.keyboard.up("Control")
        page.wait_for_timeout(SECONDS)


def test_a_finger_scrolls_the_page_over_the_map(browser: Any, app_url: str) -> None:
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True, reduced_motion="reduce"
    )
    page = context.new_page()
    page.set_default_timeout(WAIT)
    page.goto(app_url)
    page.get_by_role("tab", name="Map").click()
    page.wait_for_function(f"() => {TRACES}?.length > 1", timeout=3 * WAIT)
    page.locator("#map .plot").scroll_into_view_if_needed()
    page.wait_for_timeout(2 * SECONDS)
    box, scrolled, seen = page.locator("#map .plot").bounding_box(), page.evaluate("scrollY"), page.evaluate(RANGE)
    x, y, touch = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, context.new_cdp_session(page)
    for kind, moved in (("touchStart", 0), *(("touchMove", by) for by in range(10, 150, 10)), ("touchEnd", None)):
        points = [] if moved is None else [{"x": x, "y": y - moved}]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    page.wait_for_function("before => scrollY > before + 60", arg=scrolled, timeout=10 * SECONDS)
    assert page.evaluate(RANGE) == seen
    context.close()


def test_of_many_classes_the_largest_are_named(page: Page, tmp_path: Path) -> None:
    sizes = [2 + number // 10 for number in range(60)]  # the last 40 are the largest
    labels = [f"class {number:02}" for number, size in enumerate(sizes) for _ in range(size)]
    vectors = np.random.default_rng(0).random((len(labels), 8), np.float32)
    told = {"label": labels, "source": [f"{i}.mp4" for i in range(len(labels))], "embedding": vectors}
    banks.assemble(
        tmp_path / "many.parquet",
        FACTS,
        len(labels),
        lambda at: ({name: values[at.start : at.stop] for name, values in told.items()}, []),
    )
    page.get_by_role("tab", name="Map").click()
    page.wait_for_function(f"() => {TRACES}?.length > 1", timeout=3 * WAIT)
    page.get_by_label("PCA", exact=True).check()
    expect(page.locator("#map-state")).not_to_contain_text("Fitting", timeout=3 * WAIT)
    page.locator("input[type=file][accept*=parquet]").set_input_files(tmp_path / "many.parquet")
    expect(page.locator("#map-state")).to_contain_text("60 classes", timeout=3 * WAIT)
    named = f"{TRACES}.find((trace) => trace.mode === 'text')?.text.map((name) => name.match(/class \\d+/)?.[0]).sort()"
    page.wait_for_function(f"() => {named}?.length === 40", timeout=WAIT)
    assert page.evaluate(named) == [f"class {number}" for number in range(20, 60)]


def test_the_tray_stays_over_all_tabs_while_models_are_compared(page: Page) -> None:
    page.get_by_role("tab", name="Compare").click()
    page.locator("#versus canvas").first.wait_for(timeout=WAIT)
    tray = page.locator("#tray aside")
    expect(tray).to_be_hidden()
    page.locator("#versus-bar").get_by_role("button", name="Compare").click()
    for tab in ("Runs", "Map", "Studies", "Synthesis", "Compare"):
        page.get_by_role("tab", name=tab).click()
        expect(tray).to_be_visible(timeout=WAIT)
        expect(tray).to_contain_text("Comparison")
        box = tray.bounding_box()
        assert box and box["x"] + box["width"] <= 1440 and box["y"] + box["height"] <= 900
    expect(tray).to_contain_text(re.compile(r"\d+ % · about \d+ (s|min) left"), timeout=WAIT)
    page.get_by_role("button", name="Stop all").click()
    expect(tray).to_be_hidden(timeout=WAIT)


def test_on_a_phone_the_clip_stays_in_view_while_a_slider_is_moved(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    _prepare(page, steps=LONG)
    _start(page)
    for name in ("Regularizers (r)", "Coherence", "Smoothness", "Motion speed, ×"):
        slider = page.get_by_label(f"range slider for {name}", exact=True)
        slider.focus()
        page.keyboard.press("ArrowRight")
        page.wait_for_timeout(SECONDS // 2)
        clip, knob = page.locator("#player canvas").last.bounding_box(), slider.bounding_box()
        figure = page.locator("#player figure canvas").last.bounding_box()
        assert 0 <= figure["y"] and figure["y"] + figure["height"] <= 844 and figure["width"] > 60, name
        assert clip and knob and figure["y"] + figure["height"] <= knob["y"] <= 844 - 10, f"{name} is not below the clip"
        assert (
            page.evaluate(
                "([x, y]) => document.elementFromPoint(x, y)?.tagName",
                [figure["x"] + figure["width"] / 2, figure["y"] + figure["height"] / 2],
            )
            == "CANVAS"
        ), "nothing lies over it"
    page.get_by_role("button", name="Stop", exact=True).click()
    _state(page, "stopped")


def test_the_player_is_scrubbed_by_arrows_and_goes_round(page: Page) -> None:
    player, count = page.locator("#player .player"), page.locator("#player .count")
    player.focus()
    if page.locator("#player .play").get_attribute("aria-label") == "Pause the clip":
        page.keyboard.press("Space")
    at, frames = map(int, count.inner_text().split(" / "))
    page.keyboard.press("ArrowRight")
    expect(count).to_have_text(f"{at % frames + 1} / {frames}")
    picture = "() => document.querySelector('#player figure:last-child canvas').toDataURL()"
    before = page.evaluate(picture)
    page.keyboard.press("ArrowRight")
    assert page.evaluate(picture) != before
    for _ in range(2):
        page.keyboard.press("ArrowLeft")
    expect(count).to_have_text(f"{at} / {frames}")
    for _ in range(at):
        page.keyboard.press("ArrowLeft")
    expect(count).to_have_text(f"{frames} / {frames}")


@pytest.mark.parametrize(("tab", "number"), [("Compare", 6), ("Runs", 9), ("Map", 8), ("Studies", 11)])
def test_each_tab_leads_to_its_lesson(page: Page, tab: str, number: int) -> None:
    page.get_by_role("tab", name=tab).click()
    page.get_by_role("tabpanel").get_by_role("link", name=re.compile(f"^Lesson {number}$", re.IGNORECASE)).click()
    expect(page.locator("#lesson input")).to_have_value(re.compile(f"^{number}\\. "), timeout=WAIT)
    expect(page.locator("#lesson-text")).to_be_in_viewport(timeout=WAIT)


def test_the_demos_cards_rest_after_a_while_and_move_for_whoever_points_at_them(browser: Any, app_url: str) -> None:
    page = browser.new_page()  # with motion
    page.goto(app_url)
    cards = page.locator("#demos .cards")
    cards.locator("button").first.wait_for(timeout=WAIT)
    picture = "() => document.querySelector('#demos .cards button:nth-child(3) canvas').toDataURL()"
    page.wait_for_timeout(12 * SECONDS)
    still = page.evaluate(picture)
    page.wait_for_timeout(SECONDS)
    assert page.evaluate(picture) == still
    cards.hover()
    page.wait_for_function(f"still => ({picture})() !== still", arg=still, timeout=10 * SECONDS)
    page.close()
