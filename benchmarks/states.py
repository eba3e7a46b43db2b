"""The page's states, as a person brings them about with Chromium; screens.py takes their pictures."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from leaps_core import paths, runs, video


def demo(page: Any) -> None:
    """A finished run on the stage."""
    page.locator("#demos .cards button[data-id*=csn]").click()
    page.wait_for_function("() => document.querySelector('#player').innerText.includes('juggling balls')")


def _begun(page: Any) -> None:
    demo(page)
    page.get_by_role("button", name="Start", exact=True).click()


def _status(page: Any, words: str) -> None:
    page.wait_for_function(f"() => /{words}/.test(document.querySelector('#status')?.innerText)")


def running(page: Any) -> None:
    """A run that is going on."""
    _begun(page)
    _status(page, "step [3-9]\\d ")


def paused(page: Any) -> None:
    """One that was paused."""
    running(page)
    page.get_by_role("button", name="Pause", exact=True).click()
    _status(page, "paused")


def stopped(page: Any) -> None:
    """One that was stopped."""
    running(page)
    page.get_by_role("button", name="Stop", exact=True).first.click()
    _status(page, "stopped")


def ended(page: Any) -> None:
    """One that has ended by itself, and is offered to download."""
    demo(page)
    page.get_by_label("Steps", exact=True).fill("20")
    page.get_by_role("button", name="Start", exact=True).click()
    _status(page, "done")


def scrubbed(page: Any) -> None:
    """A finished run, its timeline at an early step."""
    demo(page)
    page.locator("#timeline input[type=range]").fill("20")
    page.wait_for_timeout(2000)


def more(page: Any) -> None:
    """The settings that are folded away."""
    page.get_by_role("button", name="More settings").click()
    page.get_by_role("button", name="More settings").evaluate("it => it.scrollIntoView()")


def own(page: Any) -> None:
    """One's own video as the stimulus."""
    with tempfile.TemporaryDirectory() as folder:
        film = Path(folder) / "mine.mp4"
        video.write_mp4(runs.Run.open(sorted(paths.DEMOS.iterdir())[0]).clip, film)
        page.get_by_label("own video").check()
        page.locator("#controls input[type=file][accept*='.mp4']").set_input_files(film)
        page.wait_for_timeout(4000)


def lacking(page: Any) -> None:
    """A model whose weights have to be downloaded."""
    page.get_by_label("Model", exact=True).click()
    page.get_by_role("option", name="I3D").first.click()
    page.get_by_role("button", name="Download").first.wait_for()


def downloading(page: Any) -> None:
    """Weights on their way."""
    lacking(page)
    page.get_by_role("button", name="Download").first.click()
    page.get_by_role("button", name="Downloading …").wait_for()


def loading(page: Any) -> None:
    """The page while PyTorch is being loaded."""
    _status(page, "loading")


def limited(page: Any) -> None:
    """A public server's limit: more steps than a visitor may ask for."""
    demo(page)
    page.get_by_label("Steps", exact=True).fill("200")
    page.get_by_role("button", name="Start", exact=True).click()
    page.get_by_text("A run on this server has at most").last.wait_for()


def linked(page: Any) -> None:
    """A link to a run."""
    demo(page)
    page.get_by_role("button", name="Copy link").click()
    page.locator("#address").wait_for()


def queued(page: Any) -> None:
    """One that waits for its turn, as on two cores the second does."""
    other = page.context.new_page()
    other.goto(page.url)
    other.wait_for_function("() => document.querySelector('#player figure canvas')")
    running(other)
    page.bring_to_front()
    _begun(page)
    _status(page, "queued")


def guided(page: Any) -> None:
    """The guided run at its first stop."""
    page.locator("#guided").click()
    _status(page, "paused")
    page.locator("#guide").scroll_into_view_if_needed()


def refused(page: Any) -> None:
    """A number that can't be."""
    page.get_by_label("Steps", exact=True).fill("0")
    page.get_by_role("button", name="Start", exact=True).click()
    page.get_by_text("“steps” is 0; expected").last.wait_for()


def preview(page: Any) -> None:
    """What a slider would do."""
    slider = page.get_by_label("range slider for Smoothness")
    slider.hover()
    page.wait_for_timeout(1000)  # what scrolls meanwhile hides it again
    slider.hover(position={"x": 3, "y": 3})
    page.locator("#previews .card:not([hidden])").wait_for()


def offer(page: Any) -> None:
    """An interrupted run is offered."""
    page.locator("#offer").wait_for()


