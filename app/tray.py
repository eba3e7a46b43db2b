"""The tray: long work that goes on, whichever tab is open, with how far it is and how long it will take."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import gradio as gr

from . import comparison, controls, studies, views
from .texts import say
from .theme import web

TELLING = 0.05
"""The share from which on the time that is left is told."""
_going: list[Work] = []
_lock = threading.Lock()


@dataclass(eq=False)
class Work:
    """Something that takes a while. `owner`: whose it is (None: everybody's, as a download is); `begun`, by time.monotonic();
    `share`: how much of it is done (None: not known)."""

    title: str
    owner: str | None
    begun: float
    share: float | None = None

    def told(self) -> dict[str, Any]:
        """As the page shows it."""
        return _steady(self.title, self.share, self.begun)


@contextmanager
def working(title: str, owner: str | None = None) -> Iterator[Callable[[float, float | None], None]]:
    """Shows work in the tray while it goes on. Gives a function of what is done and of how much in all (None: not known)."""
    work = Work(title, owner, time.monotonic())

    def tell(done: float, total: float | None) -> None:
        work.share = done / total if total else None

    with _lock:
        _going.append(work)
    try:
        yield tell
    finally:
        with _lock:
            _going.remove(work)


def shows(title: str) -> bool:
    """Whether work of that title goes on."""
    with _lock:
        return any(work.title == title for work in _going)


def build(render: bool = True) -> gr.HTML:
    """The tray, unseen while nothing goes on. render: whether it stands here on the page."""
    return gr.HTML(
        {"items": []},  # type: ignore[arg-type]
        html_template=f"<aside aria-label='{say('Work that goes on')}' hidden></aside>",
        css_template=web("tray.css"),
        js_on_load=web("tray.js"),
        apply_default_css=False,
        elem_id="tray",
        render=render,
    )


def news(tray: gr.HTML, owner: str, shown: dict[str, Any] | None) -> dict[Any, Any]:
    """An owner's tray, where it has to show something else than it does."""
    now = going(owner)
    return {} if now == shown else {tray: now}


def going(owner: str) -> dict[str, Any]:
    """What an owner's tray shows."""
    with _lock:
        items = [work.told() for work in _going if work.owner in (None, owner)]
    items += [_steady(say("Comparison"), found.share, found.begun) for found in comparison.going(owner)]
    if views.PERSONAL:
        items += [_of_study(shown) for shown in studies.going()]
    return {"items": items}


def _of_study(shown: studies.Shown) -> dict[str, Any]:
    found = shown.progress
    if found is None:
        return _item(say(shown.study.title), None, None)
    return _item(say(shown.study.title), found.done / found.total if found.total else None, found.left)


def _steady(title: str, share: float | None, begun: float) -> dict[str, Any]:
    """Work that goes on as fast as it did since it began (by time.monotonic()); at first that says little."""
    left = (time.monotonic() - begun) * (1 - share) / share if share and share >= TELLING else None
    return _item(title, share, left)


def _item(title: str, share: float | None, left: float | None) -> dict[str, Any]:
    said = "" if share is None else f"{100 * share:.0f} %"
    if left:
        said += f" · {say('about {time} left', time=controls.duration(left))}"
    return {"title": title, "share": share, "said": said}
