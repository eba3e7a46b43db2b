"""The first tab: the stage on the left, the controls on the right."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import gradio as gr

from leaps_core import runs
from leaps_core.errors import LeapsError, RunError

from .. import closer, controls, guide, links, news, offer, preload, stage, start, tray, views, widgets
from ..filled import Filled, begins
from ..jobs import ACTIVE, Job
from ..lessons_panel import LessonsPanel
from ..session import CALM, HIDDEN, IN_TURN, LATER, QUICK, SOON, Session, Told, refused, tell, told
from ..settings_panel import SettingsPanel, default_config
from ..texts import say, sections
from ..views import JOBS

FEW = 3
"""Of so many runs that are left to a visitor for the day they are told."""
PLOT_SECONDS = 2.0
"""Plots cost more than the clip, so they are sent less often while a run is going on."""


class SynthesisTab:
    """Lays out the tab and connects it. `load` and `unload` serve the page itself, `open` and `launch` all tabs."""

    def __init__(self, session: Session) -> None:
        self.session = session
        # not states: of their changes the browser learns in events only that wait in Gradio's queue
        self.news, self.problem = gr.Number(0, visible="hidden"), gr.Textbox("", visible="hidden")
        self.hidden = gr.Checkbox(False, visible="hidden")
        self.offer = offer.build()
        with gr.Row(equal_height=False, elem_id="columns"):
            with gr.Column(scale=3, min_width=320, elem_id="stage"):
                self.stage = stage.build()
                self.closer = closer.build(session, self.problem)
            with gr.Column(scale=2, min_width=300, elem_id="controls"):
                self._lay_out_controls()
        self.tray = tray.build(render=False)  # by the page, below all tabs
        self._wire_stage()
        self._wire_controls()

    # ------------------------------------------------------------------------------------------------------- layout

    def _lay_out_controls(self) -> None:
        about = sections("about")
        self.lessons = LessonsPanel()
        with gr.Accordion(about["looking"].title, open=False):
            gr.Markdown(about["looking"].text)
        gr.Markdown(f"**{about['demos'].title}.** {about['demos'].text}", elem_classes="caption")
        self.demos = widgets.gallery(elem_id="demos")
        self.panel = SettingsPanel(self.session)

    # ------------------------------------------------------------------------------------------------------- wiring

    @property
    def outputs(self) -> list[Any]:
        """All that an event of this tab may change."""
        parts = [*self.stage.all, *self.closer.all, *self.offer.all, *self.panel.outputs]
        return [*parts, self.demos, self.problem, *self.session.all]

    def _wire_stage(self) -> None:
        session, shown = self.session, self.stage
        me = [session.visitor, session.key]
        shown.start.click(
            self.start,
            [session.visitor, shown.keep, self.panel.run, *self.panel.inputs],
            self.outputs,
            api_name="start",
            **{**CALM, "api_visibility": "undocumented"},
        )
        for button, command in ((shown.pause, JOBS.pause), (shown.resume, JOBS.resume), (shown.stop, JOBS.stop)):
            button.click(self._commanding(command), me, [shown.status, session.timer, *self._buttons()], **QUICK)
        shown.keep.input(self.keep, [*me, shown.keep], None, **QUICK)
        named = {**QUICK, "api_visibility": "undocumented"}
        session.timer.tick(
            self.tick,
            [*me, session.seen, shown.status, self.tray, self.hidden],
            [shown.status, session.timer, self.news, self.tray],
            **named,
            js=HIDDEN,
            api_name="tick",
        )
        moved = [*self.panel.of(guide.moved()), self.panel.run]
        gr.on(
            [self.news.change, session.pulse.tick],
            self.poll,
            [*me, session.held, session.seen, shown.status, self.hidden],
            [*shown.all, *self.offer.all, *moved, session.seen, session.timer, session.pulse, self.problem],
            **named,
            js=HIDDEN,
            trigger_mode="always_last",
            api_name="poll",
        )
        self.problem.change(tell, self.problem, None, **CALM)
        shown.timeline.input(
            self.scrub,
            [*me, shown.timeline],
            [shown.player, shown.bars, session.held],
            js=stage.MOVE_CURSOR,
            trigger_mode="always_last",
            **QUICK,
        )
        self.offer.go_on.click(told(self.go_on), [session.visitor, self.offer.waiting], self.outputs, **CALM)
        self.offer.later.click(lambda: offer.show(self.offer, []), None, self.offer.all, **QUICK)
        self.demos.pick(told(self.pick), session.visitor, self.outputs, **IN_TURN)

    def _wire_controls(self) -> None:
        session, panel = self.session, self.panel
        for name in controls.live_settings():
            event, value = panel.settings[name].input, panel.settings[name]
            event(self._setting(name), [session.visitor, session.key, value], None, trigger_mode="always_last", **QUICK)
        panel.again.upload(self.run_again, [session.visitor, panel.again], self.outputs, **CALM)

    def _buttons(self) -> list[Any]:
        return [self.stage.start, self.stage.pause, self.stage.resume, self.stage.stop]

    # ------------------------------------------------------------------------------------------------------- events

    def load(self, visitor: str | None, key: str | None, again: bool, request: gr.Request) -> dict[Any, Any]:
        """A page was opened, or (again) reloaded: shows its run, else the newest, else a demo; controls follow a link."""
        owner = views.owner_of(visitor := visitor or secrets.token_urlsafe(24))
        key, params = links.followed(dict(request.query_params or {}), key, owner, again)
        updates = self._opened(visitor, key) | {self.session.timer: gr.Timer(SOON, active=True)}
        try:
            if asked := links.asked(params, views.find(updates.get(self.session.key), owner)):
                updates |= self.panel.fill(*asked, again=True)
        except LeapsError as error:
            updates[self.problem] = "link\n" + say("The link can't be followed: {why}", why=error)
        return updates

    def _opened(self, visitor: str, key: str | None) -> dict[Any, Any]:
        owner = views.owner_of(visitor)
        seen = runs.list_runs(owner=owner)
        demos = [run for run in seen if run.demo]
        updates = {
            self.session.visitor: visitor,
            self.demos: widgets.cards(demos, small=True, empty=say("None are bundled yet.")),
            **stage.transport(self.stage, "done"),
            **offer.show(self.offer, offer.interrupted(seen)),
        }
        if views.find(key, owner) is None:
            own = (run for run in seen if run.final and not run.demo)
            key = next((run.id for run in (*own, *demos)), None)
        if key is None:
            return updates | self.panel.fill(default_config()) | {self.stage.status: {"run": None, **preload.report()}}
        return updates | self.open(visitor, key, first=True)

    def unload(self, request: gr.Request) -> None:
        """The page was closed or reloaded."""
        JOBS.leave(request.session_hash or "")

    def open(self, visitor: str | None, key: str, first: bool = False) -> dict[Any, Any]:
        """Puts a job or a run on the stage and its settings into the controls; first: what a page opens with, where they
        say what Start can do at once if its networks aren't here. Raises `RunError`."""
        key, view = JOBS.run_of(key), views.find(key, views.owner_of(visitor))
        if view is None:
            raise RunError(say("This run is not here any more."))
        shown = self._on_stage(key, views.owner_of(visitor))
        if first and not controls.runs_here(view.config):
            usual = default_config()
            filled = self.panel.fill(usual) | {self.panel.run: Filled(*view.again, instead=usual)}
            makes = say("Start makes “{action}”, by {model}", action=usual.action, model=widgets.model_name(usual.model))
            shown[self.stage.status]["text"] += f" · {makes}"
        else:
            filled = self.panel.fill(*view.again)
        return {**filled, **shown, **closer.closed(self.closer), self.session.key: key, self.session.held: None}

    def _on_stage(self, key: str, owner: str) -> dict[Any, Any]:
        """All that the stage shows of a job or a run. Raises `RunError`."""
        found = views.look(key, owner)
        if isinstance(found, Job):
            status, view = found.status, views.of_job(found)  # in this order: what ends meanwhile is told by the next poll
            return {
                **stage.show(self.stage, view),
                **self._newest(found, view),
                **guide.told(self.stage.guide, self.panel.settings, found),
                self.stage.status: {"run": key, **stage.report(found)},
                self.stage.keep: found.keep,
                self.session.seen: {"status": status},
                self.session.timer: gr.Timer(SOON),
                **stage.transport(self.stage, status),
                **stage.offered(self.stage, None),
            }
        return {
            **stage.show(self.stage, views.of_run(found)),
            **guide.told(self.stage.guide, self.panel.settings, None),
            self.stage.status: {"run": key, **stage.about(found)},
            self.session.seen: {"idle": preload.ready()},
            self.session.timer: gr.Timer(SOON),
            **stage.transport(self.stage, "done"),
            **stage.offered(self.stage, found),
        }

    def pick(self, visitor: str | None, event: gr.EventData) -> dict[Any, Any]:
        """A demo was chosen."""
        return self.open(visitor, str(event.ids[0]))

    @told
    def start(self, visitor: str | None, keep: bool, run: Filled | None, *values: Any) -> dict[Any, Any]:
        """Begins a run with the settings of the controls. keep: it goes on when its page is closed; run: what they were filled
        with."""
        config, changes, legs = begins(run, values)
        plan = controls.plan(config)
        return self.launch(visitor, lambda owner: start.new(owner, plan, changes, legs), keep)

    def keep(self, visitor: str | None, key: str | None, on: bool) -> None:
        """Whether the run that is going on goes on when its page is closed."""
        job = JOBS.get(key, views.owner_of(visitor))
        if job is not None:
            JOBS.keep(job, on)

    def go_on(self, visitor: str | None, waiting: list[str]) -> dict[Any, Any]:
        """The interrupted run that is offered goes on; then the next one is offered. Raises `LeapsError`."""
        owner = views.owner_of(visitor)
        found = [run for run in offer.interrupted(views.own(owner)) if run.id in waiting]
        if not found:
            return offer.show(self.offer, [])
        return self.resume(visitor, found[0], found[0].config.steps - found[0].done) | offer.show(self.offer, found[1:])

    def resume(self, visitor: str | None, run: runs.Run, more: int) -> dict[Any, Any]:
        """A run goes on for some more steps, in its own folder, on the stage. Raises `LeapsError`."""
        filled = self.panel.fill(*run.longer(more))
        return filled | self.launch(visitor, lambda owner: start.resumed(owner, run, more))

    def launch(self, visitor: str | None, begin: Callable[[str], Job], keep: bool = False) -> dict[Any, Any]:
        """Begins a job (see start.py) for a visitor, and puts it on the stage. Raises `LeapsError`."""
        visitor = visitor or secrets.token_urlsafe(24)
        job = begin(views.owner_of(visitor))
        JOBS.keep(job, keep)
        if (left := JOBS.left_today(job.owner)) is not None and left <= FEW:
            gr.Info(say("Runs that you can still begin within 24 hours: {left}.", left=left))
        return {
            self.stage.keep: keep,
            self.session.visitor: visitor,
            self.session.key: job.id,
            self.session.seen: {"status": "queued"},
            self.session.held: None,
            self.session.timer: gr.Timer(SOON),
            self.stage.status: {"run": job.id, **stage.report(job)},
            self.stage.timeline: gr.Slider(maximum=job.config.steps, value=0),
            **closer.closed(self.closer),
            **guide.told(self.stage.guide, self.panel.settings, job),
            **stage.transport(self.stage, job.status),
            **stage.offered(self.stage, None),
        }

    @told
    def run_again(self, visitor: str | None, file: str) -> dict[Any, Any]:
        """Begins the run that an uploaded run.json tells of, with the changes made while it ran, and its legs."""
        text = Path(file).read_text(encoding="utf-8", errors="replace")[:2_000_000]
        asked = runs.from_text(text)
        controls.check_bundled(asked.config)
        plan = controls.plan(asked.config)
        begun = self.launch(visitor, lambda owner: start.new(owner, plan, asked.changes, asked.legs))
        return self.panel.fill(*asked, again=True) | begun

    def tick(
        self, visitor: str | None, key: str | None, seen: Told, line: Told, going: Told, hidden: bool, request: gr.Request
    ) -> dict[Any, Any]:
        """What the page asks again and again: the status line, and whether there is news, for which it asks `poll`. Gradio
        builds anew whatever an event may change, and a page that waits in the queue has nothing else to change. While a run
        goes on there always is news, so its page asks `poll` by a timer of its own. hidden: nobody sees the page, so it is
        told later."""
        owner = views.owner_of(visitor)
        seen, job, overtaken = seen or {}, JOBS.get(key, owner), news.overtaken(key, line)
        if job:
            job.page = request.session_hash or ""
        if hidden:
            return {self.session.timer: gr.Timer(LATER)}
        updates = tray.news(self.tray, owner, going)
        if not news.to_tell(job, seen):
            stale = overtaken or seen.get("status") in ACTIVE or news.nothing_told(seen)
            return updates | {self.session.timer: gr.Timer(news.rest(moving=bool(updates))), **self._stale(stale)}
        if news.followed(job, seen) and not overtaken:
            return updates | {self.session.timer: gr.Timer(news.rest(moving=bool(updates)))}
        now = (job.status, len(job.metrics), len(job.control.changes))
        status = {"run": key, **stage.report(job)}
        return updates | {
            **({} if overtaken or status == line else {self.stage.status: status}),
            self.session.timer: gr.Timer(news.pause(job)),
            **self._stale(overtaken or now != tuple(seen.get(name) for name in ("status", "steps", "changes"))),
        }

    def _stale(self, stale: bool) -> dict[Any, Any]:
        return {self.news: time.monotonic()} if stale else {}

    def poll(
        self, visitor: str | None, key: str | None, held: int | None, seen: Told, line: Told, hidden: bool, request: gr.Request
    ) -> dict[Any, Any]:
        """News of the run on the stage: only what has changed since the page was last told. `line` is the status line in
        the browser; where it is of another run, that run's answer came last, and the stage is shown anew. hidden: as in
        `tick`."""
        if hidden:
            return {self.session.pulse: gr.Timer(LATER)}
        owner, seen = views.owner_of(visitor), seen or {}
        job = JOBS.get(key, owner)
        forgotten = job is None and seen.get("status") in ACTIVE  # the page was asleep for longer than a job waits
        if key and (forgotten or news.overtaken(key, line)):
            with suppress(RunError):  # it is not here any more
                return self._on_stage(key, owner)
        if not news.to_tell(job, seen):
            return self._idle(key, seen, owner)
        job.page = request.session_hash or ""
        status, view = job.status, views.of_job(job)
        if job.run is not None and status in ("done", "stopped"):
            view = views.of_run(job.run)  # an ended job keeps its last snapshot only
        grown = len(view.metrics) != seen.get("steps", 0)  # until its first step, what was there stays: nothing jumps
        now = {**seen, "status": status, "steps": len(view.metrics), "changes": len(view.changes)}
        updates: dict[Any, Any] = {
            self.stage.status: {"run": key, **stage.report(job)},
            self.session.pulse: gr.Timer(news.pause(job), active=status == "running"),
        }
        now["told"] = time.monotonic() if status == "running" else 0  # see `news.followed`
        if status != "running":
            updates[self.session.timer] = gr.Timer(news.pause(job))
        if status != seen.get("status") or (status == "paused" and grown):  # it may have gone on, to another pause
            updates |= stage.transport(self.stage, status) | guide.told(self.stage.guide, self.panel.settings, job)
        ended, moved = status not in ACTIVE, now["changes"] != seen.get("changes")
        if held is None and (grown or (ended and view.final)):  # the finished clip has scores of its own
            updates |= self._newest(job, view, same_run=seen.get("stimulus", False) and not view.final)
            now["stimulus"] = view.stimulus is not None
        elif ended and held is not None:  # what is seen of a finished run only
            updates |= stage.picture(self.stage, view, *view.snapshot(held))
        waited = time.monotonic() - seen.get("plots", 0)
        if ended or moved:
            updates[self.panel.run] = Filled(*view.again)
        if ended or moved or (grown and waited > PLOT_SECONDS):
            updates |= stage.both_plots(self.stage, view, held)
            now["plots"] = time.monotonic()
        if ended:
            # with the run's key, so that the same words about two runs are two toasts
            updates |= {**stage.offered(self.stage, job.run), self.problem: f"{key}\n{views.shown(job.error)}"}
        return updates | {self.session.seen: now}

    def _newest(self, job: Job, view: views.View, same_run: bool = False) -> dict[Any, Any]:
        row = view.metrics[-1] if view.metrics else None
        step = row["step"] if row else 0
        clip = job.step.frames if job.step else None
        return {
            **stage.picture(self.stage, view, step, clip, row, same_run),
            self.stage.timeline: gr.Slider(maximum=job.config.steps, value=step),
        }

    def _idle(self, key: str | None, seen: dict[str, Any], owner: str) -> dict[Any, Any]:
        """Nothing is going on here: says when the models are ready, and asks less often from then on."""
        if seen.get("status") in ACTIVE:
            return {
                self.stage.status: {"run": key, **widgets.line("stopped", say("this run is not here any more"))},
                self.session.seen: {"status": "stopped"},
                **stage.transport(self.stage, "stopped"),
                **offer.show(self.offer, offer.interrupted(views.own(owner))),  # the server may have been restarted
            }
        updates: dict[Any, Any] = {self.session.timer: gr.Timer(news.rest()), self.session.pulse: gr.Timer(active=False)}
        if news.nothing_told(seen):
            updates |= {self.stage.status: {"run": key, **preload.report()}, self.session.seen: {"idle": preload.ready()}}
        return updates

    def _commanding(self, command: Callable[[Job], None]) -> Callable[..., Any]:
        def commands(visitor: str | None, key: str | None) -> dict[Any, Any]:
            job = JOBS.get(key, views.owner_of(visitor))
            if job is None:
                return gr.skip()
            command(job)
            return {
                self.stage.status: {"run": key, **stage.report(job)},
                self.session.timer: gr.Timer(SOON),
                **stage.transport(self.stage, job.status),
            }

        return commands

    def _setting(self, name: str) -> Callable[..., None]:
        @refused
        def sets(visitor: str | None, key: str | None, value: Any) -> None:
            job = JOBS.get(key, views.owner_of(visitor))
            if job is not None and job.active:
                job.control.set(**{name: value})

        return sets

    def scrub(self, visitor: str | None, key: str | None, step: float) -> dict[Any, Any]:
        """The timeline was moved: shows the snapshot there."""
        view = views.find(key, views.owner_of(visitor))
        if view is None:
            return gr.skip()
        newest = view.metrics[-1]["step"] if view.metrics else 0
        return {
            **stage.picture(self.stage, view, *view.snapshot(int(step)), same_run=True),
            self.session.held: None if step >= newest else int(step),
        }