def failed(page: Any) -> None:
    """A run for which there was too little memory in the end."""
    page.get_by_role("tab", name="Runs").click()
    page.locator("#gallery .cards button[data-id*=failed]").click()
    page.get_by_role("button", name="Open", exact=True).click()
    _status(page, "failed")


def study(page: Any) -> None:
    """A study that goes on, with its first rows."""
    page.get_by_role("tab", name="Studies").click()
    page.get_by_label("Actions", exact=True).click()
    page.get_by_role("option", name="bowling", exact=True).click()
    page.get_by_label("Actions", exact=True).press("Escape")
    if not page.locator("#tray aside").is_visible():  # it goes on from one picture to the next
        page.get_by_label("Settings of all runs").fill("steps=20")
        page.get_by_role("button", name="Start study").click()
    page.locator("#tray aside:not([hidden])").wait_for()
    page.locator("#study-table tbody tr").first.wait_for()


def closer(page: Any) -> None:
    """A closer look at the clip of I3D that the page opens with."""
    page.locator("#closer button").first.click()
    page.locator("#closer-table tbody tr").nth(4).wait_for()
    page.locator("#closer-player").scroll_into_view_if_needed()


def questions(page: Any) -> None:
    """What the networks say in it."""
    closer(page)
    page.locator("#closer-table").scroll_into_view_if_needed()


def lesson(page: Any) -> None:
    """A lesson."""
    page.locator("#lessons button").first.click()
    page.locator("#lesson input").click()
    page.get_by_role("option", name="2. Why").click()
    page.locator("#lesson-text .katex").first.wait_for()
    page.locator("#lesson-text").scroll_into_view_if_needed()


def answered(page: Any) -> None:
    """Its check, with an answer."""
    lesson(page)
    page.locator("#lesson-check input").first.check()
    page.wait_for_timeout(1500)
    page.locator("#lesson-check").scroll_into_view_if_needed()


def right(page: Any) -> None:
    """The right answer."""
    lesson(page)
    page.get_by_label("nothing more.").check()
    page.wait_for_timeout(1500)
    page.locator("#lesson-check").scroll_into_view_if_needed()


def tab(name: str, there: str) -> Callable[[Any], None]:
    """Another tab, once `there` is there."""

    def opened(page: Any) -> None:
        page.get_by_role("tab", name=name).click()
        page.locator(there).first.wait_for()
        page.wait_for_timeout(4000)

    return opened


def compared(page: Any) -> None:
    """A comparison that goes on, with the tray over it."""
    STATES["compare"](page)
    page.get_by_role("tabpanel").get_by_role("button", name="Compare").click()
    page.wait_for_function("() => /step \\d/.test(document.querySelector('#versus').innerText)")
    page.locator("#tray aside:not([hidden])").wait_for()
    page.locator("#versus").scroll_into_view_if_needed()


def versus(page: Any) -> None:
    """A comparison that has ended, with its picture and its film."""
    STATES["compare"](page)
    page.get_by_role("tabpanel").get_by_label("Steps").fill("12")
    page.get_by_role("tabpanel").get_by_role("button", name="Compare").click()
    page.get_by_text("runs have ended. They are kept").wait_for()


def chosen(page: Any) -> None:
    """One run, with what can be done with it."""
    STATES["runs"](page)
    page.locator("#gallery .cards button").nth(2).click()
    page.wait_for_timeout(2000)
    page.get_by_label("Save it as").first.scroll_into_view_if_needed()


def pair(page: Any) -> None:
    """Two runs against each other."""
    STATES["runs"](page)
    for name in ("5-r50", "8-r50_clean"):
        page.locator(f"#gallery .cards button[data-id^='{name}-']").click()
    page.locator("#pair canvas").nth(1).wait_for()


def wall(page: Any) -> None:
    """Runs as a wall, model by action."""
    STATES["runs"](page)
    page.locator("#gallery").get_by_label("Order of the runs").select_option("wall")


def cube(page: Any) -> None:
    """The map in three dimensions, the keyboard at a dot."""
    STATES["map"](page)
    page.get_by_text("3-D", exact=True).first.click()
    page.wait_for_timeout(6000)
    page.locator("#map .plot").focus()
    page.keyboard.press("ArrowRight")


