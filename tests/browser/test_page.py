"""The page in a real browser: what a person does, from Start to the comparison of two runs."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gradio_client import Client

from leaps_core import runs, video
from tests.browser.serve import LET_GO
from tests.browser.test_api import ANSWER, ask, wait
from tests.conftest import free_port, serve

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = sync_api.expect
# After a timeout by signal playwright's event loop is dead, and closing the page would wait for ever.
pytestmark = pytest.mark.timeout(600, method="thread")
SECONDS = 1000  # ms
WAIT = 120 * SECONDS  # a shared machine may be slow
LONG = 20_000
"""Steps of a run that is still going on however slowly it is looked at, and that the test then stops."""
STRIP = "document.querySelector('#player .strip canvas')"
STATUS = "document.querySelector('#status').innerText"
CAPTION = "document.querySelector('#player figure:last-child figcaption')?.innerText"
SIZES = {"desktop": (1440, 900), "phone": (390, 844)}
MOST_SHIFT = 0.05
"""Of the cumulative layout shift, while a run goes on."""
OBSERVE = """() => { window.shifts = [];
  const named = (source) => source.node?.id || source.node?.className || "";
  new PerformanceObserver((list) => list.getEntries().forEach((entry) =>
    entry.hadRecentInput || window.shifts.push([entry.value, ...entry.sources.map(named)])
  )).observe({type: "layout-shift"}); }"""

Page = Any


def test_run_from_start_to_end(page: Page, tmp_path: Path) -> None:
    """Start, watch, steer, pause, resume, scrub, stop, download, reload."""
    _prepare(page, steps=LONG)
    before = _picture(page)
    _start(page)
    page.wait_for_function(f"before => {STRIP}.toDataURL() !== before", arg=before, timeout=WAIT)

    page.get_by_label("range slider for Smoothness").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("() => document.querySelector('#plots').textContent.includes('smoothness')", timeout=WAIT)

    page.get_by_role("button", name="Pause", exact=True).click()
    _state(page, "paused")
    page.wait_for_timeout(3 * SECONDS)  # the step that was going on, and the poll that tells of it
    step = _step(page)
    page.wait_for_timeout(3 * SECONDS)
    assert _step(page) == step > 0
    page.get_by_role("button", name="Resume", exact=True).click()
    page.wait_for_function(f"() => parseInt({STATUS}.match(/step (\\d+)/)[1]) > {step}", timeout=WAIT)

    page.get_by_role("button", name="Stop", exact=True).click()
    _state(page, "stopped")
    expect(page.get_by_role("button", name="Start", exact=True)).to_be_enabled(timeout=WAIT)
    expect(page.get_by_role("button", name="mp4", exact=True)).to_be_enabled(timeout=WAIT)  # comes with the last picture

    last, caption = _picture(page), _caption(page)
    timeline = page.get_by_label(re.compile("range slider for Timeline"))
    timeline.focus()
    page.keyboard.press("Home")
    page.wait_for_function(f"last => {CAPTION} !== last", arg=caption, timeout=WAIT)
    assert "step 1 " in _caption(page) + " "
    page.wait_for_function(f"last => {STRIP}.toDataURL() !== last", arg=last, timeout=WAIT)

    _check_downloads(page, tmp_path)

    _reload(page)
    page.wait_for_function(f"last => {CAPTION} === last", arg=caption, timeout=WAIT)


def test_reload_finds_the_run_that_is_going_on(page: Page) -> None:
    _prepare(page, steps=LONG)
    _start(page)
    page.wait_for_function(f"() => /step \\d/.test({STATUS})", timeout=WAIT)
    _reload(page)
    _state(page, "running")
    page.get_by_role("button", name="Stop", exact=True).click()
    _state(page, "stopped")


def test_runs_are_compared_saved_opened_and_deleted(page: Page, tmp_path: Path) -> None:
    _prepare(page, steps=600)
    for seed in (0, 1):
        page.get_by_label("Seed", exact=True).fill(str(seed))
        _start(page)
        _state(page, "done")
    page.get_by_role("tab", name="Runs").click()
    own = page.locator("#gallery .cards button:not([aria-label$='demo'])")
    expect(own).to_have_count(2, timeout=WAIT)
    end = time.monotonic() + WAIT / SECONDS  # the page may still have shown the first run's end
    while page.locator("#gallery .cards button[aria-label*='done · 600 steps']").count() < 2 and time.monotonic() < end:
        page.get_by_role("button", name="Refresh", exact=True).click()
        page.wait_for_timeout(SECONDS)
    own.nth(0).click()
    own.nth(1).click()
    expect(page.locator("#table")).to_contain_text("Seed", timeout=WAIT)
    expect(page.locator("#pair figure")).to_have_count(2, timeout=WAIT)

    own.nth(1).click()
    _note(page, own)
    _save_as_one_file(page, tmp_path)
    page.get_by_role("button", name="Open", exact=True).click()
    expect(page.get_by_role("tab", name="Synthesis")).to_have_attribute("aria-selected", "true", timeout=WAIT)
    page.get_by_role("tab", name="Runs").click()
    expect(own.nth(0)).to_have_attribute("aria-pressed", "true", timeout=WAIT)  # what was chosen stays so
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(own).to_have_count(1, timeout=WAIT)


def _note(page: Page, own: Any) -> None:
    """A note is pasted about the chosen run, the first of two, and stays with it when the other is looked at."""
    note, refresh = page.get_by_label("Note", exact=True), page.get_by_role("button", name="Refresh", exact=True)
    expect(page.locator("#table")).to_be_hidden(timeout=WAIT)
    note.fill("an arm like a trunk")
    page.wait_for_timeout(SECONDS)
    refresh.click()
    expect(own.nth(0)).to_contain_text("an arm like a trunk", timeout=WAIT)
    own.nth(1).click()
    own.nth(0).click()  # the other one alone
    expect(note).to_have_value("", timeout=WAIT)
    own.nth(1).click()
    own.nth(0).click()
    expect(note).to_have_value("an arm like a trunk", timeout=WAIT)
    page.wait_for_timeout(SECONDS)
    refresh.click()
    page.wait_for_timeout(SECONDS)
    expect(own.nth(0)).to_contain_text("an arm like a trunk")
    expect(own.nth(1)).not_to_contain_text("trunk")


def _save_as_one_file(page: Page, folder: Path) -> None:
    """The chosen run as a page of its own, which opens offline, plays, and has a timeline."""
    page.get_by_label("Save it as").click()
    page.get_by_role("option", name=re.compile("HTML")).click()
    save = page.get_by_role("button", name="Save", exact=True)
    expect(save).to_be_enabled(timeout=WAIT)
    with page.expect_download(timeout=WAIT) as started:
        save.click()
    started.value.save_as(folder / "run.html")
    context = page.context.browser.new_context(offline=True)
    alone, wrong = context.new_page(), []
    alone.on("pageerror", lambda error: wrong.append(str(error)))
    alone.on("console", lambda message: message.type == "error" and wrong.append(message.text))
    alone.goto((folder / "run.html").as_uri())
    expect(alone.locator(".js-plotly-plot")).to_have_count(2)
    caption = alone.locator("figcaption").last
    expect(caption).to_contain_text("model")
    alone.locator("#timeline").focus()
    alone.keyboard.press("Home")
    expect(caption).to_contain_text("step 1")
    context.close()
    assert not wrong, wrong


def test_two_visitors_have_runs_of_their_own(page: Page, app_url: str) -> None:
    """Each sees the demos and the own run only; the second waits for a free slot, and stopping one leaves the other going."""
    other = page.context.browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    other.goto(app_url)
    expect(other.get_by_role("button", name="Start", exact=True)).to_be_enabled(timeout=WAIT)
    for visitor in (page, other):
        _prepare(visitor, steps=LONG)
        _start(visitor)
        expect(visitor.locator("#status b")).to_have_text(re.compile("running|queued"), timeout=WAIT)
    mine = _own_runs(page)
    assert len(mine) == 1 and not mine & _own_runs(other)
    page.get_by_role("button", name="Stop", exact=True).click()
    _state(page, "stopped")
    other.wait_for_function(f"() => /step \\d/.test({STATUS})", timeout=WAIT)
    assert len(_own_runs(other)) == 1 and not mine & _own_runs(other)
    other.get_by_role("button", name="Stop", exact=True).click()
    _state(other, "stopped")
    other.context.close()


def test_uploaded_video_is_shown_and_a_bad_one_refused(page: Page, tmp_path: Path) -> None:
    expect(page.locator("#preview figure canvas")).to_be_visible(timeout=WAIT)
    good, bad = tmp_path / "good.mp4", tmp_path / "bad.mp4"
    video.write_mp4(np.random.default_rng(0).integers(0, 255, (24, 64, 64, 3), np.uint8), good)
    bad.write_bytes(b"This is no video.")
    page.get_by_label("own video").check()
    picked = page.locator("#controls input[type=file][accept*='.mp4']")
    picked.set_input_files(bad)
    expect(page.get_by_text("can't be read as MP4")).to_be_visible(timeout=WAIT)
    page.get_by_label("Remove this file").or_(page.get_by_label("Clear")).first.click()
    picked.set_input_files(good)
    expect(page.locator("#preview figure canvas")).to_have_attribute("width", re.compile(r"\d+"), timeout=WAIT)
    page.get_by_role("button", name="Quick look").click()
    expect(page.get_by_text("The settings for a quick look are filled in")).to_be_visible(timeout=WAIT)
    page.get_by_label("Model", exact=True).click()
    page.get_by_role("option", name=re.compile("^Far away ·")).click()
    expect(page.locator("#facts")).to_contain_text("not on this machine", timeout=WAIT)
    expect(page.locator("#stimulus-video")).to_contain_text("good")  # it stays
    expect(page.locator("#preview figure canvas")).to_be_visible()


def test_weights_are_downloaded_with_one_click(page: Page, app_home: Path) -> None:
    page.get_by_label("Model", exact=True).click()
    page.get_by_role("option", name=re.compile("^Far away ·.*to download")).click()
    expect(page.locator("#facts")).to_contain_text("not on this machine", timeout=WAIT)
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.get_by_text("The weights of “tiny_far” are not on this machine")).to_be_visible(timeout=WAIT)
    fetch = page.get_by_role("button", name="Download weights (12 MB, CC-BY-NC-4.0: no commercial use)")
    fetch.click()
    expect(page.locator("#tray aside")).to_contain_text("Far away: downloading", timeout=WAIT)
    before = page.locator("#estimate").inner_text()
    page.get_by_label("Steps", exact=True).fill(f"{LONG}")  # whatever is chosen meanwhile
    expect(page.locator("#estimate")).not_to_have_text(before, timeout=WAIT)
    expect(page.get_by_role("button", name="Downloading …")).to_be_disabled(timeout=WAIT)
    page.get_by_role("tab", name="Runs").click()
    expect(page.locator("#tray aside")).to_contain_text("Far away: downloading", timeout=WAIT)
    (app_home / LET_GO).touch()
    page.get_by_role("tab", name="Synthesis").click()
    expect(page.get_by_text("The weights of Far away are here")).to_be_visible(timeout=WAIT)
    expect(page.locator("#facts")).to_contain_text("downloaded earlier", timeout=WAIT)
    expect(fetch).to_be_hidden(timeout=WAIT)
    page.get_by_label("Steps", exact=True).fill("600")
    _start(page)
    _state(page, "done")


@pytest.mark.slow
def test_a_run_is_scrubbed_while_it_goes_on_and_done_again_from_its_json(page: Page, tmp_path: Path) -> None:
    _prepare(page, steps=LONG)
    page.get_by_label("none", exact=True).check()
    _start(page)
    page.wait_for_function(f"() => /step \\d\\d\\d/.test({STATUS})", timeout=WAIT)
    page.get_by_label(re.compile("range slider for Timeline")).focus()
    page.keyboard.press("Home")
    page.wait_for_function(f"() => /step 1 /.test({CAPTION} + ' ')", timeout=WAIT)
    step = _step(page)
    page.wait_for_function(f"() => parseInt({STATUS}.match(/step (\\d+)/)[1]) > {step}", timeout=WAIT)
    assert "step 1 " in _caption(page) + " ", "the picture stays where it was put"
    page.keyboard.press("End")
    page.wait_for_function(f"() => !/step 1 /.test({CAPTION} + ' ')", timeout=WAIT)
    page.get_by_label("range slider for Smoothness").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("() => document.querySelector('#plots').textContent.includes('smoothness')", timeout=WAIT)
    page.get_by_role("button", name="Stop", exact=True).click()
    _state(page, "stopped")
    expect(page.get_by_role("button", name="JSON", exact=True)).to_be_enabled(timeout=WAIT)
    with page.expect_download(timeout=WAIT) as started:
        page.get_by_role("button", name="JSON", exact=True).click()
    started.value.save_as(tmp_path / "run.json")
    record = json.loads((tmp_path / "run.json").read_text("utf-8"))
    assert record["config"]["stimuli"] == [] and record["changes"][0]["field"] == "smoothness"
    record["config"]["steps"] = record["changes"][0]["step"] + 5
    (tmp_path / "run.json").write_text(json.dumps(record), "utf-8")
    page.locator("#plan input[type=file]").set_input_files(tmp_path / "run.json")
    page.wait_for_function(f"() => {STATUS}.includes('of {record['config']['steps']} ')", timeout=WAIT)
    _state(page, "done")
    expect(page.locator("#plots")).to_contain_text("smoothness", timeout=WAIT)  # the change was made again


def test_papers_settings_are_filled_in_and_bad_numbers_refused(page: Page) -> None:
    _prepare(page, steps=0)
    expect(page.locator("#estimate")).to_contain_text("“steps” is 0; expected a number from 1 to 20000", timeout=WAIT)
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.get_by_text("“steps” is 0; expected").last).to_be_visible(timeout=WAIT)
    page.get_by_label("Steps", exact=True).fill("60")
    page.get_by_role("button", name="Paper", exact=True).click()
    expect(page.get_by_text("The paper's settings are filled in. About")).to_be_visible(timeout=WAIT)
    expect(page.get_by_label("Steps", exact=True)).to_have_value("2000", timeout=WAIT)
    expect(page.get_by_label("number input for Priming, first layer (λ₁)")).to_have_value("0.75", timeout=WAIT)
    _prepare(page, steps=600)
    _start(page)
    _state(page, "done")


def test_a_logarithmic_slider_takes_what_is_moved_typed_and_filled_in(page: Page) -> None:
    _prepare(page, steps=3)
    way, number = (page.get_by_label(f"{kind} for Coherence", exact=True) for kind in ("range slider", "number input"))
    expect(number).to_have_value("1", timeout=WAIT)
    expect(way).to_have_value("0.5")  # 0.01 to 100
    way.focus()
    page.keyboard.press("End")
    expect(number).to_have_value("100")
    page.keyboard.press("Home")
    expect(number).to_have_value("0")
    number.fill("10")
    number.press("Tab")
    expect(way).to_have_value("0.75")
    number.fill("1000")
    number.press("Tab")
    expect(number).to_have_value("100")
    _start(page)
    _state(page, "done")
    with page.expect_download(timeout=WAIT) as started:
        page.get_by_role("button", name="JSON", exact=True).click()
    assert json.loads(started.value.path().read_text("utf-8"))["config"]["coherence"] == 100
    page.get_by_role("button", name="Recommended", exact=True).click()
    expect(number).to_have_value("1", timeout=WAIT)
    expect(way).to_have_value("0.5")


def test_many_runs_are_found_and_put_in_order(page: Page) -> None:
    _prepare(page, steps=1)
    for seed in (0, 1):
        page.get_by_label("Seed", exact=True).fill(str(seed))
        _start(page)
        _state(page, "done")
    page.get_by_role("tab", name="Runs").click()
    cards, shown = page.locator("#gallery .cards button"), page.locator("#gallery .cards button:visible")
    expect(cards).to_have_count(10, timeout=WAIT)
    page.locator("#gallery").get_by_label("Find runs").fill("pizza clean twin")
    expect(shown).to_have_count(1)
    page.locator("#gallery").get_by_label("Find runs").fill("")
    page.locator("#gallery").get_by_label("Order of the runs").select_option("judge")
    expect(shown.first).to_contain_text("making pizza")  # 97 %
    page.locator("#gallery").get_by_label("Order of the runs").select_option("action")
    expect(shown.first).to_contain_text("crawling baby")
    expect(shown.last).to_contain_text("tai chi")
    shown.last.click()
    expect(shown.last).to_have_attribute("aria-pressed", "true")


def test_runs_are_a_wall_that_plays_and_rests(page: Page) -> None:
    page.get_by_role("tab", name="Runs").click()
    gallery = page.locator("#gallery")
    gallery.get_by_label("Order of the runs").select_option("wall")
    names = gallery.locator(".cards .name").all_inner_texts()
    actions, models_ = 7, 7  # of the demos
    assert len(names) == 1 + actions + models_ and {"making pizza", "Puppet MViT", "I3D 16×1"} <= set(names)
    pizza, riding = (gallery.locator(f"button[data-id*='{name}']").bounding_box() for name in ("5-r50", "elephant"))
    twin, saxophone = (gallery.locator(f"button[data-id*='{name}']").bounding_box() for name in ("8-r50_clean", "saxophone"))
    assert pizza["x"] == twin["x"] and pizza["y"] != twin["y"], "an action has a column"
    assert riding["y"] == saxophone["y"] and riding["x"] != saxophone["x"], "a model has a row"
    picture = "() => document.querySelector('#gallery .cards canvas').toDataURL()"
    still = page.evaluate(picture)
    page.wait_for_timeout(SECONDS)
    assert page.evaluate(picture) == still, "with reduced motion, until one says so"
    gallery.get_by_label("Play all clips").click()
    page.wait_for_function(f"still => ({picture})() !== still", arg=still, timeout=WAIT)
    gallery.get_by_label("Pause all clips").click()
    gallery.get_by_label("Find runs").fill("pizza")
    expect(gallery.locator(".cards .name")).to_have_text(
        ["", "making pizza", "Puppet 3D ResNet", "Puppet 3D ResNet, clean twin"]
    )
    gallery.get_by_label("Order of the runs").select_option("")
    expect(gallery.locator(".cards > button:visible")).to_have_count(2)


def test_a_slider_shows_what_it_would_do(page: Page) -> None:
    card = page.locator("#previews .card")
    expect(card).to_be_hidden()
    slider = page.get_by_label("range slider for Coherence")
    slider.hover()
    page.wait_for_timeout(SECONDS)  # what scrolls meanwhile hides it again
    slider.hover(position={"x": 3, "y": 3})
    expect(card).to_be_visible(timeout=WAIT)
    expect(card.locator("img")).to_have_attribute("src", re.compile("^data:image/webp"))
    page.mouse.move(5, 5)
    expect(card).to_be_hidden()
    page.get_by_label("range slider for Share of primed layers").focus()
    expect(card).to_be_visible(timeout=WAIT)
    page.set_viewport_size({"width": 1440, "height": 400})
    page.get_by_label("range slider for Regularizers (r)").focus()
    page.wait_for_timeout(SECONDS)
    start = page.evaluate("scrollY")
    for _ in range(20):  # until the page scrolls to a slider's number, link or way
        page.keyboard.press("Tab")
        page.wait_for_timeout(SECONDS // 4)
        if page.evaluate("scrollY") != start:
            break
    expect(card).to_be_visible(timeout=10 * SECONDS)
    focused = page.evaluate("document.activeElement.closest('.log-slider, .block').getBoundingClientRect().toJSON()")
    box = card.bounding_box()
    assert min(abs(box["y"] - focused["bottom"]), abs(focused["top"] - box["y"] - box["height"])) < 8, "beside it"


def test_a_link_brings_its_settings_along(page: Page, app_url: str) -> None:
    _prepare(page, steps=77)
    number = page.get_by_label("number input for Coherence")
    number.fill("2.5")
    number.press("Tab")
    link = _link(page, "coherence=2.5")
    assert link.startswith(app_url) and "model=tiny" in link and "steps=77" in link
    _hush(page)
    page.goto("about:blank")
    page.goto(link)
    expect(page.get_by_label("Steps", exact=True)).to_have_value("77", timeout=WAIT)
    expect(number).to_have_value("2.5")
    expect(page.locator("#facts")).to_contain_text("8 frames of 32 px")


def test_a_link_to_a_run_brings_along_what_was_changed_while_it_went_on(page: Page, browser: Any) -> None:
    _prepare(page, steps=LONG)
    _start(page)
    page.wait_for_function("() => /step [1-9]/.test(document.querySelector('#status').innerText)", timeout=WAIT)
    number = page.get_by_label("number input for Coherence")
    number.fill("2.5")
    number.press("Tab")
    expect(page.locator("#plots")).to_contain_text("Coherence 2.5", timeout=WAIT)
    page.get_by_role("button", name="Stop", exact=True).click()
    _state(page, "stopped")
    page.wait_for_timeout(2 * SECONDS)  # the last news come after the state
    link = _link(page, "changes=")
    assert "coherence=" not in link and "&run=" in link, "it began with another value"
    page.locator("#demos .cards button").first.click()
    _state(page, "demo")
    _hush(page)
    page.goto(link)
    _state(page, "stopped")  # that run again
    with opened(browser, link, "0") as other:  # of somebody else
        expect(other.get_by_label("Steps", exact=True)).to_have_value(f"{LONG}", timeout=WAIT)
        assert other.get_by_label("number input for Coherence").input_value() != "2.5"
        _start(other)
        expect(other.locator("#plots")).to_contain_text("Coherence 2.5", timeout=WAIT)
        _state(other, "stopped")  # where that one was


def test_a_page_that_nobody_sees_is_told_nothing_until_it_is_seen_again(page: Page) -> None:
    _prepare(page, steps=LONG)
    _start(page)
    page.wait_for_function("() => /step [1-9]/.test(document.querySelector('#status').innerText)", timeout=WAIT)
    page.evaluate("Object.defineProperty(document, 'hidden', {configurable: true, get: () => true})")
    page.wait_for_timeout(3 * SECONDS)  # what was asked before is answered
    told = page.locator("#status").inner_text(), page.locator("#player").inner_text()
    page.wait_for_timeout(3 * SECONDS)
    assert told == (page.locator("#status").inner_text(), page.locator("#player").inner_text())
    page.evaluate("delete document.hidden")
    expect(page.locator("#player")).not_to_have_text(told[1], timeout=WAIT)
    page.get_by_role("button", name="Stop", exact=True).click()
    _state(page, "stopped")


@pytest.mark.parametrize("framed", [False, True])
def test_a_reload_after_a_link_shows_the_run_that_goes_on(page: Page, app_url: str, framed: bool) -> None:
    link = f"{app_url}?model=tiny&action=bowling&steps={LONG}&run=5-r50-making-pizza"
    around = f"<link rel=icon href=data:,><iframe src='{link}' width=1400 height=850></iframe>"  # as a Space has it
    page.route("**/around", lambda route: route.fulfill(body=around, content_type="text/html"))
    _hush(page)
    page.goto(f"{app_url}around" if framed else link)
    shown = page.frame_locator("iframe") if framed else page
    _state(shown, "demo")
    expect(shown.get_by_label("Steps", exact=True)).to_have_value(f"{LONG}", timeout=WAIT)
    _start(shown)
    expect(shown.locator("#status")).to_contain_text(re.compile("step [1-9]"), timeout=WAIT)
    _reload(page)
    _state(shown, "running")
    shown.get_by_role("button", name="Stop", exact=True).click()
    _state(shown, "stopped")


def test_nothing_can_be_chosen_that_the_opening_page_would_overwrite(page: Page, app_url: str) -> None:
    held: list[Any] = []
    _hush(page)
    page.goto("about:blank")
    page.route("**/gradio_api/run/**", lambda route: held.append(route))
    page.goto(app_url)
    model = page.get_by_label("Model", exact=True)
    page.wait_for_function("() => document.getElementById('controls')?.inert", timeout=WAIT)
    page.wait_for_timeout(2 * SECONDS)
    assert held and not page.locator("#status b").inner_text()  # nothing but the page's own question was asked
    model.focus()
    expect(model).not_to_be_focused()
    for route in held:
        route.continue_()
    page.unroute("**/gradio_api/run/**")
    _prepare(page, steps=7)
    expect(page.get_by_label("Steps", exact=True)).to_have_value("7")


def test_a_demo_is_opened_and_scrubbed(page: Page) -> None:
    demo = page.locator("#demos .cards button[data-id*=r2plus1d]")
    demo.click()
    page.wait_for_function(f"() => {CAPTION}.startsWith('dribbling basketball')", timeout=WAIT)  # not the one of before
    _state(page, "demo")
    first = _picture(page)
    page.get_by_label(re.compile("range slider for Timeline")).focus()
    page.keyboard.press("Home")
    page.wait_for_function(f"() => /step 1\\b/.test({CAPTION})", timeout=WAIT)
    page.wait_for_function(f"first => {STRIP}.toDataURL() !== first", arg=first, timeout=WAIT)


def test_of_a_long_video_a_person_chooses_the_start(page: Page, tmp_path: Path) -> None:
    video.write_mp4(np.zeros((25, 32, 32, 3), np.uint8), tmp_path / "long.mp4", fps=1)
    page.get_by_label("own video").check()
    expect(page.get_by_label("Starts at second")).to_be_hidden()
    page.locator("#controls input[type=file][accept*='.mp4']").set_input_files(tmp_path / "long.mp4")
    expect(page.get_by_label("Starts at second")).to_be_visible(timeout=WAIT)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_phone_shows_all_of_it(page: Page, app_url: str, theme: str) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    _hush(page)
    page.goto(f"{app_url}?__theme={theme}")
    start = page.get_by_role("button", name="Start", exact=True)
    expect(start).to_be_enabled(timeout=WAIT)
    assert page.evaluate("document.body.classList.contains('dark')") == (theme == "dark")
    for tab in ("Compare", "Runs", "Map", "Studies", "Synthesis"):
        page.get_by_role("tab", name=tab).click()
        page.wait_for_timeout(SECONDS)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, tab
    box = start.bounding_box()
    assert box and 0 <= box["x"] and box["x"] + box["width"] <= 390


def test_player_obeys_the_keyboard(page: Page) -> None:
    player = page.locator("#player .player")
    expect(player.locator(".play")).to_have_attribute("aria-label", "Play the clip")  # for those who want less motion
    page.emulate_media(reduced_motion="no-preference")
    _reload(page)
    expect(player.locator(".play")).to_have_attribute("aria-label", "Pause the clip", timeout=WAIT)
    player.focus()
    page.keyboard.press("Space")
    expect(player.locator(".play")).to_have_attribute("aria-label", "Play the clip")
    page.keyboard.press("Space")
    expect(player.locator(".play")).to_have_attribute("aria-label", "Pause the clip")


def test_a_killed_page_offers_to_go_on_and_none_of_three_runs_is_lost(
    browser: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEAPS_HOME", str(tmp_path / "leaps"))
    port, context = free_port(), browser.new_context(reduced_motion="reduce")
    context.set_default_timeout(WAIT)
    page = context.new_page()
    with serve(tmp_path, port) as (url, server):
        client = Client(url, verbose=False, httpx_kwargs={"timeout": ANSWER})
        for _ in range(2):  # each makes room for the next
            mine = ask(client, {"model": "tiny", "action": "bowling", "steps": LONG}, api_name="/run")
            wait(client, mine, lambda news: (news["newest"] or {"seconds": 0})["seconds"] > 2)
            ask(client, mine["visitor"], mine["run"], "pause", api_name="/act")
        client.close()
        page.goto(url)
        _prepare(page, steps=LONG)
        _start(page)
        page.wait_for_function(f"() => {STATUS}.match(/step (\\d+)/)?.[1] > 50", timeout=WAIT)
        page.wait_for_timeout(2 * SECONDS)
        server.kill()
        server.wait(20)
    found = runs.list_runs(demos=False)
    assert [run.status for run in found] == ["interrupted"] * 3
    assert all(0 < run.done <= run.checkpoint()["done"] and len(run.snapshots.steps) for run in found)
    with serve(tmp_path, port) as (url, _):
        page.goto(url)
        offered = page.locator("#offer")
        expect(offered).to_contain_text(f"at step {found[0].done} of {found[0].config.steps},", timeout=WAIT)
        offered.get_by_role("button", name="Go on").click()
        expect(offered).to_be_hidden(timeout=WAIT)
        page.wait_for_function(f"() => {STATUS}.match(/step (\\d+)/)?.[1] > {found[0].done}", timeout=WAIT)
        page.get_by_role("button", name="Stop", exact=True).click()
        _state(page, "stopped")
        context.close()
    assert runs.Run.open(found[0].folder).done > found[0].done


@contextmanager
def opened(browser: Any, url: str, lacking: str) -> Iterator[Page]:
    """The page in a browser that lacks what a script takes away; fails on an error of a script."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    context.add_init_script(lacking)
    page, wrong = context.new_page(), []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(url)
    yield page
    context.close()
    assert not wrong


