"""The settings' side of the first tab: a widget for every setting, the stimulus, and what a run of them would cost."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import astuple
from functools import partial
from typing import Any

import gradio as gr

from leaps_core import models
from leaps_core.config import FRAME_NETWORKS, NETWORKS, STEERING, SynthesisConfig, bundled_action
from leaps_core.errors import LeapsError, VideoError
from leaps_core.models import ModelSpec, weights
from leaps_core.runs import Run

from . import controls, links, player, preload, previews, tray, views, widgets
from .filled import Filled, begins, choice_of, config_of, leads_to, stimuli_of
from .session import CALM, QUICK, Session, told
from .texts import say, sections

FIRST = "juggling balls"
"""The action of a first run, where the model knows it."""
_SAID = {
    "recommended": "The recommended settings are filled in.",
    "quick": "The settings for a quick look are filled in.",
    "paper": "The paper's settings are filled in.",
}
COPY = """(query) => {
  const url = `${location.origin}${location.pathname}?${query.split('#')[0]}`;
  navigator.clipboard?.writeText(url).catch(() => {});
  return url; }"""
"""A script that makes a whole link, and puts it where it can be pasted from. A browser may refuse that, so it is shown, too;
not in the address bar, as that of a frame, such as a Space's, is seen by nobody."""


