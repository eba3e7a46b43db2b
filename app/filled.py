"""What the controls were filled with. While they still say it, a link leads to that very run and Start begins it, with what no
widget can say: a stimulus of another action, several stimuli, changes that were made while the run went on. Its stimuli stay
when other settings are moved."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from leaps_core.config import SynthesisConfig
from leaps_core.runs import Again

from . import controls


@dataclass(frozen=True)
class Filled:
    """A run, as far as the controls are concerned: what makes it again (see `runs.Again`).

    again: Start makes the changes and legs, too. instead: what the controls say in its place, where its networks aren't here.
    """

    config: SynthesisConfig
    changes: Sequence[dict[str, Any]] = ()
    legs: Sequence[dict[str, int]] = ()
    again: bool = False
    instead: SynthesisConfig | None = None

    @property
    def became(self) -> SynthesisConfig:
        """Its settings at its end."""
        return self.config.replace(**{change["field"]: change["value"] for change in self.changes})


def config_of(values: Sequence[Any], run: Filled | None = None) -> SynthesisConfig:
    """What the widgets of `SettingsPanel.inputs` say, with the stimuli of the run that they were filled with as long as they
    name those. Raises `ConfigError`."""
    action = values[controls.ORDER.index("action")]
    return controls.config_of(values[: len(controls.ORDER)], stimuli_of(run, action, choice_of(values)))


def choice_of(values: Sequence[Any]) -> controls.Choice:
    """What the stimulus' widgets among them say."""
    return controls.Choice(*values[len(controls.ORDER) :])


def stimuli_of(run: Filled | None, action: str | None, choice: controls.Choice) -> dict[str, Any]:
    """What this action and these stimulus' widgets say of the stimuli, as settings of a config: those of the run, as long as
    they name them as far as they can. Raises `ConfigError`."""
    if run is not None and run.instead is None and action == run.config.action and choice.names(run.config):
        return {name: getattr(run.config, name) for name in controls.STIMULUS}
    return choice.settings


def leads_to(run: Filled | None, values: Sequence[Any]) -> Again:
    """Where a link leads. Raises `ConfigError`."""
    said = () if run is None else (run.instead,) if run.instead else (run.config, run.became)
    if run is not None and any(_say(values, config) for config in said):
        return Again(run.config, run.changes, run.legs)
    return Again(config_of(values, run))


def begins(run: Filled | None, values: Sequence[Any]) -> Again:
    """What Start begins. A video of earlier isn't taken: it has to be there again. Raises `ConfigError`."""
    if run is not None and run.instead is None and controls.all_bundled(run.config):
        precision = values[controls.ORDER.index("precision")]
        if _say(values, run.config):
            config = run.config.replace(precision=precision)
            return Again(config, run.changes, run.legs) if run.again else Again(config)
        if _say(values, run.became):
            return Again(run.became.replace(precision=precision))
        return Again(config_of(values, run))
    return Again(config_of(values))


def _say(values: Sequence[Any], config: SynthesisConfig) -> bool:
    """Whether the widgets say this config, as far as they can."""
    settings = zip(controls.ORDER, controls.values_of(config), values[: len(controls.ORDER)], strict=True)
    return all(_same(*one) for one in settings) and choice_of(values).names(config)


def _same(name: str, known: Any, said: Any) -> bool:
    if name == "precision" and said == "auto":  # a run knows which one that was
        return True
    numbers = all(isinstance(value, int | float) for value in (known, said))
    return known == said or (numbers and math.isclose(known, said, rel_tol=1e-6))  # a slider rounds
