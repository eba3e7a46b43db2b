"""What all tabs of one page share: who the visitor is, which run is on the stage, and what the browser already has."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import wraps
from typing import Any

import gradio as gr

from leaps_core.errors import LeapsError

from . import views
from .texts import say


@dataclass(frozen=True)
class Session:
    """State that is kept in the browser (`visitor`, a secret, and `key`, the run on the stage) or for one page.

    `seen` is what the browser has been told; `held` the step at which the timeline was put, None while the stage
    follows the newest one. `timer` asks whether there is news; `pulse`, while the run on the stage goes on, for its news.
    """

    visitor: gr.BrowserState
    key: gr.BrowserState
    seen: gr.State
    held: gr.State
    timer: gr.Timer
    pulse: gr.Timer

    @property
    def all(self) -> list[Any]:
        """All of them."""
        return list(vars(self).values())


def kept(name: str) -> gr.BrowserState:
    """A state that the browser keeps under this name."""
    # The browser encrypts its store with this; the store is the visitor's own, so a fixed default does no harm.
    return gr.BrowserState(None, storage_key=f"leaps-{name}", secret=os.environ.get("LEAPS_SECRET", "leaps-explorer"))


def build() -> Session:
    """The states, and the timers that ask for news; the first of them once a page has been filled."""
    timer, pulse = gr.Timer(active=False), gr.Timer(active=False)
    return Session(kept("visitor"), kept("run"), gr.State({}), gr.State(None), timer, pulse)


Told = dict[str, Any] | None
"""What a browser was told, as an event gets it."""
SOON, LATER = 0.5, 4.0
"""Seconds between two questions for news, while there is a run and while there is none. The first timer, once begun, never
stops: its answer may overtake that of Start, and a timer stopped so would leave the page waiting for ever."""
HIDDEN = "(...asked) => [...asked.slice(0, -1), document.hidden]"
"""A script that says to an event, in place of its last input, whether nobody sees the page."""

CALM: dict[str, Any] = {"show_progress": "hidden", "show_progress_on": [], "api_visibility": "private"}
"""For events that show no progress. “On nothing” has to be said: at every event, Gradio's page copies all that it holds of each
part on which some event might have shown its progress, and those are the outputs of all events where nothing is said."""

QUICK: dict[str, Any] = {**CALM, "queue": False}
"""For events that answer at once, however many wait in Gradio's queue. They can't show toasts."""

IN_TURN: dict[str, Any] = {**CALM, "trigger_mode": "multiple", "concurrency_limit": 1}
"""For events with data of their own, such as what was picked. Gradio's other modes lose the second of two quick ones:
“once” the event, “always_last” its data."""


def told(function: Callable[..., Any], otherwise: Any = None) -> Callable[..., Any]:
    """An event's function (or one that yields how far it is) whose `LeapsError`s become toasts; then the page is told
    `otherwise`, or stays as it is."""
    if inspect.isgeneratorfunction(function):

        @wraps(function)
        def tells(*args: Any, **kwargs: Any) -> Iterator[Any]:
            try:
                yield from function(*args, **kwargs)
            except LeapsError as error:
                yield _toast(error, otherwise)

        return tells

    @wraps(function)
    def answers(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except LeapsError as error:
            return _toast(error, otherwise)

    return answers


def refused(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same for events of which no toast can come (see `QUICK`), and for programs: their `LeapsError`s are answered."""

    @wraps(function)
    def answers(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except LeapsError as error:
            raise gr.Error(views.shown(str(error)), print_exception=False) from None

    return answers


def _toast(error: LeapsError, otherwise: Any) -> Any:
    warn(views.shown(str(error)))
    return gr.skip() if otherwise is None else otherwise


def tell(problem: str) -> None:
    """A toast, as events that answer at once can't show one. `problem`: a run's key, and on the next line what went wrong, if
    anything."""
    if said := problem.partition("\n")[2]:
        warn(said)


def warn(said: str) -> None:
    """A toast that stays for a while."""
    gr.Warning(said, title=say("That did not work"), duration=20)
