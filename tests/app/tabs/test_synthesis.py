"""The first tab's news: what the page is told, and that answers which overtake each other do no harm."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl

import gradio as gr
import numpy as np
import pytest

from app import links, preload, session, start, views
from app.filled import begins
from app.jobs import ACTIVE
from app.settings_panel import default_config
from app.tabs.synthesis import SynthesisTab
from leaps_core import Control, RunError, SynthesisConfig, make_plan, models, runs, video
from leaps_core.runs import writer
from tests.app.helpers import said

REQUEST: Any = SimpleNamespace(session_hash="page", query_params={})
CONFIG = SynthesisConfig(model="tiny", action="bowling", steps=3, judge="none", verifier="none")


@pytest.fixture
def tab(runs_home: Path) -> Iterator[SynthesisTab]:
    with gr.Blocks():
        yield SynthesisTab(session.build())


def killed(at: int, **settings: Any) -> runs.Run:
    """My run as it lies there when the server was killed after a step."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(writer, "PERIOD", 0.0)
        patched.setattr(writer, "SHARE", 1e9)
        patched.setattr(writer.Writer, "finish", lambda self, *_: self.lock.release())
        steps = runs.perform(CONFIG.replace(steps=6, **settings), owner=views.owner_of("me"))
        run = next(run for run, step in steps if step.index == at)
        steps.close()
    return runs.Run.open(run.folder)


def test_interrupted_runs_are_offered_one_after_the_other_and_go_on(tab: SynthesisTab) -> None:
    browser, whole = Browser(tab), [run for run, _ in runs.perform(CONFIG.replace(steps=6))][-1]
    older, newer = killed(3), killed(4, seed=1)
    told = browser.take(tab.load("me", None, False, REQUEST))
    assert told[tab.offer.row].visible and told[tab.offer.waiting] == [newer.id, older.id]
    assert told[tab.offer.text].startswith("**bowling** was interrupted at step 4 of 6") and "(1 more" in told[tab.offer.text]
    assert not tab.load("somebody", None, False, REQUEST)[tab.offer.row].visible, "nobody else's"
    told = browser.take(tab.go_on("me", [newer.id, older.id]))
    assert told[tab.offer.row].visible and told[tab.offer.waiting] == [older.id]
    browser.until("done")
    told = browser.take(tab.go_on("me", [older.id]))
    assert not told[tab.offer.row].visible
    browser.until("done")
    assert [run.status for run in runs.list_runs(demos=False, owner=views.owner_of("me"))] == ["done", "done"]
    assert np.array_equal(runs.Run.open(older.folder).tensor, whole.tensor)
    assert not tab.go_on("me", [older.id])[tab.offer.row].visible, "asked again, as by a second page"


def test_a_page_that_outlived_its_server_offers_what_was_interrupted(tab: SynthesisTab) -> None:
    run = killed(2)
    browser = Browser(tab)
    browser.key, browser.seen = "a job of the earlier server", {"status": "running"}
    told = browser.ask()
    assert told[tab.offer.row].visible and told[tab.offer.waiting] == [run.id]


class Browser:
    """What the browser of one page holds: the key, what it was told, and the status line."""

    def __init__(self, tab: SynthesisTab) -> None:
        self.tab, self.key, self.seen, self.line = tab, None, {}, {}

    def take(self, told: dict[Any, Any]) -> dict[Any, Any]:
        """An answer arrives."""
        self.key = told.get(self.tab.session.key, self.key)
        self.seen = told.get(self.tab.session.seen, self.seen)
        self.line = told.get(self.tab.stage.status, self.line)
        return told

    def launch(self, config: SynthesisConfig = CONFIG) -> dict[Any, Any]:
        """Presses Start; the answer, which has not arrived yet."""
        plan = make_plan(config)
        return self.tab.launch("me", lambda owner: start.new(owner, plan))

    def ask(self) -> dict[Any, Any]:
        """Asks whether there is news, and if so for them; the answers, which have not arrived yet."""
        told = self.tab.tick("me", self.key, self.seen, self.line, {"items": []}, False, REQUEST)
        if self.tab.news in told:
            told |= self.tab.poll("me", self.key, None, self.seen, self.line, False, REQUEST)
        return told

    def until(self, state: str) -> dict[Any, Any]:
        """Asks for news until the status line says so; the last answer."""
        end = time.monotonic() + 60
        while time.monotonic() < end:
            told = self.take(self.ask())
            if self.line["state"] == state:
                return told
            time.sleep(0.02)
        raise AssertionError(f"the run was not {state} within a minute: {self.line}")


