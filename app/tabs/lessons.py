"""What the buttons of the lessons do on the stage and with the tabs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import gradio as gr

from leaps_core.config import SynthesisConfig

from .. import controls, guide, start, views
from ..lessons import Doing, lessons
from ..session import CALM, Session, told
from ..views import JOBS
from .synthesis import SynthesisTab

OPEN_LOOK = "document.querySelector('#closer button.label-wrap:not(.open)')?.click()"


def wire(session: Session, stage: SynthesisTab, tabs: gr.Tabs) -> None:
    """Connects the buttons of the stage's lessons."""
    panel = stage.lessons
    said = stage.stage.guide
    # first in the browser, so that the box of its words opens at once and nothing jumps later
    panel.guided.click(None, None, said, js=f"() => {json.dumps(guide.stops()[0].said)}", **CALM)
    panel.guided.click(told(partial(guided, stage), {said: ""}), session.visitor, stage.outputs, **CALM)
    for i, (button, _) in enumerate(panel.doings):
        asked = [session.visitor, session.key, panel.choice]
        done = button.click(told(_doing(stage, tabs, i)), asked, [*stage.outputs, tabs], **CALM)
        done.then(None, panel.choice, None, js=_looking(i), **CALM)


def guided(stage: SynthesisTab, visitor: str | None) -> dict[Any, Any]:
    """Begin the guided run. Raises `LeapsError`."""
    return _begin(stage, visitor, guide.config(), guide.changes(), tuple(stop.step for stop in guide.stops()))


def do(stage: SynthesisTab, tabs: gr.Tabs, visitor: str | None, key: str | None, doing: Doing) -> dict[Any, Any]:
    """Do what a lesson asks for. Raises `LeapsError`."""
    if doing.command == "run":
        return _begin(stage, visitor, doing.config)
    if doing.command == "steer":
        job = JOBS.get(key, views.owner_of(visitor))
        if job is not None and job.active:
            job.control.set(**doing.settings)
        return {stage.panel.settings[name]: gr.update(value=value) for name, value in doing.settings.items()}
    if doing.command == "open":
        return stage.open(visitor, doing.words[0])
    return {tabs: gr.Tabs(selected=doing.words[0])} if doing.command == "tab" else gr.skip()


def _begin(
    stage: SynthesisTab,
    visitor: str | None,
    config: SynthesisConfig,
    changes: Iterable[dict[str, Any]] = (),
    stops: tuple[int, ...] = (),
) -> dict[Any, Any]:
    """A run with as many of its steps as this server allows. Raises `LeapsError`."""
    most = JOBS.limits.steps
    plan = controls.plan(config.replace(steps=min(config.steps, most)) if most else config)
    return stage.panel.fill(plan.config) | stage.launch(visitor, lambda owner: start.new(owner, plan, changes, stops=stops))


def _doing(stage: SynthesisTab, tabs: gr.Tabs, number: int) -> Callable[..., dict[Any, Any]]:
    def does(visitor: str | None, key: str | None, lesson: str) -> dict[Any, Any]:
        return do(stage, tabs, visitor, key, lessons()[lesson].doings[number])

    return does


def _looking(number: int) -> str:
    """A script that opens the closer look, if that is what this button of the chosen lesson does."""
    those = [one.key for one in lessons().values() if number < len(one.doings) and one.doings[number].command == "look"]
    return f"(key) => {{ if ({those!r}.includes(key)) {OPEN_LOOK}; }}"