class SettingsPanel:
    """Lays out the widgets and connects them with each other. `fill` makes them say a config, `config_of` reads it."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.settings: dict[str, Any] = {}
        self.run = gr.State(None)  # a `Filled`
        self._lay_out()
        self._wire()

    def _lay_out(self) -> None:
        words = sections("settings")
        with gr.Group():
            self._add("model")
            self.facts = gr.Markdown(elem_id="facts", padding=True)
            self.weights = gr.Button(say("Download weights"), size="sm", visible=False)
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
            self.link = gr.Button(say("Copy link"), size="sm", scale=0, min_width=100)
            self.query = gr.Textbox("", visible="hidden")
            self.again = gr.UploadButton(say("Run again from JSON"), size="sm", scale=0, min_width=150, file_types=[".json"])
        self.address = gr.Textbox("", label=say("Link"), lines=1, visible=False, buttons=["copy"], elem_id="address")
        with gr.Row(elem_id="presets"):
            gr.Markdown(f"**{words['presets'].title}** {words['presets'].text}", elem_classes="caption")
            self.presets = {
                name: gr.Button(say(title), size="sm", scale=0, min_width=120)
                for name, title in zip(models.PRESETS, ("Recommended", "Quick look", "Paper"), strict=True)
            }
        gr.Markdown(f"**{words['steer'].title}.** {words['steer'].text}", elem_classes="caption")
        self.previews = previews.build()
        with gr.Group():
            for left, right in zip(STEERING[::2], (*STEERING[1::2], None), strict=True):
                with gr.Row():
                    self._add(*(name for name in (left, right) if name))
        with gr.Accordion(say("More settings"), open=False):
            for left, right in zip(controls.MORE[::2], (*controls.MORE[1::2], None), strict=False):
                with gr.Row():
                    self._add(*(name for name in (left, right) if name))

    def _add(self, *names: str) -> None:
        for name in names:
            self.settings[name] = controls.widget(name)

    @property
    def inputs(self) -> list[Any]:
        """Every setting's widget and the stimulus', in the order in which `config_of` takes their values."""
        return [*(self.settings[name] for name in controls.ORDER), *self.stimulus.widgets]

    @property
    def outputs(self) -> list[Any]:
        """All that its events may change."""
        return [*self.inputs, self.facts, self.weights, self.preview, self.estimate, self.address, self.previews, self.run]

    def of(self, names: Iterable[str]) -> list[Any]:
        """The widgets of some settings."""
        return [self.settings[name] for name in names]

    def _wire(self) -> None:
        settings, stimulus = self.settings, self.stimulus
        settings["model"].input(told(self.choose_model), [self.run, *self.inputs], self.outputs, **CALM)
        fetched = self.weights.click(_downloading, None, self.weights, **QUICK).then(
            told(self.download), self.inputs, [self.weights, self.facts, settings["model"]], concurrency_limit=1, **CALM
        )
        fetched.then(told(lambda *values: _to_fetch(config_of(values))), self.inputs, self.weights, **CALM)
        gr.on(
            [settings["model"].change, settings["action"].change, *(part.change for part in stimulus.widgets)],
            told(self.show_stimulus),
            [self.run, settings["model"], settings["action"], *stimulus.widgets],
            [self.preview, stimulus.seed, stimulus.file, stimulus.start],
            trigger_mode="always_last",
            **CALM,
        )
        size = ("steps", "frames", "size", "coarse", "sizes", "views", "verify_every", "frames_verified")
        costly = ("action", *size, "begin_at", "precision")
        gr.on(
            [settings[name].change for name in (*NETWORKS, *FRAME_NETWORKS, *costly)],
            self.show_estimate,
            self.inputs,
            [self.estimate, self.weights],
            trigger_mode="always_last",
            **QUICK,
        )
        asked = [self.session.visitor, self.session.key, self.run, *self.inputs]
        self.link.click(told(self.link_to), asked, [self.query, self.address], **CALM)
        self.query.change(None, self.query, self.address, js=COPY, **CALM)  # not where there is none
        for name, button in self.presets.items():
            button.click(told(partial(self.fill_in, name)), [self.run, *self.inputs], self.outputs, **CALM)

    def choose_model(self, run: Filled | None, *values: Any) -> dict[Any, Any]:
        """Another model: its facts, its world's actions, who can verify and judge it, and the settings that suit it. An action
        that it doesn't know gives way to the first that it knows; a stimulus that it can have stays."""
        chosen = dict(zip(controls.ORDER, values, strict=False))
        spec = models.spec(chosen["model"])
        actions = models.labels(spec.world)
        action = chosen["action"] if chosen["action"] in actions else actions[0]
        config = models.configure(spec.key, action, {"seed": chosen["seed"] or 0})
        choice = choice_of(values)
        if choice.kind == controls.KINDS[0] and config.stimuli:
            config = config.replace(**stimuli_of(run, action, choice))
        return self._fill_beside(choice, config)

    def download(self, *values: Any) -> Iterator[dict[Any, Any]]:
        """Fetch the weights that a run of these settings needs and doesn't have; the tray shows how far it is. Raises
        `LeapsError`."""
        config = config_of(values)
        absent = models.missing(config)
        yield {self.weights: _downloading()}  # again, as an estimate that was asked for before may have come in between
        for spec in absent:
            with tray.working(_coming(spec)) as tell:
                weights.download(spec, tell)
        names = ", ".join(spec.name for spec in absent) or say("all networks")
        gr.Info(say("The weights of {names} are here.", names=names))
        yield {self.facts: controls.model_facts(config.model), self.settings["model"]: gr.Dropdown(controls.model_choices())}

    def show_stimulus(self, run: Filled | None, model: str, action: str, *chosen: Any) -> dict[Any, Any]:
        """The stimulus, shown at once. `chosen`: what its widgets say."""
        choice = controls.Choice(*chosen)
        if choice.kind == controls.KINDS[0]:
            action = bundled_action(stimuli_of(run, action, choice)["stimuli"][0], action)
        clip, notices = choice.clip(model, action)
        for notice in notices:
            gr.Info(notice)
        shown = [player.track("preview", say("stimulus"), clip)] if clip is not None else []
        return {**self.stimulus.needed(choice.kind, choice.file), self.preview: player.tracks(*shown)}

    def link_to(self, visitor: str | None, key: str | None, run: Filled | None, *values: Any) -> dict[Any, Any]:
        """A link to the run that the controls were filled with, and to what was changed while it went on; if a person has
        changed them since, to their settings. Raises `LeapsError`. What follows # makes it another one each time, as the script
        waits for that."""
        asked = leads_to(run, values)
        there = _run_of(visitor, key, asked.config)
        if not controls.all_bundled(asked.config):
            gr.Info(say("Your own video can't travel in a link: whoever opens it chooses one of their own."))
        steered = say("this run, with what was changed while it went on,")
        what = steered if asked.changes else say("this run") if there else say("these settings")
        gr.Info(say("A link to {what} stands below the button, and is copied where the browser allows it.", what=what))
        query = f"{links.query(asked, there.id if there else '')}#{secrets.token_hex(2)}"
        return {self.query: query, self.address: gr.Textbox(visible=True)}

    def show_estimate(self, *values: Any) -> dict[Any, Any]:
        """Time and memory for the settings of the controls, or why they can't be; and the weights that they lack."""
        try:
            config = config_of(values)
        except LeapsError as error:
            return {self.estimate: str(error)}
        return {self.estimate: _cost(config), self.weights: _to_fetch(config)}

    def fill_in(self, preset: str, run: Filled | None, *values: Any) -> dict[Any, Any]:
        """A preset of the chosen model, and how long it takes. Raises `LeapsError`."""
        config = begins(run, values).config
        changes = models.preset(models.spec(config.model), preset)
        choice = choice_of(values)
        if choice.own or bool(changes["stimuli"]) == bool(config.stimuli):
            del changes["stimuli"]  # a preset says whether there is one, a person which
        config = config.replace(**changes)
        gr.Info(f"{say(_SAID[preset])} " + controls.estimate(config).replace("**", ""))
        return self._fill_beside(choice, config)

    def _fill_beside(self, choice: controls.Choice, config: SynthesisConfig) -> dict[Any, Any]:
        """Fills all controls, but leaves a video of one's own where it is."""
        if choice.own:
            with suppress(VideoError):  # what can't be read goes
                return self.fill(config.replace(**choice.settings), own=choice)
        return self.fill(config)

    def fill(
        self,
        config: SynthesisConfig,
        changes: Sequence[dict[str, Any]] = (),
        legs: Sequence[dict[str, int]] = (),
        again: bool = False,
        own: controls.Choice | None = None,
    ) -> dict[Any, Any]:
        """The controls say this config, as it became by changes that were made while a run went on; again: as it was before
        them, and Start makes them and the legs, too; own: the stimulus' widgets, where they name an uploaded video, which
        stays."""
        run = Filled(config, tuple(changes), tuple(legs), again)
        values = controls.values_of(config if again else run.became)
        updates = {self.settings[name]: gr.update(value=value) for name, value in zip(controls.ORDER, values, strict=True)}
        updates |= {self.run: run, **self._chosen_model(config)}
        choice = own or controls.Choice.of(config)
        updates |= self.show_stimulus(run, config.model, config.action, *astuple(choice))
        if unsaid := _unsaid(config):
            gr.Info(unsaid)
        if again and legs and legs[-1]["to"] < config.steps:
            gr.Info(say("This run ends at step {to} of {total}, as it did.", to=legs[-1]["to"], total=config.steps))
        updates |= {
            self.stimulus.kind: choice.kind,
            self.stimulus.file: gr.File(value=choice.file, visible=choice.kind == controls.KINDS[1]),
            self.stimulus.seed: gr.Number(value=choice.seed or 0, visible=choice.kind == controls.KINDS[0]),
            self.estimate: _cost(config),
            self.address: gr.Textbox(visible=False),  # it led to what was there before
        }
        return updates

    def _chosen_model(self, config: SynthesisConfig) -> dict[Any, Any]:
        return {**self._offers(config), self.settings["model"]: gr.Dropdown(controls.model_choices(), value=config.model)}

    def _offers(self, config: SynthesisConfig) -> dict[Any, Any]:
        """The model's facts and what may be chosen beside it; what it can't have gives way to the first."""
        updates: dict[Any, Any] = {
            self.facts: controls.model_facts(config.model),
            self.weights: _to_fetch(config),
            self.previews: previews.value(config.model),
        }
        for name, known in zip(("action", *NETWORKS[1:]), controls.partners(config.model), strict=True):
            choice = getattr(config, name)
            updates[self.settings[name]] = gr.Dropdown(widgets.named(known), value=choice if choice in known else known[0])
        return updates


