"""Which models there are: their records, what builds them, and the labels of their worlds.

Importing this module does not import torch; a builder does when it is called.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from ..errors import LeapsError, ModelError, did_you_mean
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
_lock = threading.RLock()


def register(spec: ModelSpec, build: Builder, labels: tuple[str, ...] | None = None) -> None:
    """Make a network choosable everywhere. `build()` returns an `nn.Module` that maps a normalised clip
    (B, 3, T, H, W) to logits; weights are loaded from `spec.weights` or `spec.sources`, if given.

    `labels` names the classes of a world that isn't known yet. Raises `ModelError` if they are missing.
    """
    if labels is not None:
        _labels[spec.world] = labels
    if spec.world not in _labels:
        raise ModelError(f"World “{spec.world}” has no labels yet: give labels=(...) when registering “{spec.key}”.")
    with _lock:
        _specs[spec.key], _builders[spec.key] = spec, build


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