def test_the_end_of_a_run_is_told_with_its_files_and_its_key_still_finds_it(tab: SynthesisTab) -> None:
    page = Browser(tab)
    page.take(page.launch())
    told = page.until("done")
    assert told[tab.stage.json].interactive
    assert [track["label"] for track in told[tab.stage.player]["tracks"]] == ["stimulus", "out of the noise", "bowling"]
    views.JOBS._jobs.pop(page.key)  # as when it is forgotten
    view = views.find(page.key, views.owner_of("me"))
    assert view is not None and view.steps[-1] == 3 and views.find(page.key, views.owner_of("you")) is None
    assert tab.open("me", page.key)[tab.session.key] == view.key != page.key, "after a reload by the run's own name"


def test_a_page_without_news_is_told_next_to_nothing(tab: SynthesisTab, monkeypatch: pytest.MonkeyPatch) -> None:
    page, timer = Browser(tab), tab.session.timer
    page.take(page.launch(CONFIG.replace(steps=2000)))
    page.until("running")
    job = views.JOBS.get(page.key, views.owner_of("me"))
    assert job is not None
    views.JOBS.pause(job)
    page.until("paused")
    time.sleep(0.3)  # the step that was going on
    page.take(page.ask())
    assert set(page.ask()) == {timer}, "it is paused, and all of it was told"
    job.control.set(coherence=0.25)
    hidden = tab.tick("me", page.key, page.seen, page.line, {"items": []}, True, REQUEST)
    assert set(hidden) == {timer} and hidden[timer].value == 4, "nobody sees it"
    monkeypatch.setattr(views.JOBS, "place", lambda job: 5)
    told = page.ask()
    assert told[timer].value == 3 and told[tab.stage.status]["text"].startswith("place 5 in the queue · begins soon")
    monkeypatch.undo()
    views.JOBS.stop(job)
    assert page.until("stopped")[tab.stage.start].interactive
    monkeypatch.setattr(preload, "ready", lambda: True)
    told = page.ask()
    assert set(told) == {timer} and told[timer].value == 4


def test_while_a_run_goes_on_its_page_asks_for_news_alone(tab: SynthesisTab, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preload, "ready", lambda: True)
    page, timer, pulse = Browser(tab), tab.session.timer, tab.session.pulse
    page.take(page.launch(CONFIG.replace(steps=2000)))
    page.until("running")
    while pulse not in (told := page.take(page.ask())):
        time.sleep(0.02)
    assert told[pulse].active
    time.sleep(0.3)  # a few steps, of which the other timer needn't tell
    assert set(told := page.ask()) == {timer} and told[timer].value == 4
    news = tab.poll("me", page.key, None, page.seen, page.line, True, REQUEST)
    assert set(news) == {pulse} and news[pulse].value == 4, "nobody sees it"
    assert tab.stage.player in page.take(tab.poll("me", page.key, None, page.seen, page.line, False, REQUEST))
    page.seen["told"] -= 60  # its timer was stopped by an answer that came late
    time.sleep(0.3)
    assert pulse in page.take(page.ask())
    job = views.JOBS.get(page.key, views.owner_of("me"))
    views.JOBS.pause(job)
    assert not page.until("paused")[pulse].active
    views.JOBS.resume(job)
    assert page.until("running") and page.seen["status"] == "running", "the first timer notices it at once"
    views.JOBS.stop(job)
    told = page.until("stopped")
    assert not told[pulse].active and told[timer].value <= session.SOON + 0.5


def test_a_late_answer_about_the_run_before_is_made_good(tab: SynthesisTab) -> None:
    page = Browser(tab)
    page.take(page.launch())
    late = page.until("done")
    first = views.JOBS.run_of(page.key)
    page.take(page.launch(CONFIG.replace(action="clapping", steps=2000)))
    second = page.key
    page.line = late[tab.stage.status]  # it arrives after that of the second start
    told = page.take(page.ask())
    assert page.line["run"] == second and page.line["state"] in ACTIVE and told[tab.stage.timeline].maximum == 2000
    assert told[tab.stage.stop].interactive and not told[tab.stage.json].interactive
    late = page.until("running")

    page.take(tab.open("me", first))  # the first run is opened, and then the second's news arrive
    page.line = late[tab.stage.status]
    told = page.take(page.ask())
    assert page.line["run"] == first and page.line["state"] == "done"
    assert told[tab.stage.json].interactive and not told[tab.stage.stop].interactive
    assert tab.stage.player not in page.take(page.ask()), "and then all is well"


