"""What the map's events are asked: the session's and the widgets' values, as one object."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import gradio as gr

from leaps_core import maps
from leaps_core.banks import Bank

from . import map_data, views
from .texts import say

MOST_RUNS = 6
"""Runs on the map, besides the one on the stage."""


@dataclass(frozen=True)
class Query:
    """What the session and the tab's widgets say, as far as an event asks for it: a list's value that Gradio finds outdated
    is an error, so that no event should be handed more than it needs.

    `bank`: its key; `label`: the highlighted class, "" for none; `runs`: the ids of those shown besides the one on the stage;
    `videos`: files of the visitor's own; `share`: how far along their journeys runs are shown, in %.
    """

    bank: str | None
    method: maps.Method
    metric: maps.Metric
    dims: int
    visitor: str | None = None
    key: str | None = None
    label: str = ""
    style: str = "class"
    runs: list[str] | None = None
    videos: list[str] = field(default_factory=list)
    share: float = 100

    @property
    def owner(self) -> str:
        """Under which name the visitor's runs are kept."""
        return views.owner_of(self.visitor)

    @property
    def recipe(self) -> maps.Recipe:
        """How the map is made."""
        return maps.Recipe(self.method, self.metric, self.dims)

    @property
    def atlas(self) -> maps.Atlas | None:
        """The bank with its map; None: none is chosen, or it was not fitted yet. Raises `BankError`."""
        return map_data.atlas(self.bank, self.recipe) if self.bank else None

    def shown(self, bank: Bank) -> list[tuple[str, views.View]]:
        """The run on the stage and the chosen ones, with their names; only those that belong on the bank."""
        shown = {}
        for name in dict.fromkeys([self.key, *map(str, self.runs or ())][: MOST_RUNS + 1]):
            view = views.find(name, self.owner) if name else None
            if view is not None and view.journey and map_data.fits(view, bank):
                shown[view.key] = (f"{view.config.action} · {say('seed {seed}', seed=view.config.seed)}", view)
        return list(shown.values())


def asking(event: Callable[..., Any], asked: Iterable[str]) -> Callable[..., Any]:
    """An event's function that takes a `Query`, as Gradio calls it: with the values of the widgets that it asks for, one after
    the other, and then with those of others."""
    names = tuple(asked)

    def query(values: Sequence[Any]) -> tuple[Any, ...]:
        return Query(**dict(zip(names, values))), *values[len(names) :]

    if inspect.isgeneratorfunction(event):

        def yields(*values: Any) -> Iterator[Any]:
            yield from event(*query(values))

        return yields
    return lambda *values: event(*query(values))


def picking(event: Callable[..., Any], asked: Iterable[str]) -> Callable[..., Any]:
    """The same for a function that takes what was picked, too."""
    names = tuple(asked)

    def picks(picked: gr.EventData, *values: Any) -> Any:
        return event(Query(**dict(zip(names, values))), picked)

    return picks
