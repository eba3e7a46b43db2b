"""Which models there are: their records, what builds them, and the labels of their worlds.

Importing this module does not import torch; a builder does when it is called.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import zip_longest
from typing import TYPE_CHECKING

from .. import files
from ..config import CHOSEN, RENAMED, SynthesisConfig
from ..errors import ConfigError, LeapsError, ModelError, did_you_mean
from .spec import ModelSpec
from .worlds import WORLDS

if TYPE_CHECKING:
    from torch import nn

Builder = Callable[[], "nn.Module"]
"""Gives a network with random weights."""
_specs: dict[str, ModelSpec] = {}
_builders: dict[str, Builder] = {}
_labels: dict[str, tuple[str, ...]] = dict(WORLDS)
_providers: list[Callable[[], Iterable[str]]] = []
_failures: list[str] = []
_lock = files.ThreadLock()


def register(spec: ModelSpec, build: Builder, labels: tuple[str, ...] | None = None) -> None:
    """Make a network choosable everywhere. `build()` returns an `nn.Module` that maps a normalised clip
    (B, 3, T, H, W) to logits; weights are loaded from `spec.weights` or `spec.sources`, if given.

    `labels` names the classes of a world that isn't known yet. Raises `ModelError` if they are missing, the same twice, or
    not those that the world has already, and for a record that can't be.
    """
    _check(spec, labels)
    with _lock:
        if labels is not None:
            _labels[spec.world] = tuple(labels)
        _specs[spec.key], _builders[spec.key] = spec, build


def _check(spec: ModelSpec, labels: Sequence[str] | None) -> None:
    """Raises `ModelError` for a record or labels that can't be."""
    if not all(0 <= value <= 1 for value in spec.mean) or not all(0 < value <= 1 for value in spec.std):
        raise ModelError(
            f"“{spec.key}” has mean {spec.mean} and std {spec.std}; expected those of values from 0 to 1, the std above 0. "
            "Divide those of values from 0 to 255 by 255."
        )
    try:
        re.compile(spec.taps)
    except re.error as error:
        raise ModelError(f"“{spec.key}”: its taps {spec.taps!r} are no regular expression: {error}.") from None
    if spec.settings:
        _check_settings(spec)
    known = _labels.get(spec.world)
    if labels is None and known is None:
        raise ModelError(f"World “{spec.world}” has no labels yet: give labels=(...) when registering “{spec.key}”.")
    if labels is None:
        return
    if twice := [label for label, count in Counter(labels).items() if count > 1]:
        raise ModelError(f"“{spec.key}” has the label “{twice[0]}” twice. Give each class a label of its own.")
    if known is not None and tuple(labels) != known and (spec.world in WORLDS or _shared(spec)):
        first, second = next(pair for pair in zip_longest(labels, known, fillvalue="nothing") if pair[0] != pair[1])
        raise ModelError(
            f"“{spec.key}” has other labels than its world “{spec.world}”, which has {len(known)}: “{first}” stands where "
            f"“{second}” does there. Give them in the same order, leave them out, or choose another world."
        )


def _check_settings(spec: ModelSpec) -> None:
    """Raises `ModelError` for settings of a record's own that can't be."""
    if chosen := spec.settings.keys() & CHOSEN:
        raise ModelError(f"“{spec.key}” has “{min(chosen)}” among its settings, which is chosen for each run. Leave it out.")
    if old := spec.settings.keys() & RENAMED.keys():
        raise ModelError(f"“{spec.key}” has “{min(old)}” among its settings, which is called {RENAMED[min(old)]} now.")
    try:
        SynthesisConfig(**{"model": spec.key, "action": "any", **spec.settings})
    except ConfigError as error:
        raise ModelError(f"“{spec.key}” has settings that can't be: {error}") from None


def _shared(spec: ModelSpec) -> bool:
    """Whether another model is of the same world: one that is registered again may have other labels than before."""
    return any(other.world == spec.world for key, other in _specs.items() if key != spec.key)


def provide(provider: Callable[[], Iterable[str]]) -> None:
    """Have a function called at the first look: it registers models, and returns a sentence for each that it can't."""
    _providers.append(provider)


def specs() -> tuple[ModelSpec, ...]:
    """All records, judges included, in the order of registration."""
    _look()
    return tuple(_specs.values())


def spec(key: str) -> ModelSpec:
    """The record of one model. Raises `ModelError` that names near and known keys."""
    _look()
    if key not in _specs:
        known = f"There is no model “{key}”.{did_you_mean(key, _specs)} Known: {', '.join(_specs)}."
        raise ModelError(" ".join([known, *_failures]))
    return _specs[key]


def builder(key: str) -> Builder:
    """What builds a model's network. Raises `ModelError` for an unknown model."""
    return _builders[spec(key).key]


def failures() -> tuple[str, ...]:
    """Why files in LEAPS_HOME/models could not be loaded, a sentence each."""
    _look()
    return tuple(_failures)


def labels(world: str) -> tuple[str, ...]:
    """The actions of a world; the index is the class. Raises `ModelError` for an unknown world."""
    _look()
    if world not in _labels:
        raise ModelError(f"There is no world “{world}”. Known: {', '.join(_labels)}.")
    return _labels[world]


def network(key: str) -> nn.Module:
    """A model's network as it is built, with random weights. Raises `ModelError`, also for what goes wrong in a builder."""
    build = builder(key)
    try:
        return build()
    except LeapsError:
        raise
    except Exception as error:  # a builder may be anybody's code
        raise ModelError(f"“{key}” can't be built: {type(error).__name__}: {error}") from error


def _look() -> None:
    """Call the providers that were not called yet."""
    with _lock:
        while _providers:
            _failures.extend(_providers.pop(0)())