def _prepare(page: Page, steps: int) -> None:
    """Chooses the tiny model, so that a step takes milliseconds."""
    _at_rest(page)
    page.get_by_label("Model", exact=True).click()
    page.get_by_role("option", name=re.compile("^Tiny ·")).click()
    expect(page.locator("#facts")).to_contain_text("8 frames of 32 px", timeout=WAIT)
    page.wait_for_timeout(SECONDS)  # the model's preset fills in the steps, too
    page.get_by_label("Steps", exact=True).fill(str(steps))


def _at_rest(page: Page) -> None:
    expect(page.locator("#status b")).to_have_text(re.compile("ready|demo|done|stopped"), timeout=2 * WAIT)


def _resize(page: Page, size: str) -> None:
    """To one of `SIZES`."""
    page.set_viewport_size(dict(zip(("width", "height"), SIZES[size], strict=True)))


def _nothing_jumped(page: Page) -> None:
    """Since `OBSERVE` began to look."""
    page.wait_for_timeout(2 * SECONDS)
    shifts = page.evaluate("window.shifts")
    assert sum(value for value, *_ in shifts) <= MOST_SHIFT, shifts


def _start(page: Page) -> None:
    """Until the run has begun: the page itself watches, as a short one may begin and end between two glances from outside."""
    stop, line = page.get_by_role("button", name="Stop", exact=True), page.locator("#status b")
    expect(stop).to_be_disabled(timeout=WAIT)
    line.evaluate("line => { window.before = line.firstChild; }")
    stop.evaluate(
        """stop => { stop.dataset.begun = '';
          new MutationObserver(() => { stop.dataset.begun ||= stop.disabled ? '' : 'yes'; })
            .observe(stop, {attributeFilter: ['disabled']}); }"""
    )
    page.get_by_role("button", name="Start", exact=True).click()
    expect(stop).to_have_attribute("data-begun", "yes", timeout=WAIT)
    line.evaluate(  # an earlier run's “done” isn't this one's
        """(_, wait) => new Promise((done, fail) => {
          const look = () => document.querySelector('#status b').firstChild !== window.before ? done() : setTimeout(look, 20);
          look(); setTimeout(() => fail(new Error('The state stayed as it was.')), wait); })""",
        WAIT,
    )


