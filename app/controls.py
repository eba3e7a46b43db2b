"""The controls: a widget for every setting, made from the config's own account of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args, get_origin

import gradio as gr
import numpy as np

from leaps_core import models, puppets, video
from leaps_core.config import (
    FIELDS,
    FRAME_NETWORKS,
    LIVE_SETTINGS,
    LONGEST_SEED,
    STEERING,
    SynthesisConfig,
    bundled_seed,
    bundled_stimulus,
    info,
)
from leaps_core.errors import ConfigError, LeapsError
from leaps_core.inversion.plan import Plan, make_plan

from . import lessons, preload, widgets
from .texts import Section, called, say, sections
from .views import JOBS

MAIN = ("model", "action", "verifier", "steps", "seed")
STIMULUS = ("stimuli", "stimulus_start")
MORE = tuple(name for name in FIELDS if name not in (*STEERING, *MAIN, *STIMULUS))
"""All other settings, folded away."""

ORDER = (*MAIN, *STEERING, *MORE)
"""All settings with a widget, in the order in which their values travel."""

KINDS = ("bundled clip", "own video", "none")


@dataclass(frozen=True)
class Choice:
    """What the stimulus' widgets say: a kind of `KINDS`, and what belongs to it."""

    kind: str
    seed: float | None
    file: str | None
    start: float | None

    @classmethod
    def of(cls, config: SynthesisConfig) -> Choice:
        """What they have to say so that they say this config. A file of earlier is not here any more."""
        seed = bundled_seed(config.stimuli[0]) if config.stimuli else None
        kind = KINDS[2] if not config.stimuli else KINDS[0] if seed is not None else KINDS[1]
        return cls(kind, seed, None, 0)

    def names(self, config: SynthesisConfig) -> bool:
        """Whether they say this config's stimuli, as far as they can: of several the first, of another action's clip its
        number, of a video of earlier that there was one."""
        shown = Choice.of(config)
        if self.kind != shown.kind or self.kind == KINDS[2]:
            return self.kind == shown.kind
        if self.kind == KINDS[0]:
            return int(self.seed or 0) == shown.seed
        return not self.file or (str(self.file), self.start or 0) == (config.stimuli[0], config.stimulus_start)

    @property
    def own(self) -> bool:
        """Whether they name a video that was uploaded."""
        return self.kind == KINDS[1] and bool(self.file)

    @property
    def settings(self) -> dict[str, Any]:
        """As settings of a config. Raises `ConfigError`."""
        if self.kind == KINDS[0]:
            return {"stimuli": (bundled_stimulus(int(self.seed or 0)),), "stimulus_start": 0.0}
        if self.kind == KINDS[1]:
            if not self.file:
                raise ConfigError(say("No video has been chosen yet: upload one, or take a bundled clip as the stimulus."))
            return {"stimuli": (str(self.file),), "stimulus_start": float(self.start or 0)}
        return {"stimuli": (), "stimulus_start": 0.0}

    def clip(self, model: str | None, action: str | None) -> tuple[np.ndarray | None, tuple[str, ...]]:
        """The stimulus as a clip that this model takes, and what a person should know about it. Raises `LeapsError`."""
        if not (model and action):
            return None, ()
        spec = models.spec(model)
        if self.kind == KINDS[0] and spec.world == models.PUPPETS and action in puppets.ACTIONS:
            return puppets.render_clip(action, int(self.seed or 0), spec.frames, spec.size), ()
        if self.kind == KINDS[1] and self.file:
            start = float(self.start or 0)
            read = video.read(self.file, spec.frames, spec.size, start=start, span=spec.span(spec.frames))
            return read.frames, read.notices
        return None, ()


@dataclass(frozen=True)
class Stimulus:
    """The widgets that say which clip primes the run."""

    kind: gr.Radio
    seed: gr.Number
    file: gr.File
    start: gr.Number

    @property
    def widgets(self) -> list[Any]:
        """In the order in which `Choice` takes their values."""
        return [self.kind, self.seed, self.file, self.start]

    def needed(self, kind: str, file: str | None = None) -> dict[Any, Any]:
        """Shows only the widgets that this kind of stimulus needs. Raises `VideoError` for a file that is no video."""
        own = kind == KINDS[1]
        return {
            self.seed: gr.Number(visible=kind == KINDS[0]),
            self.file: gr.File(visible=own),
            self.start: gr.Number(visible=True) if own and is_long(file) else gr.Number(0, visible=False),
        }


def stimulus(words: Section, video_id: str) -> Stimulus:
    """Lays the stimulus' widgets out; `words` are those of the choice between its kinds."""
    seed = sections("settings")["stimulus_seed"]
    return Stimulus(
        gr.Radio(
            [(say(kind), kind) for kind in KINDS],
            value=KINDS[0],
            label=words.title,
            info=with_lesson(words.text, "stimuli"),
            min_width=300,
        ),
        gr.Number(
            0,
            label=seed.title,
            info=with_lesson(seed.text, "stimuli"),
            precision=0,
            minimum=0,
            maximum=10**LONGEST_SEED - 1,
            min_width=200,
        ),
        gr.File(label=say("Video"), file_types=list(video.MOVING), visible=False, height=150, elem_id=video_id),
        gr.Number(
            0,
            label=say("Starts at second"),
            info=with_lesson(say("A long video is used from here on."), "stimuli"),
            minimum=0,
            visible=False,
            min_width=140,
        ),
    )