def test_an_idle_answer_that_comes_late_does_not_slow_the_page_down(tab: SynthesisTab) -> None:
    page = Browser(tab)
    idle = page.ask()
    page.take(page.launch(CONFIG.replace(steps=2000)))
    page.take(idle)
    assert page.take(page.ask())[tab.session.timer].value == session.SOON
    assert page.line["run"] == page.key


def test_a_page_that_slept_finds_the_run_that_ended_meanwhile(tab: SynthesisTab) -> None:
    page = Browser(tab)
    page.take(page.launch())
    other = _twin(page)
    other.until("done")
    views.JOBS._jobs.pop(other.key)
    told = page.take(page.ask())
    assert page.line["state"] == "done" and told[tab.stage.json].interactive
    assert tab.stage.player not in page.take(page.ask()), "it is told once"
    runs.delete(runs.find(views.JOBS.run_of(page.key), views.owner_of("me")), views.owner_of("me"))
    page.seen = {"status": "running"}
    assert page.take(page.ask())[tab.stage.start].interactive and "not here any more" in page.line["text"]


def test_the_same_problem_of_two_runs_is_told_twice(tab: SynthesisTab) -> None:
    def fails(control: Any) -> Any:
        raise RunError("The disk is full.")

    told = []
    for _ in range(2):
        page = Browser(tab)
        page.take(tab.launch("me", lambda owner: views.JOBS.start(owner, CONFIG, Control(), fails)))
        told.append(page.until("error")[tab.problem])
    assert told[0] != told[1] and {problem.partition("\n")[2] for problem in told} == {"The disk is full."}


def _twin(page: Browser) -> Browser:
    twin = Browser(page.tab)
    twin.key, twin.seen, twin.line = page.key, page.seen, page.line
    return twin


