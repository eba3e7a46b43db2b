"""Below the stage: a closer look at the finished clip on it (`leaps_core/probes`)."""

from __future__ import annotations

import base64
import io
import logging
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr
import numpy as np
from gradio.utils import LRUCache
from PIL import Image

from leaps_core import runs
from leaps_core.errors import LeapsError
from leaps_core.files import Progress

from . import player, plots, tray, views
from .jobs import Job
from .session import CALM, Session, told
from .texts import say, sections

if TYPE_CHECKING:
    from leaps_core.probes.look import Look

KEPT = 6
"""Looks that are kept for the next time."""
_looks: LRUCache[tuple[Path, int], Look] = LRUCache(KEPT)


@dataclass(frozen=True)
class Closer:
    """The components; all but the accordion are empty until it is opened."""

    panel: gr.Accordion
    line: gr.Markdown
    player: gr.HTML
    slice: gr.HTML
    when: gr.Plot
    table: gr.Markdown

    @property
    def all(self) -> list[Any]:
        """Every component, as outputs of an event."""
        return [getattr(self, field.name) for field in fields(self)]


def build(session: Session, ended: gr.Textbox) -> Closer:
    """Lays it out and connects it. `ended` changes whenever the run on the stage has ended."""
    words = sections("closer")
    with gr.Accordion(words["closer"].title, open=False, elem_id="closer") as panel:
        line = gr.Markdown(words["closer"].text, elem_classes="caption", elem_id="closer-line")
        screen = player.player(elem_id="closer-player", visible=False)
        with gr.Row(equal_height=False):
            with gr.Column(min_width=280):
                sliced = gr.HTML("", apply_default_css=False, elem_id="closer-slice")
            with gr.Column(min_width=280):
                when = gr.Plot(show_label=False, container=False, visible=False)
        table = gr.Markdown("", elem_id="closer-table")
    closer = Closer(panel, line, screen, sliced, when, table)
    # one at a time: a look takes as long as a few steps of a run
    one = {**CALM, "concurrency_limit": 1, "concurrency_id": "closer", "trigger_mode": "always_last"}
    panel.expand(told(_opened(closer)), [session.visitor, session.key], closer.all[1:], **one)
    ended.change(told(_ended(closer)), [session.visitor, session.key, line], closer.all[1:], **one)
    return closer


def closed(closer: Closer) -> dict[Any, Any]:
    """Another clip comes onto the stage: what was found of the last one is put away."""
    return {closer.panel: gr.Accordion(open=False), **_empty(closer, sections("closer")["closer"].text)}


def _empty(closer: Closer, line: str) -> dict[Any, Any]:
    return {
        closer.line: line,
        closer.player: gr.HTML(visible=False),
        closer.slice: "",
        closer.when: gr.Plot(visible=False),
        closer.table: "",
    }


def _opened(closer: Closer) -> Any:
    words = sections("closer")

    def opened(visitor: str | None, key: str | None) -> Iterator[dict[Any, Any]]:
        found = views.look(key, views.owner_of(visitor)) if key else None
        if found is None or isinstance(found, Job):
            yield _empty(closer, words["later"].text)
            return
        yield _empty(closer, words["looking"].text)
        try:
            with tray.working(say("A closer look"), views.owner_of(visitor)) as tell:
                seen = _look(found.folder, tell)
        except LeapsError as error:  # it ended without a clip
            yield _empty(closer, views.shown(str(error)))
            return
        except Exception:  # too little memory; the run was deleted meanwhile
            logging.getLogger(__name__).exception("A closer look at %s", found.id)
            yield _empty(closer, words["failed"].text)
            return
        yield {
            closer.line: words["closer"].text,
            closer.player: gr.HTML(
                player.tracks(
                    *(player.track(entry.name, entry.name, entry.clip, entry.note) for entry in seen.entries), strip=seen.strip
                ),
                visible=True,
            ),
            closer.slice: _slice(seen),
            closer.when: gr.Plot(plots.when(seen.change, seen.attention), visible=True),
            closer.table: f"**{words['questions'].title}** {words['questions'].text}\n\n{views.shown(seen.markdown)}",
        }

    return opened


def _ended(closer: Closer) -> Any:
    later, opened = sections("closer")["later"].text, _opened(closer)

    def ended(visitor: str | None, key: str | None, line: str) -> Iterator[dict[Any, Any]]:
        if line == later:  # it was opened while the run went on
            yield from opened(visitor, key)
        else:
            yield gr.skip()

    return ended


def _look(folder: Path, tell: Progress) -> Look:
    """A look at a run on disk, as it was last written; one of those that are kept, or a new one."""
    from leaps_core.probes.look import look  # torch

    key = folder, (folder / "run.json").stat().st_mtime_ns
    _looks[key] = _looks.get(key) or replace(look(runs.Run.open(folder), tell), say=say)
    return _looks[key]


def _slice(seen: Look) -> str:
    """The slice as a picture with its caption."""
    file, words = io.BytesIO(), sections("closer")["slice"]
    Image.fromarray(np.ascontiguousarray(seen.slice)).save(file, "PNG")
    where = say("row {row} of {rows}", row=seen.row + 1, rows=seen.clip.shape[1])
    data, alt = base64.b64encode(file.getvalue()).decode(), say("row {row} of the pixels over time", row=seen.row + 1)
    return (
        f"<figure><img alt='{alt}' src='data:image/png;base64,{data}'><figcaption><b>{words.title}</b> ({where}). "
        f"{words.text}</figcaption></figure>"
    )
