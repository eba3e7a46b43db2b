"""Comparing: what sets two runs apart; and one action and stimulus through several models or settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from .. import models
from ..config import FIELDS, NETWORKS, SynthesisConfig, info
from ..errors import ConfigError, RunError
from ..inversion.plan import Plan, make_plan
from .record import Run

MOST = 8
"""Runs in one comparison."""


def compare(a: Run, b: Run) -> dict[str, Any]:
    """What sets two runs apart; pairs are (a's, b's).

    settings: {name: pair} of those that differ; changes: (only a's, only b's); final: {figure: pair} of all;
    difference: mean absolute difference of the clips' pixels, 0 to 1, None if their shapes differ or one has no clip.
    """
    first, second = a.config.model_dump(), b.config.model_dump()
    finals = a.final or {}, b.final or {}
    return {
        "settings": {name: (first[name], second[name]) for name in first if first[name] != second[name]},
        "changes": ([c for c in a.changes if c not in b.changes], [c for c in b.changes if c not in a.changes]),
        "final": {name: tuple(final.get(name) for final in finals) for name in {**finals[0], **finals[1]}},
        "difference": _difference(a, b),
    }


def _difference(a: Run, b: Run) -> float | None:
    try:
        first, second = a.clip, b.clip
    except RunError:
        return None
    if first.shape != second.shape:
        return None
    return float(np.abs(first.astype(np.float32) - second).mean() / 255)


def variants(
    keys: Sequence[str],
    action: str,
    settings: Mapping[str, Any],
    field: str = "",
    values: Sequence[Any] = (),
    preset: str = "recommended",
) -> list[Plan]:
    """What to run: one action by each model of `keys`, with the preset that suits it and then `settings`, times each of
    `values` of one field. One run alone is compared with its stimulus.

    Raises `LeapsError` for unknown models, fields or values, for none or more than `MOST` runs, and for models of several
    worlds, whose actions differ.
    """
    if field and info(field)["default"] is None and field != "margin":
        raise ConfigError(f"“{field}” can't be varied. Choose another setting.")
    made = [
        models.configure(key, action, {**settings, field: value} if field else settings, preset)
        for key in keys
        for value in (values if field else [None])
    ]
    made = list(dict.fromkeys(made))
    if not 1 <= len(made) <= MOST:
        raise ConfigError(f"A comparison of {len(made)} was asked for; choose 1 to {MOST} models or values.")
    return [make_plan(one) for one in made]


def differences(configs: Sequence[SynthesisConfig], called: Callable[[str], str] = str) -> list[str]:
    """A short name for each config: what sets it apart from the others, where `called` says what a setting is called. What
    differs because each has the settings that suit its model goes without saying."""
    dumps = [config.model_dump() for config in configs]
    suited = [models.preset(models.spec(config.model)) for config in configs]
    own = [
        {name: None if name in suit and value == suit[name] else value for name, value in dump.items()}
        for dump, suit in zip(dumps, suited, strict=True)
    ]
    apart = [name for name in FIELDS if _differ(dumps, name) and _differ(own, name)]
    return [
        ", ".join(
            models.spec(dump["model"]).name if name == "model" else f"{called(name)} {_word(dump[name])}" for name in apart
        )
        or models.spec(dump["model"]).name
        for dump in dumps
    ]


def _differ(kinds: Sequence[Mapping[str, Any]], name: str) -> bool:
    return any(one[name] != kinds[0][name] for one in kinds)


def note(final: dict[str, Any] | None) -> str:
    """The scores of a finished run in one line."""
    if not final:
        return ""
    said = [f"{who} {final[who]:.0%}" for who in NETWORKS if final.get(who) is not None]
    return " · ".join([*said, f"{final['seconds']:.0f} s"] if "seconds" in final else said)


def _word(value: Any) -> str:
    if isinstance(value, tuple | list):
        return " ".join(str(item).rpartition("/")[2] for item in value) or "none"
    return f"{value:g}" if isinstance(value, float) else str(value)
