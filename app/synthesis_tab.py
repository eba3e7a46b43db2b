"""The first tab: the stage on the left, the controls on the right."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import gradio as gr

from leaps_core import models, runs
from leaps_core.config import SynthesisConfig, bundled_seed
from leaps_core.errors import LeapsError, RunError
from leaps_core.models import weights

from . import controls, player, stage, views, warmup, widgets
from .jobs import LIVE, Job
from .session import CALM, IN_TURN, LATER, QUICK, SOON, Session, toasts
from .texts import sections
from .views import JOBS

PLOT_SECONDS = 2.0
"""Plots cost more than the clip, so they are sent less often while a run is going on."""

MOVE_CURSOR = "(...values) => { window.leapsCursor(values[2]); return values; }"


class SynthesisTab:
    """Lays out the tab and connects it. `load` and `unload` serve the page itself, `open` and `launch` all tabs."""

    def __init__(self, session: Session) -> None:
        self.session, self.ready, self.problem = session, gr.State(False), gr.State(("", ""))
        with gr.Row(equal_height=False, elem_id="columns"):
            with gr.Column(scale=3, min_width=320, elem_id="stage"):
                self.stage = stage.build()
            with gr.Column(scale=2, min_width=300, elem_id="controls"):
                self._lay_out_controls()
        self._wire_stage()
        self._wire_controls()

    # ------------------------------------------------------------------------------------------------------- layout

    def _lay_out_controls(self) -> None:
        about, words = sections("about"), sections("settings")
        with gr.Accordion(about["looking"].title, open=False):
            gr.Markdown(about["looking"].text)
        gr.Markdown(f"**{about['demos'].title}.** {about['demos'].text}", elem_classes="caption")
        self.demos = widgets.gallery(elem_id="demos")
        self.settings: dict[str, Any] = {}
        with gr.Group():
            self._add("model")
            self.facts = gr.Markdown(elem_id="facts", padding=True)
            self.weights = gr.Button("Download weights", size="sm", visible=False)
            with gr.Row():
                self._add("action", "verifier")
            with gr.Row():
                self._add("steps", "seed")
        with gr.Group():
            with gr.Row(equal_height=True):
                with gr.Column(scale=5, min_width=180):
                    self.stimulus = controls.stimulus(words["stimulus"], "stimulus-video")
                with gr.Column(scale=3, min_width=130, elem_id="preview"):
                    self.preview = player.player()
        with gr.Row(elem_id="plan"):
            self.estimate = gr.Markdown(elem_classes="caption", elem_id="estimate")
            self.paper = gr.Button("Paper's settings", size="sm", scale=0, min_width=130)
            self.again = gr.UploadButton("Run again from JSON", size="sm", scale=0, min_width=150, file_types=[".json"])
        gr.Markdown("**Steer.** These act on the running clip, too, from the next step on.", elem_classes="caption")
        with gr.Group():
            for left, right in zip(controls.STEER[::2], (*controls.STEER[1::2], None), strict=True):
                with gr.Row():
                    self._add(*(name for name in (left, right) if name))
        with gr.Accordion("More settings", open=False):
            for left, right in zip(controls.MORE[::2], (*controls.MORE[1::2], None), strict=False):
                with gr.Row():
                    self._add(*(name for name in (left, right) if name))

    def _add(self, *names: str) -> None:
        for name in names:
            self.settings[name] = controls.widget(name)

    # ------------------------------------------------------------------------------------------------------- wiring

    @property
    def inputs(self) -> list[Any]:
        """Every setting's widget and the stimulus', in the order in which `_config` takes their values."""
        return [*(self.settings[name] for name in controls.ORDER), *self.stimulus.widgets]

    @property
    def outputs(self) -> list[Any]:
        """All that an event of this tab may change."""
        session = self.session
        return [
            *self.stage.all,
            *self.inputs,
            self.facts,
            self.weights,
            self.preview,
            self.estimate,
            self.demos,
            session.visitor,
            session.key,
            session.seen,
            session.held,
            session.timer,
        ]

    def _wire_stage(self) -> None:
        session, shown = self.session, self.stage
        me = [session.visitor, session.key]
        shown.start.click(
            self.start,
            [session.visitor, *self.inputs],
            self.outputs,
            show_progress="hidden",
            api_name="start",
            api_visibility="undocumented",
        )
        for name, act in (("pause", JOBS.pause), ("resume", JOBS.resume), ("stop", JOBS.stop)):
            getattr(shown, name).click(self._acting(act), me, [shown.status, session.timer, *self._buttons()], **QUICK)
        session.timer.tick(
            self.poll,
            [*me, session.held, session.seen, shown.status],
            [*shown.all, session.seen, session.timer, self.ready, self.problem],
            **{**QUICK, "api_visibility": "undocumented"},
            api_name="poll",
        )
        self.problem.change(toasts(_tell), self.problem, None, **CALM)
        shown.timeline.input(
            self.scrub,
            [*me, shown.timeline],
            [shown.player, shown.bars, session.held],
            js=MOVE_CURSOR,
            trigger_mode="always_last",
            **QUICK,
        )
        self.demos.pick(toasts(self.pick), session.visitor, self.outputs, **IN_TURN)

    def _wire_controls(self) -> None:
        settings, session, stimulus = self.settings, self.session, self.stimulus
        me = [session.visitor, session.key]
        for name in controls.live_settings():
            event = settings[name].input
            event(self._setting(name), [*me, settings[name]], None, trigger_mode="always_last", **QUICK)
        cast = [settings[name] for name in ("model", "action", "verifier", "judge")]
        settings["model"].change(toasts(self.choose_model), cast, [self.facts, self.weights, *cast[1:]], **CALM)
        self.weights.click(
            toasts(self.download),
            settings["model"],
            [self.facts, self.weights, settings["model"]],
            show_progress_on=self.facts,
            concurrency_limit=1,
            api_visibility="private",
        )
        gr.on(
            [settings["model"].change, settings["action"].change, *(part.change for part in stimulus.widgets)],
            toasts(self.show_stimulus),
            [settings["model"], settings["action"], *stimulus.widgets],
            [self.preview, stimulus.seed, stimulus.file, stimulus.start],
            trigger_mode="always_last",
            **CALM,
        )
        costly = ("model", "action", "verifier", "judge", "steps", "frames", "size", "coarse")
        gr.on(
            [self.ready.change, *(settings[name].change for name in costly)],
            self.show_estimate,
            self.inputs,
            self.estimate,
            trigger_mode="always_last",
            **QUICK,
        )
        self.paper.click(toasts(self.paper_settings), self.inputs, self.outputs, **CALM)
        self.again.upload(self.run_again, [session.visitor, self.again], self.outputs, **CALM)

    def _buttons(self) -> list[Any]:
        return [self.stage.start, self.stage.pause, self.stage.resume, self.stage.stop]

    # ------------------------------------------------------------------------------------------------------- events

    def load(self, visitor: str | None, key: str | None) -> dict[Any, Any]:
        """A page was opened: shows its run again, else the visitor's newest, else a demo."""
        visitor = visitor or secrets.token_urlsafe(24)
        owner = views.owner_of(visitor)
        seen = runs.list_runs(owner=owner)
        demos = sorted((run for run in seen if run.demo), key=lambda run: run.id)
        updates = {
            self.session.visitor: visitor,
            self.demos: widgets.cards(demos, small=True, empty="None are bundled yet."),
            **stage.transport(self.stage, "done"),
        }
        if views.find(key, owner) is None:
            own = (run for run in seen if run.final and not run.demo)
            key = next((run.id for run in (*own, *demos)), None)
        if key is None:
            return updates | self.fill(default_config()) | {self.stage.status: {"run": None, **warmup.report()}}
        return updates | self.open(visitor, key)

    def unload(self, request: gr.Request) -> None:
        """The page was closed or reloaded."""
        JOBS.leave(request.session_hash or "")

    def open(self, visitor: str | None, key: str) -> dict[Any, Any]:
        """Puts a job or a run on the stage and its settings into the controls. Raises `RunError`."""
        key, view = JOBS.run_of(key), views.find(key, views.owner_of(visitor))
        if view is None:
            raise RunError("This run is not here any more.")
        return {
            **self.fill(view.config, view.changes),
            **self._on_stage(key, views.owner_of(visitor)),
            self.session.key: key,
            self.session.held: None,
        }

    def _on_stage(self, key: str, owner: str) -> dict[Any, Any]:
        """All that the stage shows of a job or a run. Raises `RunError`."""
        found = views.look(key, owner)
        if isinstance(found, Job):
            status, view = found.status, views.of_job(found)  # in this order: what ends meanwhile is told by the next poll
            return {
                **stage.show(self.stage, view),
                **self._newest(found, view),
                self.stage.status: {"run": key, **stage.report(found)},
                self.session.seen: {"status": status},
                self.session.timer: gr.Timer(SOON),
                **stage.transport(self.stage, status),
                **stage.downloads(self.stage, None),
            }
        return {
            **stage.show(self.stage, views.of_run(found)),
            self.stage.status: {"run": key, **stage.about(found)},
            self.session.seen: {"idle": warmup.ready()},
            self.session.timer: gr.Timer(SOON),
            **stage.transport(self.stage, "done"),
            **stage.downloads(self.stage, found),
        }

    def pick(self, visitor: str | None, event: gr.EventData) -> dict[Any, Any]:
        """A demo was chosen."""
        return self.open(visitor, str(event.ids[0]))

    @toasts
    def start(self, visitor: str | None, *values: Any) -> dict[Any, Any]:
        """Begins a run with the settings of the controls."""
        config = _config(values)
        controls.check(config)
        return self.launch(visitor, config, lambda control, owner: runs.perform(config, control, owner=owner))

    def launch(
        self,
        visitor: str | None,
        config: SynthesisConfig,
        perform: Callable[[Any, str], Any],
        changes: Iterable[dict[str, Any]] = (),
        before: views.View | None = None,
    ) -> dict[Any, Any]:
        """Queues a job and puts it on the stage; before: what was done earlier, where a run goes on.

        Raises `LeapsError`.
        """
        from leaps_core import Control

        visitor = visitor or secrets.token_urlsafe(24)
        owner = views.owner_of(visitor)
        earlier = (before.metrics, zip(before.steps, before.clips, strict=True)) if before else ((), ())
        job = JOBS.start(owner, config, Control(changes), lambda control: perform(control, owner), *earlier)
        return {
            self.session.visitor: visitor,
            self.session.key: job.id,
            self.session.seen: {"status": "queued"},
            self.session.held: None,
            self.session.timer: gr.Timer(SOON),
            self.stage.status: {"run": job.id, **stage.report(job)},
            self.stage.timeline: gr.Slider(maximum=config.steps, value=0),
            **stage.transport(self.stage, job.status),
            **stage.downloads(self.stage, None),
        }

    @toasts
    def run_again(self, visitor: str | None, file: str) -> dict[Any, Any]:
        """Begins the run that an uploaded run.json tells of, with the changes made while it ran."""
        text = Path(file).read_text(encoding="utf-8", errors="replace")[:2_000_000]
        config, changes = runs.from_json(text)
        controls.check_bundled(config)
        controls.check(config)
        filled = self.fill(config)
        return filled | self.launch(visitor, config, lambda control, owner: runs.perform(config, control, owner=owner), changes)

    def poll(
        self,
        visitor: str | None,
        key: str | None,
        held: int | None,
        seen: dict[str, Any] | None,
        line: dict[str, Any] | None,
        request: gr.Request,
    ) -> dict[Any, Any]:
        """News of the run on the stage: only what has changed since the page was last told. `line` is the status line in
        the browser; where it is of another run, that run's answer came last, and the stage is shown anew."""
        owner, seen = views.owner_of(visitor), seen or {}
        job = JOBS.get(key, owner)
        overtaken = (line or {}).get("run", key) != key
        forgotten = job is None and seen.get("status") in LIVE  # the page was asleep for longer than a job waits
        if key and (overtaken or forgotten):
            with suppress(RunError):  # it is not here any more
                return self._on_stage(key, owner)
        if job is None or not (job.live or seen.get("status") in LIVE):
            return self._idle(key, seen)
        job.page = request.session_hash or ""
        status, view = job.status, views.of_job(job)
        news = len(view.metrics) != seen.get("steps")
        told = {**seen, "status": status, "steps": len(view.metrics), "changes": len(view.changes)}
        updates: dict[Any, Any] = {self.stage.status: {"run": key, **stage.report(job)}, self.session.timer: gr.Timer(SOON)}
        if status != seen.get("status"):
            updates |= stage.transport(self.stage, status)
        if news and held is None:
            updates |= self._newest(job, view, same_run=seen.get("stimulus", False))
            told["stimulus"] = view.stimulus is not None
        ended, moved = status not in LIVE, told["changes"] != seen.get("changes")
        waited = time.monotonic() - seen.get("plots", 0)
        if ended or moved or (news and waited > PLOT_SECONDS):
            updates |= stage.figures(self.stage, view, held)
            told["plots"] = time.monotonic()
        if ended:
            # with the run's key, so that the same words about two runs are two toasts
            updates |= {**stage.downloads(self.stage, job.run), self.problem: (key, job.error)}
        return updates | {self.session.seen: told}

    def _newest(self, job: Job, view: views.View, same_run: bool = False) -> dict[Any, Any]:
        row = view.metrics[-1] if view.metrics else None
        step = row["step"] if row else 0
        clip = job.step.frames if job.step else None
        return {
            **stage.picture(self.stage, view, step, clip, row, same_run),
            self.stage.timeline: gr.Slider(maximum=job.config.steps, value=step),
        }

    def _idle(self, key: str | None, seen: dict[str, Any]) -> dict[Any, Any]:
        """Nothing is going on here: says when the models are ready, and asks less often from then on."""
        if seen.get("status") in LIVE:
            return {
                self.stage.status: {"run": key, "state": "stopped", "text": "this run is not here any more"},
                self.session.seen: {"status": "stopped"},
                **stage.transport(self.stage, "stopped"),
            }
        updates: dict[Any, Any] = {self.session.timer: gr.Timer(LATER if warmup.ready() else SOON)}
        if not seen.get("idle") and "status" not in seen:
            updates |= {
                self.stage.status: {"run": key, **warmup.report()},
                self.session.seen: {"idle": warmup.ready()},
                self.ready: warmup.ready(),
            }
        return updates

    def _acting(self, act: Callable[[Job], None]) -> Callable[..., Any]:
        def acts(visitor: str | None, key: str | None) -> dict[Any, Any]:
            job = JOBS.get(key, views.owner_of(visitor))
            if job is None:
                return gr.skip()
            act(job)
            return {
                self.stage.status: {"run": key, **stage.report(job)},
                self.session.timer: gr.Timer(SOON),
                **stage.transport(self.stage, job.status),
            }

        return acts

    def _setting(self, name: str) -> Callable[..., None]:
        def sets(visitor: str | None, key: str | None, value: Any) -> None:
            job = JOBS.get(key, views.owner_of(visitor))
            if job is not None and job.live:
                try:
                    job.control.set(**{name: value})
                except LeapsError as error:
                    raise gr.Error(str(error), print_exception=False) from None

        return sets

    def scrub(self, visitor: str | None, key: str | None, step: float) -> dict[Any, Any]:
        """The timeline was moved: shows the snapshot there."""
        view = views.find(key, views.owner_of(visitor))
        if view is None:
            return gr.skip()
        newest = view.metrics[-1]["step"] if view.metrics else 0
        return {
            **stage.picture(self.stage, view, *view.moment(int(step)), same_run=True),
            self.session.held: None if step >= newest else int(step),
        }

    def choose_model(self, key: str, *wanted: str | None) -> dict[Any, Any]:
        """Another model: its facts, its world's actions, and who can verify and judge it. `wanted`: what was chosen of these
        three; what the model can't have gives way to the first."""
        offer = controls.to_download(key)
        updates = {self.facts: controls.model_facts(key), self.weights: gr.Button(offer, visible=bool(offer))}
        for name, known, choice in zip(("action", "verifier", "judge"), controls.partners(key), wanted, strict=True):
            updates[self.settings[name]] = gr.Dropdown(list(known), value=choice if choice in known else known[0])
        return updates

    def download(self, key: str, progress: gr.Progress = gr.Progress()) -> dict[Any, Any]:  # noqa: B008
        """Fetch a model's weights; how far it is shows where its facts stand. Raises `ModelError`."""
        spec = models.spec(key)
        weights.download(spec, lambda done, total: progress((done, total), f"{spec.name}: downloading", unit="bytes"))
        gr.Info(f"The weights of {spec.name} are here.")
        return {
            self.facts: controls.model_facts(key),
            self.weights: gr.Button(visible=False),
            self.settings["model"]: gr.Dropdown(controls.model_choices()),
        }

    def show_stimulus(
        self, model: str, action: str, kind: str, seed: float | None, file: str | None, start: float | None
    ) -> dict[Any, Any]:
        """The stimulus, shown at once."""
        clip, notices = controls.preview(model, action, kind, seed, file, start)
        for notice in notices:
            gr.Info(notice)
        shown = [player.track("preview", "stimulus", clip)] if clip is not None else []
        return {**self.stimulus.needed(kind, file), self.preview: player.tracks(*shown)}

    def show_estimate(self, *values: Any) -> str:
        """Time and memory for the settings of the controls."""
        try:
            return self.show_config(_config(values))
        except LeapsError as error:
            return str(error)

    def show_config(self, config: SynthesisConfig) -> str:
        """Time and memory for a config, or why it can't be."""
        try:
            return controls.estimate(config)
        except LeapsError as error:
            return str(error)

    def paper_settings(self, *values: Any) -> dict[Any, Any]:
        """The settings of the paper for the chosen model, and how long they take."""
        config = _config(values)
        config = config.but(**models.paper_settings(models.spec(config.model)))
        gr.Info("The paper's settings are filled in. " + controls.estimate(config).replace("**", ""))
        return self.fill(config)

    def fill(self, config: SynthesisConfig, changes: Sequence[dict[str, Any]] = ()) -> dict[Any, Any]:
        """The controls say this config."""
        updates = {
            self.settings[name]: gr.update(value=value)
            for name, value in zip(controls.ORDER, controls.values_of(config, changes), strict=True)
        }
        updates |= self._chosen_model(config)
        seed = bundled_seed(config.stimuli[0]) if config.stimuli else None
        kind = controls.KINDS[2 if not config.stimuli else 0 if seed is not None else 1]
        updates |= self.show_stimulus(config.model, config.action, kind, seed, None, 0)
        if len(config.stimuli) > 1:
            gr.Info(
                f"This run was primed with {len(config.stimuli)} clips. The controls can name one: Start would take the "
                "first. Replay (tab Runs) takes them all."
            )
        updates |= {
            self.stimulus.file: gr.File(value=None, visible=kind == controls.KINDS[1]),
            self.stimulus.seed: gr.Number(value=seed or 0, visible=kind == controls.KINDS[0]),
        }
        return updates | {self.stimulus.kind: kind, self.estimate: self.show_config(config)}

    def _chosen_model(self, config: SynthesisConfig) -> dict[Any, Any]:
        return {
            **self.choose_model(config.model, config.action, config.verifier, config.judge),
            self.settings["model"]: gr.Dropdown(controls.model_choices(), value=config.model),
        }


def default_config() -> SynthesisConfig:
    """What the controls say on a page that has no run yet."""
    model = warmup.default_model()
    return SynthesisConfig(model=model.key, action=models.labels(model.world)[0])


def _tell(problem: tuple[str, str]) -> None:
    """A toast, as events that answer at once can't show one. `problem`: a run's key, and what went wrong, if anything."""
    if problem[1]:
        raise RunError(problem[1])


def _config(values: Sequence[Any]) -> SynthesisConfig:
    count = len(controls.ORDER)
    return controls.config_of(values[:count], values[count:])