def default_config() -> SynthesisConfig:
    """What the controls say on a page that has no run yet."""
    model = preload.default_model()
    actions = models.labels(model.world)
    return models.configure(model.key, FIRST if FIRST in actions else actions[0])


def _unsaid(config: SynthesisConfig) -> str:
    """What the controls can't say of a run's stimuli, and what Start takes then; "": they say all."""
    other = [name for name in config.stimuli if bundled_action(name, config.action) != config.action]
    if len(config.stimuli) > 1:
        said = say("This run was primed with {number} clips. The controls can name one.", number=len(config.stimuli))
    elif other:
        said = say("This run's stimulus ({name}) shows another action, which the controls can't name.", name=other[0])
    else:
        return ""
    if controls.all_bundled(config):
        return f"{said} {say('As long as neither action nor stimulus is changed here, Start takes the same.')}"
    return f"{said} {say('Start takes what the controls name. Replay (tab Runs) takes the same as this run.')}"


def _run_of(visitor: str | None, key: str | None, config: SynthesisConfig) -> Run | None:
    """The run on the stage, if it has these settings."""
    try:
        run = views.on_disk(key, views.owner_of(visitor))
    except LeapsError:
        return None
    return run if run and run.config.replace(precision=config.precision) == config else None  # a run knows its precision


def _cost(config: SynthesisConfig) -> str:
    """Time and memory of a config in words, or why it can't be."""
    try:
        return controls.estimate(config)
    except LeapsError as error:
        return str(error)


def _to_fetch(config: SynthesisConfig) -> gr.Button:
    """The button for the weights that a config lacks, of which nobody has to be offered what comes already."""
    absent = controls.lacking(config)
    if any(tray.shows(_coming(spec)) for spec in absent):
        return _downloading()
    return gr.Button(controls.to_download(absent), visible=bool(absent), interactive=True)


def _downloading() -> gr.Button:
    """That button while they come."""
    return gr.Button(say("Downloading …"), visible=True, interactive=False)


def _coming(spec: ModelSpec) -> str:
    """What the tray calls the download of a model's weights."""
    return say("{name}: downloading", name=spec.name)