def stimulus_for(kind: str, keys: Sequence[str]) -> str:
    """The kind of stimulus to take for these models: `kind`, or none where that is a bundled clip and one of the models is of
    another world than the puppets."""
    bundled = all(models.spec(key).world == models.PUPPETS for key in keys)
    return kind if bundled or kind != KINDS[0] else KINDS[2]


def label(name: str) -> str:
    """What a setting's widget is called."""
    unit = info(name)["unit"]
    return called(name) + (f", {say(unit)}" if unit and unit not in name else "")


def widget(name: str) -> Any:
    """The widget of a setting: its kind, range, unit and step come from the config, its words from the texts."""
    facts, section = info(name), sections("settings").get(name)
    said = with_lesson(section.text if section else say(facts["text"]), name)
    words = {"label": label(name), "info": said, "interactive": True}
    kind, default = FIELDS[name].annotation, facts["default"]
    if kind is bool:
        return gr.Checkbox(default, **words)
    if get_origin(kind) is not None and all(isinstance(choice, str) for choice in get_args(kind)):
        return gr.Dropdown(widgets.named(get_args(kind)), value=default, **words)
    if kind is str:
        return widgets.Select(widgets.named(choices(name)), value=default, **words)
    if facts["log"]:
        return widgets.log_slider(facts["min"], facts["max"], facts["step"], default, label(name), said)
    if has_slider(name):
        return gr.Slider(facts["min"], facts["max"], value=default, step=facts["step"], **words)
    # without limits: the widget would fail on what is out of range, where the config says what is expected
    return gr.Number(default, precision=0 if kind is int else None, **words)


def has_slider(name: str) -> bool:
    """Whether a setting's widget is a slider."""
    facts = info(name)
    return bool(facts["log"] or (facts["step"] and facts["max"] is not None))


def with_lesson(text: str, name: str) -> str:
    """The text of a setting, or of a control of a tab (`compare`, `map`), with the lesson that explains it."""
    lesson = lessons.of_setting(name)
    return f"{text} {lesson.named}".strip() if lesson else text


def explained(tab: str) -> dict[str, dict[str, str]]:
    """Label and small text of each of a tab's controls, from its file of texts, with the lesson that explains the tab."""
    return {name: {"label": words.title, "info": with_lesson(words.text, tab)} for name, words in sections(tab).items()}


def choices(name: str) -> list[Any]:
    """What may be chosen for a setting that names a model or an action, over all models."""
    specs = models.specs()
    if name == "model":
        return model_choices()
    if name == "action":
        return [
            label
            for world in dict.fromkeys(spec.world for spec in specs if spec.role == "model")
            for label in models.labels(world)
        ]
    if name in FRAME_NETWORKS:
        return ["none", *["auto"] * (name == "object_judge"), *(spec.key for spec in specs if spec.role == name)]
    able = [spec.key for spec in specs if (spec.can_verify if name == "verifier" else spec.role in ("model", "judge"))]
    return ["auto", "none", *["self"] * (name == "verifier"), *able]


def model_choices() -> list[tuple[str, str]]:
    """The models that can be inverted, as (words, key)."""
    return [
        (
            f"{spec.name} · {spec.family} · {spec.frames}×{spec.size}² · {_accuracy(spec)}"
            + f" · {say('to download')}" * (models.state(spec) == "download"),
            spec.key,
        )
        for spec in models.specs()
        if spec.role == "model"
    ]


def model_facts(key: str) -> str:
    """What a person should know of a model, as Markdown: size, accuracy, world, where its weights come from."""
    spec = models.spec(key)
    weights = {
        "bundled": "weights bundled with this program",
        "cached": "weights downloaded earlier",
        "local": "weights given by hand",
        "download": "weights not on this machine",
    }[models.state(spec)]
    facts = [
        spec.family,
        say("{frames} frames of {size} px", frames=spec.frames, size=spec.size),
        say("accuracy {share}", share=_accuracy(spec)),
        say("{millions} M parameters", millions=f"{spec.params / 1e6:.2g}") if spec.params else "",
        say("trained robustly") if spec.robust else say("trained plainly"),
        say(weights),
        spec.licence,
    ]
    world = sections("about").get(spec.world)
    lead = f"**{world.title}.** " if world else f"{say('World')}: **{spec.world}**. "
    caution = f" **{say('Take care')}:** {say(spec.caution)}" if spec.caution else ""
    told = f"{lead}{' · '.join(fact for fact in facts if fact)}. {say(spec.about)}{caution}"
    return f"{told} {say(models.untried(spec))}".strip()


