"""The third tab: own runs and the demos; open, compare, go on, replay, delete."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from leaps_core import runs
from leaps_core.config import NETWORKS, info
from leaps_core.errors import RunError

from .. import controls, downloads, player, start, views, widgets
from ..session import CALM, IN_TURN, Session, refused, told
from ..texts import say, sections
from .synthesis import SynthesisTab

MORE_STEPS = 100
"""How many steps a complete run goes on for, unless the person says otherwise."""


KINDS = {
    "one page that opens offline (HTML)": "html",
    "film from noise to clip (mp4)": "film.mp4",
    "film from noise to clip (WebP)": "film.webp",
    "film from noise to clip (GIF)": "film.gif",
}
"""What a run can be saved as here, and what that is called in `downloads`."""


class RunsTab:
    """Lays out the tab and connects it; opened runs go to the stage of the tab `synthesis`."""

    def __init__(self, session: Session, synthesis: SynthesisTab, tabs: gr.Tabs, tab: gr.Tab) -> None:
        self.session, self.synthesis, self.tabs = session, synthesis, tabs
        gr.Markdown(sections("about")["runs"].text, elem_classes="caption")
        self.chosen = gr.State([])
        with gr.Row(elem_id="actions"):
            self.open = gr.Button(say("Open"), variant="primary", interactive=False, size="sm", scale=0, min_width=110)
            self.resume = gr.Button(say("Go on"), interactive=False, size="sm", scale=0, min_width=110)
            self.replay = gr.Button(say("Replay"), interactive=False, size="sm", scale=0, min_width=110)
            self.delete = gr.Button(say("Delete"), variant="stop", interactive=False, size="sm", scale=0, min_width=110)
            self.refresh = gr.Button(say("Refresh"), size="sm", scale=0, min_width=110)
        self.more = gr.Number(
            MORE_STEPS,
            label=say("Steps to go on for"),
            info=controls.with_lesson("", "steps"),
            minimum=1,
            maximum=info("steps")["max"],
            precision=0,
            visible=False,
            interactive=True,
            elem_id="more",
        )
        with gr.Row(visible=False, elem_id="save") as self.saving:
            self.kind = gr.Dropdown(
                [(say(words), kind) for words, kind in KINDS.items()],
                value=None,
                label=say("Save it as"),
                interactive=True,
                scale=0,
                min_width=240,
            )
            self.file = gr.DownloadButton(say("Save"), interactive=False, size="sm", scale=0, min_width=90)
        self.note = gr.Textbox(
            label=say("Note"), lines=2, max_length=runs.LONGEST_NOTE, visible=False, interactive=True, elem_id="note"
        )
        self.noted = gr.Textbox("", visible="hidden")  # whose note it is: id and text leave the browser together
        with gr.Column(visible=False) as self.comparison:
            self.pair = player.player(elem_id="pair")
            self.table = gr.Markdown(elem_id="table")
        self.gallery = widgets.gallery(elem_id="gallery")
        self._wire(tab)

    def _wire(self, tab: gr.Tab) -> None:
        visitor, chosen = self.session.visitor, self.chosen
        own = [
            chosen,
            self.open,
            self.resume,
            self.replay,
            self.delete,
            self.more,
            self.saving,
            self.kind,
            self.file,
            self.note,
            self.noted,
            self.comparison,
            self.pair,
            self.table,
            self.gallery,
        ]
        stage = [*self.synthesis.outputs, self.tabs]
        gr.on([tab.select, self.refresh.click], self.show_all, [visitor, chosen], own, **CALM)
        self.gallery.pick(told(self.choose), visitor, own, **IN_TURN)
        self.kind.input(told(self.save), [visitor, chosen, self.kind], self.file, **CALM)
        # of what is pasted or dictated Gradio tells a change only
        self.note.change(refused(self.annotate), [visitor, self.noted, self.note], None, trigger_mode="always_last", **CALM)
        self.open.click(told(self.open_run), [visitor, chosen], stage, **CALM)
        self.resume.click(told(self.resume_run), [visitor, chosen, self.more], stage, **CALM)
        self.replay.click(told(self.replay_run), [visitor, chosen], stage, **CALM)
        self.delete.click(told(self.delete_run), [visitor, chosen], own, **CALM)

    def show_all(self, visitor: str | None, chosen: Sequence[str] = ()) -> dict[Any, Any]:
        """All runs that the visitor may see; those that were chosen stay so, if they are still there."""
        shown = runs.list_runs(owner=views.owner_of(visitor))
        picked = [run for name in chosen for run in shown if run.id == name]
        empty = say("No runs yet: press Start on the first tab.")
        return {
            **self._chosen(picked),
            self.gallery: widgets.cards(shown, most=2, empty=empty, chosen=[run.id for run in picked]),
        }

    def choose(self, visitor: str | None, event: gr.EventData) -> dict[Any, Any]:
        """Runs were chosen: one can be opened, two are compared."""
        return self._chosen([runs.find(str(name), views.owner_of(visitor)) for name in event.ids[:2]])

    def _chosen(self, picked: list[runs.Run]) -> dict[Any, Any]:
        one = picked[0] if len(picked) == 1 else None
        own = one is not None and not one.demo
        updates = {
            self.chosen: [run.id for run in picked],
            self.open: gr.Button(interactive=one is not None),
            self.replay: gr.Button(interactive=one is not None),
            self.resume: gr.Button(interactive=own),
            self.delete: gr.Button(interactive=own),
            self.more: gr.Number(visible=own, value=_left(one)),
            self.saving: gr.Row(visible=one is not None),
            self.kind: None,
            self.file: gr.DownloadButton(value=None, interactive=False),
            self.note: gr.Textbox(visible=own, value=one.note if one else ""),
            self.noted: one.id if one and own else "",
            self.comparison: gr.Column(visible=len(picked) == 2),
        }
        if len(picked) == 2:
            updates |= {self.pair: side_by_side(*picked), self.table: table(*picked)}
        return updates

    def open_run(self, visitor: str | None, chosen: list[str]) -> dict[Any, Any]:
        """The chosen run goes on the stage."""
        return self.synthesis.open(visitor, _only(chosen)) | self._to_stage()

    def resume_run(self, visitor: str | None, chosen: list[str], steps: float | None) -> dict[Any, Any]:
        """The chosen run goes on for some more steps, in its own folder."""
        run = runs.find(_only(chosen), views.owner_of(visitor))
        return self.synthesis.resume(visitor, run, int(steps or MORE_STEPS)) | self._to_stage()

    def replay_run(self, visitor: str | None, chosen: list[str]) -> dict[Any, Any]:
        """The chosen run is done again, changes and all, as a new run."""
        run = runs.find(_only(chosen), views.owner_of(visitor))
        filled = self.synthesis.panel.fill(*run.again, again=True)
        return filled | self.synthesis.launch(visitor, lambda owner: start.replayed(owner, run)) | self._to_stage()

    def save(self, visitor: str | None, chosen: list[str], kind: str | None) -> dict[Any, Any]:
        """The chosen run as one file that can be shown to others. Raises `LeapsError`."""
        if kind is None:  # the keyboard went past the list
            return gr.skip()
        run = runs.find(_only(chosen), views.owner_of(visitor))
        path = downloads.save(run, kind)
        return {self.file: gr.DownloadButton(value=path, interactive=True)}

    def annotate(self, visitor: str | None, noted: str, text: str | None) -> None:
        """What is written about a run, or was just shown. Raises `RunError`."""
        if noted:
            owner = views.owner_of(visitor)
            runs.annotate(runs.find(noted, owner), text or "", owner)

    def delete_run(self, visitor: str | None, chosen: list[str]) -> dict[Any, Any]:
        """The chosen run is deleted."""
        owner = views.owner_of(visitor)
        runs.delete(runs.find(_only(chosen), owner), owner)
        return self.show_all(visitor)

    def _to_stage(self) -> dict[Any, Any]:
        return {self.tabs: gr.Tabs(selected="synthesis")}


def side_by_side(a: runs.Run, b: runs.Run) -> dict[str, Any]:
    """Both clips, playing in step."""
    return player.tracks(
        *(
            player.track(name, f"{name} · {run.config.action}", run.clip, widgets.scores(run.config, run.final))
            for name, run in (("A", a), ("B", b))
        )
    )


def table(a: runs.Run, b: runs.Run) -> str:
    """What sets two runs apart, as a Markdown table."""
    found = runs.compare(a, b)
    rows = [(controls.label(name), *map(_cell, pair)) for name, pair in found["settings"].items()]
    rows += [
        (_figure(name), *map(widgets.percent if name in NETWORKS else _cell, pair)) for name, pair in found["final"].items()
    ]
    rows.append((say("changed while running"), *map(_moved, found["changes"])))
    lines = ["| | A | B |", "| --- | --- | --- |", *(f"| {' | '.join(row)} |" for row in rows)]
    if found["difference"] is not None:
        lines += ["", say("Mean difference of the pixels: {share} %.", share=f"{100 * found['difference']:.1f}")]
    return "\n".join(lines)


def _figure(name: str) -> str:
    """What a figure of a finished run (`Run.final`) is called."""
    network, _, best = name.partition("_")
    if network in NETWORKS:
        return say("{network}'s best guess" if best else "{network}'s opinion", network=say(network))
    return say({"steps_per_second": "steps/s", "object_rank": "object rank"}.get(name, name))


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.3g}"
    if isinstance(value, list | tuple):
        # objects are pairs of name and probability; of stimuli, where they lie is nobody's business
        pairs = (
            f"{item[0]} {widgets.percent(item[1])}" if isinstance(item, list | tuple) else Path(item).name for item in value
        )
        return ", ".join(map(_cell, pairs)) or say("none")
    return "–" if value is None else str(value).replace("|", "/").replace("\n", " ")


def _moved(changes: list[dict[str, Any]]) -> str:
    moved = [
        say(
            "{name}: {value} from step {step} on",
            name=controls.label(one["field"]),
            value=_cell(one["value"]),
            step=one["step"],
        )
        for one in changes
    ]
    return "; ".join(moved) or "–"


def _left(run: runs.Run | None) -> int:
    """How many steps a stopped or interrupted run has left; of a complete one, as many as is usual."""
    left = run.config.steps - run.done if run else 0
    return left if left > 0 else MORE_STEPS


def _only(chosen: list[str]) -> str:
    if len(chosen) != 1:
        raise RunError(say("Choose one run first."))
    return chosen[0]
