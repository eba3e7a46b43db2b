"""What a study is: a list of independent runs, and a way to read what was found out about their clips."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from .. import models
from ..config import CHOSEN, SynthesisConfig
from ..errors import ConfigError, RunError
from ..runs import Run
from .report import Report, Row

TUNED_BELOW = 1000
"""Settings were chosen on seeds below this; studies score others."""


@dataclass(frozen=True)
class Asked:
    """What a study is asked for: keys of models of one world; labels of actions (none: the study's own); how many seeds, from
    `first_seed` on; a folder of real videos that prime (`stimuli.py`); settings of all runs, on top of those that suit each
    model; of a search how many points it may try (0: all); and banks of real clips, of models and judge, where a study needs
    some (none: the bundled ones)."""

    models: tuple[str, ...]
    actions: tuple[str, ...] = ()
    seeds: int = 2
    first_seed: int = 7 * TUNED_BELOW
    stimuli: Path | None = None
    settings: dict[str, Any] = field(default_factory=dict)
    budget: int = 0
    banks: tuple[Path, ...] = ()

    @property
    def world(self) -> str:
        """The world of the models. Raises `RunError` where they know several, or where there is none."""
        worlds = sorted({models.spec(key).world for key in self.models})
        if len(worlds) != 1:
            raise RunError(f"The models know the worlds {', '.join(worlds) or '(none)'}; those of a study share one.")
        return worlds[0]

    @property
    def range(self) -> range:
        """The seeds."""
        return range(self.first_seed, self.first_seed + self.seeds)


@dataclass(frozen=True)
class Trial:
    """One run of a study, and where it stands: the values of the table's columns, as {"share": 20, "seed": 1}. `also`: what
    else is to be found out about the finished run; `work`: what is to be done instead of a run. Both give columns of the row,
    and can be pickled."""

    at: dict[str, Any]
    config: SynthesisConfig
    work: Callable[[], Row] | None = None
    also: Callable[[Run], Row] | None = None

    @cached_property
    def id(self) -> str:
        """A name for its folder, the same on every machine."""
        words = " ".join(str(value) for value in self.at.values()).lower()
        asked = json.dumps(self.at, sort_keys=True) + self.config.model_dump_json()
        return re.sub(r"[^a-z0-9_.]+", "-", words)[:80].strip("-.") + "-" + hashlib.sha256(asked.encode()).hexdigest()[:10]


@dataclass(frozen=True)
class Study:
    """An experiment. `name`: of its command; `title`; `about`: what it asks, with where the paper has it. `trials`: the runs
    that are known to be needed, given the rows that are there (a search learns from them). `read`: what rows say, all or some
    of them. `actions`: its own, by world. `usual`: values of `Asked` that differ from the common ones where nobody says so.
    `fewest`: models that it needs. `own`: settings that it chooses for each of its runs."""

    name: str
    title: str
    about: str
    trials: Callable[[Asked, Sequence[Row]], list[Trial]]
    read: Callable[[Asked, Sequence[Row]], Report]
    actions: dict[str, tuple[str, ...]]
    usual: dict[str, Any] = field(default_factory=dict)
    fewest: int = 1
    own: frozenset[str] = frozenset()

    def planned(self, asked: Asked) -> tuple[Asked, list[Trial]]:
        """What was asked, completed, and the runs that are known to be needed. Raises `LeapsError` for whatever can't be, and
        for weights that aren't here."""
        asked = self.completed(asked)
        trials = self.trials(asked, ())
        for trial in trials:
            models.require_weights(models.resolve(trial.config))
        return asked, trials

    def completed(self, asked: Asked) -> Asked:
        """The same, each model and action once, with the study's own actions where none were named. Raises `RunError` for a
        world that it has none of, for less than one seed or point of a search, and for fewer models than it needs;
        `ConfigError` for settings that are the study's own."""
        if asked.seeds < 1 or asked.budget < 0:
            raise RunError(
                f"{asked.seeds} seeds and a budget of {asked.budget} were asked for; expected 1 or more, and none below 0."
            )
        if own := (self.own | CHOSEN) & asked.settings.keys():
            raise ConfigError(
                f"The study “{self.name}” chooses {' and '.join(sorted(own))} for each of its runs: leave it out of the "
                "settings (--set)."
            )
        asked = replace(asked, models=tuple(dict.fromkeys(asked.models)), actions=tuple(dict.fromkeys(asked.actions)))
        world = asked.world
        if len(asked.models) < self.fewest:
            raise RunError(
                f"The study “{self.name}” needs {self.fewest} models or more; {len(asked.models)} was named (--model)."
            )
        actions = asked.actions or self.actions.get(world, ())
        if not actions:
            raise RunError(f"The study “{self.name}” has no actions of its own in the world {world}; name some.")
        return replace(asked, actions=tuple(actions))