def test_a_page_that_opens_with_a_clip_of_networks_elsewhere_offers_what_can_be_started(
    tab: SynthesisTab, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = Browser(tab)
    browser.take(browser.launch())
    browser.until("done")
    steps = tab.panel.settings["steps"]
    run = tab.open("me", browser.key, first=True)
    assert run[steps]["value"] == CONFIG.steps
    monkeypatch.setattr("app.controls.runs_here", lambda config: False)
    opened = tab.open("me", browser.key, first=True)
    assert opened[steps]["value"] == default_config().steps and opened[tab.session.key] == run[tab.session.key]
    said = run[tab.stage.status]["text"], opened[tab.stage.status]["text"]
    name = models.spec(default_config().model).name
    assert said[1] == f"{said[0]} · Start makes “{default_config().action}”, by {name}"
    assert tab.open("me", browser.key)[steps]["value"] == CONFIG.steps  # a person chose it: its settings, and how to get them


def test_a_link_fills_the_controls_and_puts_its_run_on_the_stage(tab: SynthesisTab) -> None:
    def opened(**params: str) -> dict[Any, Any]:
        return tab.load("me", None, False, SimpleNamespace(session_hash="page", query_params=params))  # type: ignore[arg-type]

    told = opened(model="tiny", action="tai chi", coherence="2.5", utm_source="mail", run="5-r50-making-pizza")
    settings = tab.panel.settings
    assert told[settings["model"]].value == "tiny" and told[settings["action"]].value == "tai chi"
    assert told[settings["coherence"]]["value"] == 2.5 and told[tab.session.key] == "5-r50-making-pizza"
    for params, sentence in (
        ({"model": "nobody", "action": "tai chi"}, "nobody"),
        ({"model": "tiny", "action": "tai chi", "coherence": "much"}, "coherence"),
        ({"model": "tiny", "action": "tai chi", "stimuli": '["/etc/passwd"]'}, "does not hold"),
    ):
        problem = opened(**params)[tab.problem]
        assert problem.startswith("link\nThe link can't be followed") and sentence in problem
    assert tab.problem not in opened(run="nobodys")


class Controls:
    """What the widgets of one page say, and what they were filled with."""

    def __init__(self, tab: SynthesisTab) -> None:
        self.tab, self.run = tab, None
        self.said = {part: part.value for part in tab.panel.inputs}

    def take(self, told: dict[Any, Any]) -> Controls:
        """An answer arrives."""
        self.run = told.get(self.tab.panel.run, self.run)
        self.said = dict(zip(self.said, said(self.tab.panel, told, list(self.said.values())), strict=True))
        return self

    def link(self, key: str | None) -> dict[str, str]:
        """The words of the link that is copied while a job or a run is on the stage."""
        told = self.tab.panel.link_to("me", key, self.run, *self.said.values())
        return dict(parse_qsl(told[self.tab.panel.query].partition("#")[0]))

    def start(self, ends: str = "done") -> views.View:
        """The run that Start makes, which ends so."""
        page = Browser(self.tab)
        page.take(self.tab.start("me", False, self.run, *self.said.values()))
        page.until(ends)
        self.key = page.key
        found = views.find(page.key, views.owner_of("me"))
        assert found is not None
        return found


def followed(tab: SynthesisTab, link: dict[str, str]) -> Controls:
    """A page that is opened by a link."""
    return Controls(tab).take(loaded(tab, link, None))


def loaded(tab: SynthesisTab, link: dict[str, str], key: str | None, again: bool = False) -> dict[Any, Any]:
    """A page that is opened by a link, or reloaded, in a browser that knows what it had on its stage."""
    request: Any = SimpleNamespace(session_hash="page", query_params=link)
    return tab.load("me", key, again, request)


def test_a_reload_shows_what_came_onto_the_stage_after_a_link_was_followed(tab: SynthesisTab) -> None:
    old, other = ([run for run, _ in runs.perform(CONFIG.replace(seed=i), owner=views.owner_of("me"))][-1] for i in (0, 1))
    link = Controls(tab).take(tab.open("me", old.id)).link(old.id)
    page, key, seed = Browser(tab), tab.session.key, tab.panel.settings["seed"]
    page.take(page.launch(CONFIG.replace(seed=2, steps=2000)))
    assert loaded(tab, link, page.key)[key] == old.id, "a link that is followed while a run goes on"
    told = loaded(tab, link, page.key, again=True)
    assert told[key] == page.key and told[seed]["value"] == 2
    told = loaded(tab, {name: link[name] for name in ("model", "action")}, page.key, again=True)
    assert told[key] == page.key and told[seed]["value"] == 2, "a link to settings, too"
    job = views.JOBS.get(page.key, views.owner_of("me"))
    assert job is not None
    views.JOBS.stop(job)
    page.until("stopped")
    assert loaded(tab, link, other.id, again=True)[key] == other.id, "opened since, or ended"
    told = loaded(tab, link | {"seed": "7", "run": "nobodys"}, other.id, again=True)
    assert told[key] == other.id and told[seed]["value"] == 7, "of somebody else's run the settings stay"
    assert loaded(tab, link, "gone", again=True)[key] == old.id


@pytest.mark.parametrize("stimuli", [("bundled:3/tai chi",), ("bundled:3", "bundled:4"), ("bundled:3",), ()])
def test_a_link_to_a_run_gives_its_stimuli_whatever_the_controls_can_name(tab: SynthesisTab, stimuli: tuple[str, ...]) -> None:
    run = [run for run, _ in runs.perform(CONFIG.replace(stimuli=stimuli), owner=views.owner_of("me"))][-1]
    shown = Controls(tab).take(tab.open("me", run.id))
    link = shown.link(run.id)
    assert link["run"] == run.id and links.read(link) == run.config
    there = followed(tab, link)
    assert there.link(run.id) == link
    again = there.start()
    assert again.config == run.config and np.array_equal(again.clips[-1], run.clip)
    shown.said[tab.panel.settings["steps"]] = 4  # what is changed holds, and the stimuli stay
    assert links.read(shown.link(run.id)) == run.config.replace(steps=4) and "run" not in shown.link(run.id)
    assert begins(shown.run, list(shown.said.values()))[0] == run.config.replace(steps=4)
    shown.said[tab.panel.settings["action"]] = "tai chi"  # until the action changes, too: then they are what the controls name
    assert begins(shown.run, list(shown.said.values()))[0].stimuli == (("bundled:3",) if stimuli else ())


def test_a_run_with_an_own_video_has_a_link_and_its_owner_finds_it_there(tab: SynthesisTab, tmp_path: Path) -> None:
    mine = tmp_path / "mine.mp4"
    video.write_mp4(np.zeros((8, 32, 32, 3), np.uint8), mine)
    run = [run for run, _ in runs.perform(CONFIG.replace(stimuli=(str(mine),)), owner=views.owner_of("me"))][-1]
    shown = Controls(tab).take(tab.open("me", run.id))
    link = shown.link(run.id)
    assert link["run"] == run.id and not any("mine" in word for word in link.values())
    there = followed(tab, link)
    assert there.said[tab.panel.stimulus.kind] == "own video" and there.link(run.id) == link
    assert tab.start("me", False, there.run, *there.said.values()) == gr.skip(), "the video has to be there"
    there.said[tab.panel.settings["steps"]] = 4
    assert (led := links.read(there.link(run.id))) is not None and (led.steps, led.stimuli) == (4, ())
    assert tab.start("me", False, there.run, *there.said.values()) == gr.skip()


def test_a_link_to_a_run_of_networks_elsewhere_leads_to_that_run(tab: SynthesisTab, monkeypatch: pytest.MonkeyPatch) -> None:
    run = [run for run, _ in runs.perform(CONFIG, owner=views.owner_of("me"))][-1]
    monkeypatch.setattr("app.controls.runs_here", lambda config: False)
    shown = Controls(tab).take(tab.open("me", run.id, first=True))
    link = shown.link(run.id)
    assert link["run"] == run.id and links.read(link) == run.config
    assert begins(shown.run, list(shown.said.values()))[0] == default_config(), "what Start can do at once"
    shown.said[tab.panel.settings["seed"]] = 9
    assert links.read(shown.link(run.id)) == default_config().replace(seed=9) and "run" not in shown.link(run.id)


def test_changes_travel_with_a_link_and_are_made_again_by_who_follows_it(tab: SynthesisTab) -> None:
    changes = [{"step": 2, "field": "coherence", "value": 2.5}]
    steered = runs.perform(CONFIG.replace(stimuli=("bundled:3/tai chi",)), Control(changes), owner=views.owner_of("me"))
    run = [run for run, _ in steered][-1]
    shown = Controls(tab).take(tab.open("me", run.id))
    assert shown.said[tab.panel.settings["coherence"]] == 2.5 and shown.link(run.id)["run"] == run.id
    assert begins(shown.run, list(shown.said.values())) == (run.config.replace(coherence=2.5), (), ()), "where the sliders are"
    there = followed(tab, shown.link(run.id))
    assert there.said[tab.panel.settings["coherence"]] == CONFIG.coherence
    again = there.start()
    assert list(again.changes) == changes and np.array_equal(again.clips[-1], run.clip)
    assert there.link(there.key)["changes"] == '[[2, "coherence", 2.5]]', "of the run that it made, too"


def test_a_link_to_a_run_that_was_stopped_makes_it_as_far(tab: SynthesisTab) -> None:
    control = Control()
    for run, step in runs.perform(CONFIG.replace(steps=9), control, owner=views.owner_of("me")):  # noqa: B007
        if step.index == 4:
            control.stop()
    link = Controls(tab).take(tab.open("me", run.id)).link(run.id)
    assert link["legs"] == "[[4, 9]]"
    again = followed(tab, link).start("stopped")
    assert again.metrics[-1]["step"] == 4 and np.array_equal(again.clips[-1], run.clip)


def test_while_a_run_is_steered_a_link_leads_to_it(tab: SynthesisTab) -> None:
    shown, page = Controls(tab), Browser(tab)
    shown.take(tab.panel.fill(CONFIG.replace(stimuli=("bundled:3/tai chi",), steps=2000)))
    page.take(tab.start("me", False, shown.run, *shown.said.values()))
    shown.take(page.until("running"))
    job = views.JOBS.get(page.key, views.owner_of("me"))
    assert job is not None
    job.control.set(coherence=2.5)
    shown.said[tab.panel.settings["coherence"]] = 2.5
    views.JOBS.stop(job)
    end = time.monotonic() + 60
    while page.line["state"] != "stopped" and time.monotonic() < end:
        shown.take(page.take(page.ask()))
        time.sleep(0.02)
    assert job.run is not None and shown.link(page.key)["run"] == job.run.id