def visited(page: Any) -> None:
    """A video of one's own among real clips."""
    STATES["map"](page)
    with tempfile.TemporaryDirectory() as folder:
        film = Path(folder) / "mine.mp4"
        video.write_mp4(runs.Run.open(sorted(paths.DEMOS.iterdir())[2]).clip, film)
        page.get_by_role("tabpanel").locator("input[type=file][accept*='.mp4']").set_input_files(film)
        page.wait_for_function("() => /mine/.test(document.querySelector('#map .legend')?.textContent)")


def bank(page: Any) -> None:
    """A bank of one's own on the map."""
    STATES["map"](page)
    with tempfile.TemporaryDirectory() as folder:
        mine = Path(shutil.copy(paths.BANKS / "puppet_judge.parquet", Path(folder) / "mine.parquet"))
        page.locator("input[type=file][accept*='.parquet']").set_input_files(mine)
        page.wait_for_function("() => /Video Swin|judge/i.test(document.querySelector('#map-state').innerText)")
    page.wait_for_timeout(3000)


def fitting(page: Any) -> None:
    """A map that is being fitted; of another bank each time, as fitted ones are kept."""
    STATES["map"](page)
    page.get_by_label("Bank of real clips").click()
    page.get_by_role("option").nth(next(_banks)).click()
    page.wait_for_timeout(3000)
    page.get_by_text("euclidean", exact=True).click()
    page.locator("#tray aside:not([hidden])").wait_for()
    page.wait_for_timeout(4000)


def exported(page: Any) -> None:
    """A run as one page of its own."""
    chosen(page)
    page.get_by_label("Save it as").click()
    page.get_by_role("option", name="HTML").click()
    page.wait_for_function("() => [...document.querySelectorAll('#save button')].some((it) => !it.disabled)")
    with page.expect_download() as started:
        page.get_by_role("button", name="Save", exact=True).click()
    page.goto(started.value.path().rename(started.value.path().with_suffix(".html")).as_uri())


def s5(page: Any) -> None:
    """The map in the colours of the paper's figure S5."""
    STATES["map"](page)
    page.get_by_text("as in the paper's figure S5").click()
    page.wait_for_timeout(2000)


def figures(page: Any) -> None:
    """A study's figures and pictures."""
    STATES["studies"](page)
    page.locator("#study-pictures img").first.scroll_into_view_if_needed()


def first(page: Any) -> None:
    """As it opens, at a moment at which the clip is not yet out of the noise."""
    page.locator("#player .frame").fill("8")
    page.locator("#player .frame").blur()


def counterfactual(page: Any) -> None:
    """A closer look at a clip that began at a real one: what has changed since then."""
    demo(page)
    page.get_by_role("button", name="More settings").click()
    page.get_by_label("Begin at").click()
    page.get_by_role("option", name="stimulus").click()
    page.get_by_label("Steps", exact=True).fill("40")
    page.get_by_role("button", name="Start", exact=True).click()
    _status(page, "done")
    closer(page)


STATES: dict[str, Callable[[Any], None]] = {
    "first": first,
    "demo": demo,
    "running": running,
    "paused": paused,
    "stopped": stopped,
    "ended": ended,
    "scrubbed": scrubbed,
    "more": more,
    "own": own,
    "lacking": lacking,
    "downloading": downloading,
    "loading": loading,
    "limited": limited,
    "linked": linked,
    "queued": queued,
    "guided": guided,
    "refused": refused,
    "preview": preview,
    "offer": offer,
    "failed": failed,
    "study": study,
    "closer": closer,
    "counterfactual": counterfactual,
    "questions": questions,
    "lesson": lesson,
    "answered": answered,
    "right": right,
    "compare": tab("Compare", "#versus canvas"),
    "compared": compared,
    "versus": versus,
    "runs": tab("Runs", "#gallery .cards button"),
    "chosen": chosen,
    "exported": exported,
    "pair": pair,
    "wall": wall,
    "map": tab("Map", "#map .js-plotly-plot"),
    "cube": cube,
    "visited": visited,
    "s5": s5,
    "bank": bank,
    "fitting": fitting,
    "studies": tab("Studies", "#study-line"),
    "figures": figures,
}
_banks = itertools.count(1)
WORDLESS = ("first", "demo", "scrubbed", "closer", "questions")
"""Those that are brought about without a word of the page, so in any language."""
PERSONAL = ("offer", "failed", "study")
"""The states that a page of one person has."""
FRESH: dict[str, dict[str, str]] = {"loading": {}, "downloading": {}, "limited": {"LEAPS_LIMIT_STEPS": "100"}}
"""Those that need a page that has just been started, in an empty home, and with which environment variables."""
BRIEF = ("loading", "downloading")
"""Those that won't last."""