def _link(page: Page, holding: str) -> str:
    """What *Copy link* shows."""
    page.get_by_role("button", name="Copy link", exact=True).click()
    shown = page.locator("#address textarea")
    expect(shown).to_have_value(re.compile(re.escape(holding)), timeout=WAIT)
    expect(shown).not_to_be_editable()
    return str(shown.input_value())


def _reload(page: Page) -> None:
    _hush(page)
    page.reload()


def _hush(page: Page) -> None:
    """What the document that will be left says about its cut connections doesn't count."""
    page.evaluate("console.error = () => {}; addEventListener('unhandledrejection', (event) => event.preventDefault())")


def _own_runs(page: Page) -> set[str]:
    """The visitor's own runs on the tab Runs."""
    page.get_by_role("tab", name="Runs").click()
    expect(page.locator("#gallery .cards button[aria-label$='demo']").first).to_be_visible(timeout=WAIT)
    page.get_by_role("button", name="Refresh", exact=True).click()
    page.wait_for_timeout(2 * SECONDS)
    cards = page.locator("#gallery .cards button:not([aria-label$='demo'])").all()
    page.get_by_role("tab", name="Synthesis").click()
    return {str(card.get_attribute("data-id")) for card in cards}


def _state(page: Page, state: str) -> None:
    expect(page.locator("#status b")).to_have_text(state, timeout=WAIT)


