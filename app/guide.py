"""The guided run: it stops at some steps, moves sliders itself, and says what to look at. What it says and does is kept in
texts/guide.md, written as the things to do in a lesson: first the run, then its stops."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import gradio as gr

from leaps_core.config import SynthesisConfig

from .jobs import Job
from .lessons import Doing, doing
from .texts import sections


@dataclass(frozen=True)
class Stop:
    """A stop after a step (0: before the first): what is said there, and what the sliders say from then on."""

    step: int
    doing: Doing

    @property
    def said(self) -> str:
        """Its words, as Markdown."""
        return f"**{self.doing.title}.** {self.doing.text}"

    @property
    def settings(self) -> dict[str, Any]:
        """What it moves."""
        return self.doing.settings if self.step else {}


def stops() -> tuple[Stop, ...]:
    """All stops, the first of which begins the run."""
    return tuple(Stop(_step(key), doing(one.title, one.text, key)) for key, one in sections("guide").items())


def config() -> SynthesisConfig:
    """The run."""
    return stops()[0].doing.config


def changes() -> Iterator[dict[str, Any]]:
    """What is changed while it goes on, as a `Control` takes it."""
    for stop in stops():
        for name, value in stop.settings.items():
            yield {"step": stop.step + 1, "field": name, "value": value}


def told(place: gr.Markdown, settings: Mapping[str, Any], job: Job | None) -> dict[Any, Any]:
    """What a guided job says now, at its `place`, and where its sliders are, of the widgets of all `settings`; of any other job
    nothing is said."""
    if job is None or not job.stops:
        return {place: ""}
    done = job.metrics[-1]["step"] if job.metrics else 0
    now = next(stop for stop in reversed(stops()) if stop.step <= done)
    return {place: now.said, **{settings[name]: value for name, value in now.settings.items()}}


def moved() -> tuple[str, ...]:
    """The settings that it moves."""
    return tuple(dict.fromkeys(name for stop in stops() for name in stop.settings))


def _step(key: str) -> int:
    found = re.search(r"\d+$", key)
    return int(found[0]) if found else 0
