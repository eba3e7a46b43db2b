"""What makes a run again: how it began, what was changed while it went on, and its legs. From a run's record, or its JSON.
Importing this module does not import torch."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ..config import LIVE_SETTINGS, SynthesisConfig
from ..errors import LeapsError, RunError

Leg = dict[str, int]
"""A stretch of a run: it ends at step `to` of a schedule of `total` steps."""


class Again(NamedTuple):
    """What makes a run again: how it began, what was changed while it went on ({step, field, value}), and its legs, if it was
    stopped or went on later; (): all steps at once."""

    config: SynthesisConfig
    changes: Sequence[dict[str, Any]] = ()
    legs: Sequence[Leg] = ()


def leg(config: SynthesisConfig) -> Leg:
    """All steps of a config at once."""
    return {"to": config.steps, "total": config.steps}


def read_json(path: Path) -> dict[str, Any]:
    """A file of JSON. Raises `RunError`."""
    try:
        record = parsed(path.read_text("utf-8", errors="replace"))
    except OSError as error:
        raise RunError(f"{path} can't be read: {error.strerror}.") from None
    if not isinstance(record, dict):
        raise RunError(f"{path} is damaged: it can't be read as JSON.")
    return record


def parsed(text: str) -> Any:
    """What the JSON says; None if it is none (the last line of a killed run, a file of another kind)."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def config_of(values: Any, where: str | Path) -> SynthesisConfig:
    """The settings that a record (of `where`) has. Raises `RunError`."""
    if not isinstance(values, dict):
        raise RunError(f"{where} has no settings.")
    try:
        return SynthesisConfig(**values)
    except LeapsError as error:
        raise RunError(f"{where} has settings that can't be used: {error}") from None


def _is_change(change: Any) -> bool:
    return (
        isinstance(change, dict)
        and isinstance(change.get("step"), int)
        and change.get("field") in LIVE_SETTINGS
        and "value" in change
    )


def from_json(text_or_path: str | Path) -> Again:
    """What makes a run again, from a run.json (its text, its path, or its run's folder).

    The JSON of a bare config will do, too. Raises `RunError` for anything else, `ConfigError` for a change that is out
    of range.
    """
    if isinstance(text_or_path, str) and text_or_path.lstrip().startswith("{"):
        return from_text(text_or_path)
    path = Path(text_or_path)
    path = path / "run.json" if path.is_dir() else path
    return _again(read_json(path), str(path))


def from_text(text: str) -> Again:
    """The same from a text that somebody else wrote: whatever it says, no file is opened."""
    record = parsed(text)
    if not isinstance(record, dict):
        raise RunError("This can't be read as JSON; expected a run.json, which holds a run's settings.")
    return _again(record, "The JSON")


def _again(record: dict[str, Any], where: str) -> Again:
    """What a record says."""
    whole = record if "config" in record else {}
    changes, legs, planned = (whole.get(name, []) for name in ("changes", "legs", "planned"))
    if not isinstance(changes, list) or not all(_is_change(change) for change in changes):
        raise RunError(f"{where} has changes that can't be read; expected {{step, field, value}} of live settings.")
    config = config_of(record.get("config", record), where)
    for change in changes:
        config.replace(**{change["field"]: change["value"]})
    if all(isinstance(some, list) and all(map(_is_leg, some)) for some in (legs, planned)):
        legs = legs_of(whole, config)
        if legs and legs[-1]["total"] != config.steps:  # somebody asks for another number of steps
            return Again(config, changes)
        for one in legs:
            config.replace(steps=one["total"])
        ends = [one["to"] for one in legs]
        if ends == sorted(set(ends)):
            return Again(config, changes, legs)
    raise RunError(f"{where} has legs that can't be read; expected {{to, total}}, from 1 on and rising.")


def _is_leg(one: Any) -> bool:
    return (
        isinstance(one, dict)
        and set(one) == {"to", "total"}
        and all(type(number) is int for number in one.values())
        and 1 <= one["to"] <= one["total"]
    )


def legs_of(record: dict[str, Any], config: SynthesisConfig) -> Sequence[Leg]:
    """The legs that make a run again, also one that was not to end where it is; (): all steps at once."""
    legs = list(record.get("legs", []))
    if record.get("status") in ("running", "failed"):
        legs = list(record.get("planned") or [*_left(legs, config), leg(config)])
    return () if legs == [leg(config)] else legs


def _left(legs: Sequence[Leg], config: SynthesisConfig) -> Sequence[Leg]:
    """Those legs that are over, of a run that is at the last one of so many steps."""
    over = list(legs)
    while over and over[-1]["total"] == config.steps:
        over.pop()
    return over