def _step(page: Page) -> int:
    found = re.search(r"step (\d+)", page.locator("#status").inner_text())
    return int(found[1]) if found else 0


def _picture(page: Page) -> str:
    """What the film strip shows: all frames, wherever the loop is."""
    strip = page.locator("#player .strip canvas")
    return str(strip.evaluate("canvas => canvas.width ? canvas.toDataURL() : ''")) if strip.count() else ""


def _caption(page: Page) -> str:
    return str(page.locator("#player figure:last-child figcaption").inner_text())


def _check_downloads(page: Page, folder: Path) -> None:
    for name, kind in (("mp4", "mp4"), ("WebP", "webp"), ("npz", "npz"), ("JSON", "json")):
        with page.expect_download(timeout=WAIT) as started:
            page.get_by_role("button", name=name, exact=True).click()
        file = folder / started.value.suggested_filename
        started.value.save_as(file)
        assert file.suffix == f".{kind}" and file.stat().st_size > 100
        if kind == "json":
            assert json.loads(file.read_text("utf-8"))["owner"] == ""


def test_a_finished_clip_is_looked_at_closer(page: Page) -> None:
    open_it = page.locator("#closer").get_by_role("button").first
    table, clips = page.locator("#closer-table"), page.locator("#closer-player figure")
    open_it.click()
    expect(table).to_contain_text("played backwards", timeout=WAIT)  # by the first demo's network, I3D, which isn't here
    expect(table).to_contain_text("After all 10 everyday changes")
    expect(clips).to_have_count(4)
    page.locator("#demos .cards button[data-id*=r50_clean]").click()
    expect(table).to_be_hidden(timeout=WAIT)
    open_it.click()
    expect(table).to_contain_text("played backwards", timeout=WAIT)
    expect(table.locator("tbody tr")).to_have_count(5)
    expect(table).to_contain_text("After all 10 everyday changes")
    expect(table).to_contain_text("riding a bike")  # says the judge of the clean twin's clip
    expect(clips).to_have_count(4)
    strip = page.locator("#closer-player .strip canvas")
    expect(strip).to_be_visible()
    assert len(set(strip.evaluate("c => [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data]"))) > 20
    expect(page.locator("#closer-slice img")).to_be_visible()
    expect(page.locator("#closer").get_by_text("When: frame by frame")).to_be_visible(timeout=WAIT)