def lacking(config: SynthesisConfig) -> Sequence[models.ModelSpec]:
    """The models whose weights a run lacks."""
    try:
        return models.missing(config)
    except LeapsError:  # other settings are wrong, and the estimate says which
        return [spec for spec in models.specs() if spec.key == config.model and models.state(spec) == "download"]


def to_download(absent: Sequence[models.ModelSpec]) -> str:
    """What the button says that fetches the weights of all these; "" for none."""
    if not absent:
        return ""
    size = f"{sum(spec.download or 0 for spec in absent) / 1e6:.0f} MB, "
    names = " + ".join(spec.name for spec in absent) if len(absent) > 1 else say("weights")
    not_sold = f": {say('no commercial use')}"
    licences = ", ".join(dict.fromkeys(f"{spec.licence}{not_sold * ('NC' in spec.licence)}" for spec in absent))
    return f"{say('Download')} {names} ({size}{licences})"


def partners(key: str) -> tuple[tuple[str, ...], list[str], list[str]]:
    """The actions that a model knows, who may verify and who may judge a run of it."""
    spec = models.spec(key)
    others = [other for other in models.specs() if other.world == spec.world and other.key != key]
    return (
        models.labels(spec.world),
        ["auto", "none", *["self"] * spec.can_verify, *(other.key for other in others if other.can_verify)],
        ["auto", "none", *(other.key for other in others)],
    )


def config_of(values: Sequence[Any], stimulus: Mapping[str, Any]) -> SynthesisConfig:
    """The config that the widgets say; `stimulus`: the settings that `Choice` says. Raises `ConfigError`."""
    settings = {**dict(zip(ORDER, values, strict=True)), **stimulus}
    if settings["model"] is None:
        raise ConfigError(say("The page is still loading. Try again in a moment."))
    empty = {name for name, value in settings.items() if value is None and info(name)["default"] is not None}
    return SynthesisConfig(**{name: value for name, value in settings.items() if name not in empty})


def values_of(config: SynthesisConfig) -> list[Any]:
    """What the widgets (of `config_of`'s first argument) have to say so that they say this config."""
    settings = config.model_dump()
    return [settings[name] for name in ORDER]


def is_long(file: str | None) -> bool:
    """Whether of this video only a part is used, so that a person should say where it starts."""
    return file is not None and video.probe(file).duration > video.MAX_SECONDS


def estimate(config: SynthesisConfig) -> str:
    """How long a run will take and how much memory it needs, in words. Raises `LeapsError`."""
    plan = make_plan(config, weights=False)
    JOBS.limits.check(plan)
    expected = plan.estimate
    memory = f"{expected.memory / 1e9:.1f} GB"
    said = say("About **{time}** and {memory} of memory.", time=duration(expected.seconds), memory=memory)
    return f"{said} {JOBS.limits.told()}".strip()


def duration(seconds: float) -> str:
    """Seconds for people."""
    return f"{seconds:.0f} s" if seconds < 150 else f"{seconds / 60:.0f} min"


def plan(config: SynthesisConfig) -> Plan:
    """What a config will do. Refuses one that can't run, before it waits in the queue. Raises `LeapsError`."""
    return checked(make_plan(config))


def runs_here(config: SynthesisConfig) -> bool:
    """Whether all networks of a config are on this machine."""
    try:
        make_plan(config)
    except LeapsError:
        return False
    return True


def checked(found: Plan) -> Plan:
    """A plan that may run here. Raises `LeapsError`."""
    JOBS.limits.check(found)
    if preload.ready():  # the run itself checks again
        found.check_memory()
    for stimulus in found.config.stimuli:
        if bundled_seed(stimulus) is None and Path(stimulus).suffix.lower() not in video.MOVING:
            kinds = " ".join(extension[1:] for extension in video.MOVING)
            raise LeapsError(
                say("“{name}” is of no known type. Choose a video ({kinds}).", name=Path(stimulus).name, kinds=kinds)
            )
    return found


def all_bundled(config: SynthesisConfig) -> bool:
    """Whether none of a config's stimuli is a file."""
    return all(bundled_seed(stimulus) is not None for stimulus in config.stimuli)


def check_bundled(config: SynthesisConfig) -> None:
    """Refuses a config from outside that names files of this server as stimuli. Raises `ConfigError`."""
    if not all_bundled(config):
        raise ConfigError(
            say(
                "This run was primed with a video that its JSON does not hold. Upload the video as the stimulus and press "
                "Start, or replay the run from the tab Runs."
            )
        )


def live_settings() -> tuple[str, ...]:
    """The settings with a widget that act while a run is going on."""
    return tuple(name for name in (*STEERING, *MORE) if name in LIVE_SETTINGS)


def _accuracy(spec: models.ModelSpec) -> str:
    return f"{100 * spec.accuracy:.1f} %".replace(".", say(".")) if spec.accuracy is not None else say("unknown")
