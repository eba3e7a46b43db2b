"""Lessons: short courses beside the stage, kept as Markdown in texts/lessons. Each asks a question, has something to do with
the real engine, and checks at the end what was understood.

    # Title                          `run FIELD=VALUE ...`    begins a run with these settings
    minutes: 5                       `steer FIELD=VALUE ...`  moves sliders, also of the run that is going on
    about: coherence, r              `open DEMO`              puts a finished run on the stage
    ...                              `look`                   opens the closer look at it
    ## do: Label of a button         `tab map`                goes to another tab
    `run model=puppet_csn ...`
    ...                              In a check, [x] marks the right answer; what follows | is told about it.
    ## check: Question?
    - [x] Answer | Why.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from leaps_core import models
from leaps_core.cli.synth import setting
from leaps_core.config import SynthesisConfig
from leaps_core.errors import ConfigError

from .texts import files, say

COMMANDS = ("run", "steer", "open", "look", "tab")
MOST_DOINGS = 4
"""Buttons that a lesson may have."""


@dataclass(frozen=True)
class Doing:
    """Something to do: the label of its button, what it does, and what to look at."""

    title: str
    command: str
    words: tuple[str, ...]
    text: str

    @property
    def settings(self) -> dict[str, Any]:
        """What it sets. Raises `ConfigError`."""
        return dict(map(setting, self.words))

    @property
    def config(self) -> SynthesisConfig:
        """The run that it begins, with the settings that suit its model. Raises `LeapsError`."""
        rest = self.settings
        return models.configure(rest.pop("model"), rest.pop("action"), rest)


@dataclass(frozen=True)
class Answer:
    """A possible answer, whether it is right, and what is told of it."""

    text: str
    right: bool
    why: str


@dataclass(frozen=True)
class Lesson:
    """A lesson; `about`: what it explains: settings, the `timeline`, and tabs (`compare`, `map`, `studies`)."""

    key: str
    number: int
    title: str
    minutes: int
    about: tuple[str, ...]
    text: str
    doings: tuple[Doing, ...]
    question: str
    answers: tuple[Answer, ...]

    @property
    def named(self) -> str:
        """How the text of a setting names it; web/lessons.js makes a link of that."""
        return f"({say('Lesson')} {self.number}.)"

    def told(self, answer: str | None) -> str:
        """What is said about an answer."""
        found = next((one for one in self.answers if one.text == answer), None)
        return "" if found is None else f"**{say('Right' if found.right else 'Not quite')}.** {found.why}"


def lessons() -> dict[str, Lesson]:
    """All lessons by their keys, in the order of their files."""
    return {path.stem: _read(path, number) for number, path in enumerate(files("lessons"), 1)}


def of_setting(name: str) -> Lesson | None:
    """The lesson that explains a setting, the timeline, or a tab."""
    return next((lesson for lesson in lessons().values() if name in lesson.about), None)


@cache
def _read(path: Path, number: int) -> Lesson:
    head, *parts = re.split(r"^## (\w+): (.+)$", path.read_text("utf-8"), flags=re.MULTILINE)
    found = re.match(r"# (.+)\nminutes: (\d+)\nabout:(.*)\n", head)
    if not found:
        raise ConfigError(f"{path.name} has no title, minutes and settings at its top.")
    doings, question, answers = [], "", tuple[Answer, ...]()
    for kind, title, text in zip(*[iter(parts)] * 3, strict=True):
        if kind == "do":
            doings.append(doing(title, text.strip(), path.name))
        else:
            question, answers = title, tuple(map(_answer, re.findall(r"^- \[(.)\] (.+?) \| (.+)$", text, flags=re.MULTILINE)))
    about = tuple(name.strip() for name in found[3].split(",") if name.strip())
    return Lesson(
        path.stem, number, found[1], int(found[2]), about, head[found.end() :].strip(), tuple(doings), question, answers
    )


def doing(title: str, text: str, where: str) -> Doing:
    """Something to do, as it is written down. Raises `ConfigError` for an unknown command."""
    first, _, rest = text.partition("\n")
    command, *words = shlex.split(first.strip("`"))
    if command not in COMMANDS:
        raise ConfigError(f"{where}: “{first}” begins with none of {', '.join(COMMANDS)}.")
    return Doing(title, command, tuple(words), rest.strip())


def _answer(found: tuple[str, str, str]) -> Answer:
    return Answer(found[1], found[0] == "x", found[2])
