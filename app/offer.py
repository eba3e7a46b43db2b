"""Runs that were interrupted, as by a restart of the server, are offered to go on with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from leaps_core import runs

from .texts import say


@dataclass(frozen=True)
class Offer:
    """The components; `waiting`, kept for one page, are the ids of those that are not offered yet, the one that is first."""

    row: gr.Row
    text: gr.Markdown
    go_on: gr.Button
    later: gr.Button
    waiting: gr.State

    @property
    def all(self) -> list[Any]:
        """What an event may change."""
        return [self.row, self.text, self.waiting]


def build() -> Offer:
    """Lays it out, unseen."""
    with gr.Row(visible=False, elem_id="offer") as row:
        text = gr.Markdown(elem_classes="grow")
        go_on = gr.Button(say("Go on"), variant="primary", size="sm", scale=0, min_width=90)
        later = gr.Button(say("Not now"), size="sm", scale=0, min_width=90)
    return Offer(row, text, go_on, later, gr.State([]))


def interrupted(found: Iterable[runs.Run]) -> list[runs.Run]:
    """Those of some runs that were interrupted."""
    return [run for run in found if run.status == runs.INTERRUPTED]


def show(offer: Offer, found: Sequence[runs.Run]) -> dict[Any, Any]:
    """Offers the first of some runs; without any, nothing is seen."""
    text = ""
    if found:
        run, more = found[0], len(found) - 1
        text = say(
            "**{action}** was interrupted at step {done} of {steps}, and can go on there.",
            action=run.config.action,
            done=run.done,
            steps=run.config.steps,
        )
        text += f" {say('({more} more after it)', more=more)}" if more else ""
    return {offer.row: gr.Row(visible=bool(found)), offer.text: text, offer.waiting: [run.id for run in found]}
