"""The second tab: one action and one stimulus through several models, or several values of a setting, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from leaps_core import models, runs, video
from leaps_core.config import FIELDS, NETWORKS, info
from leaps_core.errors import ConfigError
from leaps_core.inversion.plan import Plan
from leaps_core.runs import comparison, figure

from .. import comparison as comparisons
from .. import controls, downloads, player, plots, preload, settings_panel, stage, views, widgets
from ..comparison import Comparison
from ..session import CALM, LATER, QUICK, SOON, Session, kept, told
from ..texts import called, say, sections

NOTHING = "nothing: compare models"
FIRST = 3
"""How many models are chosen at first."""
Row = tuple[str, list[dict[str, Any]], dict[str, Any] | None, str]
"""What is known of a run: its name, its metrics, the scores of the finished clip, and how it is."""


@dataclass(frozen=True)
class Asked:
    """What the tab's widgets say, in their order."""

    keys: list[str]
    action: str | None
    field: str
    values: str
    steps: float | None
    stimulus: controls.Choice

    def plans(self) -> list[Plan]:
        """What is to be run. Raises `LeapsError`."""
        if not self.keys or not self.action:
            raise ConfigError(say("Choose models and an action that they all know."))
        steps = int(self.steps or info("steps")["default"])
        settings = {"steps": steps} | self.stimulus.settings
        field = "" if self.field == NOTHING else self.field
        values = [_value(text) for text in self.values.split(",") if text.strip()] if field else []
        made = comparison.variants(self.keys, self.action, settings, field, values)
        return [controls.checked(plan) for plan in made]


class CompareTab:
    """Lays out the tab and connects it."""

    def __init__(self, session: Session, tab: gr.Tab) -> None:
        self.session, self.told, self.key, self.timer = session, gr.State(None), kept("comparison"), gr.Timer(LATER)
        gr.Markdown(sections("compare")["compare"].text, elem_classes="caption")
        with gr.Row(equal_height=False):  # clips first, as on the first page, so that a phone shows them first
            with gr.Column(scale=3, min_width=320):
                self.player = player.player(elem_id="versus")
                with gr.Row(elem_id="versus-bar"):
                    self.start = gr.Button(say("Compare"), variant="primary", scale=0, min_width=130)
                    self.stop = gr.Button(say("Stop all"), interactive=False, scale=0, min_width=110)
                    self.picture = gr.DownloadButton(say("Picture"), interactive=False, size="sm", scale=0, min_width=90)
                    self.film = gr.DownloadButton(say("Film"), interactive=False, size="sm", scale=0, min_width=90)
                self.line = gr.Markdown(elem_classes="caption", elem_id="versus-line")
            with gr.Column(scale=2, min_width=320):
                self._lay_out_asked()
        with gr.Row():
            self.table = gr.Markdown(elem_id="versus-table")
            self.plot = gr.Plot(show_label=False, container=False, visible=False)
        self._wire(tab)

    def _lay_out_asked(self) -> None:
        words, varied = sections("compare"), [name for name in FIELDS if name not in controls.MAIN[:2]]
        said = controls.explained("compare")
        with gr.Group():
            with gr.Row():
                self.models = gr.Dropdown(
                    [],
                    multiselect=True,
                    max_choices=comparison.MOST,
                    **said["models"],
                    interactive=True,
                    scale=3,
                    min_width=300,
                )
                self.action = gr.Dropdown([], **said["action"], interactive=True, scale=1, min_width=180)
            with gr.Row():
                self.field = gr.Dropdown(
                    [(say(NOTHING), NOTHING), *((controls.label(name), name) for name in varied)],
                    value=NOTHING,
                    **said["vary"],
                    interactive=True,
                    min_width=200,
                )
                self.values = gr.Textbox("", **said["values"], interactive=True, min_width=200)
                self.steps = gr.Number(
                    info("steps")["default"],
                    **said["steps"],
                    precision=0,
                    minimum=1,
                    maximum=info("steps")["max"],
                    min_width=140,
                )
            with gr.Row(equal_height=True):
                self.stimulus = controls.stimulus(words["stimulus"], "versus-video")

    def _wire(self, tab: gr.Tab) -> None:
        asked, stimulus = [self.models, self.action, self.field, self.values, self.steps], self.stimulus
        shown = [
            self.player,
            self.table,
            self.plot,
            self.line,
            self.start,
            self.stop,
            self.picture,
            self.film,
            self.key,
            self.told,
            self.timer,
        ]
        chosen = [self.models, self.action, stimulus.kind]
        tab.select(self.fill, chosen, chosen, **CALM).then(
            self.before, [self.session.visitor, self.key], [self.player, self.line, self.table, self.plot], **CALM
        )
        self.models.input(told(self.choose), chosen, chosen[1:], **CALM)
        gr.on(
            [stimulus.kind.change, stimulus.file.change],
            told(stimulus.needed),
            [stimulus.kind, stimulus.file],
            [stimulus.seed, stimulus.file, stimulus.start],
            **CALM,
        )
        self.start.click(told(self.begin), [self.session.visitor, *asked, *stimulus.widgets], shown, **CALM)
        self.stop.click(self.end, [self.session.visitor, self.key], [self.timer], **QUICK)
        self.timer.tick(self.follow, [self.session.visitor, self.key, self.told], shown, **QUICK)

    # ------------------------------------------------------------------------------------------------------- events

    def fill(self, chosen: list[str], action: str | None, kind: str) -> dict[Any, Any]:
        """What can be chosen: models whose weights are here. At first some that are trained alike."""
        known = [(words, key) for words, key in controls.model_choices() if models.state(models.spec(key)) != "download"]
        chosen = [key for key in chosen or [] if any(key == one for _, one in known)]
        chosen = chosen or [key for _, key in known if models.spec(key).robust][:FIRST]
        return {self.models: gr.Dropdown(known, value=chosen), **self.choose(chosen, action, kind)}

    def before(self, visitor: str | None, key: str | None) -> dict[Any, Any]:
        """What is seen before a first comparison: finished runs of one action by several models."""
        groups: dict[str, list[runs.Run]] = {}
        for run in (run for run in runs.list_runs() if run.demo):
            groups.setdefault(run.config.action, []).append(run)
        action, shown = max(groups.items(), key=lambda group: len(group[1]), default=("", []))
        if comparisons.find(key, views.owner_of(visitor)) is not None or not shown:
            return gr.skip()
        named = [(models.spec(run.config.model).name, run) for run in shown]
        return {
            self.player: player.tracks(
                *(player.track(run.id, name, run.clip, widgets.scores(run.config, run.final)) for name, run in named)
            ),
            self.line: sections("compare")["before"].text.format(action=action),
            **self._figures([(name, run.metrics, run.final, say(run.status)) for name, run in named], shown[0].config.steps),
        }

    def choose(self, chosen: list[str], action: str | None, kind: str) -> dict[Any, Any]:
        """The actions that all chosen models know, and a stimulus that all of them take: none where the chosen kind is the
        bundled clip, which is of one world only."""
        worlds = [models.labels(models.spec(key).world) for key in chosen or []]
        common = [label for label in (worlds[0] if worlds else ()) if all(label in world for world in worlds)]
        value = next((one for one in (action, settings_panel.FIRST, *common) if one in common), None)
        return {self.action: gr.Dropdown(common, value=value), self.stimulus.kind: controls.stimulus_for(kind, chosen or [])}

    def begin(self, visitor: str | None, *values: Any) -> dict[Any, Any]:
        """Queues the runs. `values`: what the widgets say. Raises `LeapsError`."""
        keys, action, field, varied, steps, *chosen = values
        asked = Asked(keys, action, field, varied, steps, controls.Choice(*chosen))
        plans = asked.plans()
        found = Comparison(views.owner_of(visitor), plans, comparison.differences([plan.config for plan in plans], called))
        return {**self._shown(found, None), self.key: comparisons.remember(found), self.told: None, self.timer: gr.Timer(SOON)}

    def end(self, visitor: str | None, key: str | None) -> dict[Any, Any]:
        """Stops all runs of the comparison."""
        found = comparisons.find(key, views.owner_of(visitor))
        if found is not None:
            found.stop()
        return {self.timer: gr.Timer(SOON)}

    def follow(self, visitor: str | None, key: str | None, told: Any, request: gr.Request) -> dict[Any, Any]:
        """News of the comparison: only what has changed."""
        found = comparisons.find(key, views.owner_of(visitor))
        if found is None:
            return gr.skip()
        if found.active:
            found.advance(request.session_hash or "")
        if found.state == told:
            return gr.skip()
        return {**self._shown(found, told), self.told: found.state, self.timer: gr.Timer(SOON if found.active else LATER)}

    # -------------------------------------------------------------------------------------------------------- parts

    def _shown(self, found: Comparison, told: Any) -> dict[Any, Any]:
        """Everything of a comparison; pictures that the browser has already aren't sent again."""
        items, told = [], told or {"jobs": [], "stimulus": False}
        if any(plan.config.stimuli for plan in found.plans):  # its place is there before it is read, so that nothing jumps
            items.append(player.track("stimulus", say("stimulus"), found.stimulus, known=told["stimulus"]))
        for i, name in enumerate(found.names):
            job = found.jobs[i] if i < len(found.jobs) else None
            if job is None or job.step is None:
                items.append(player.track(str(i), name, None, say("waits")))
                continue
            note = f"{say('step {step}', step=job.step.index)} · {widgets.percent(job.step.probabilities['model'])}"
            same = [job.status, job.version] in told["jobs"][i : i + 1]
            items.append(player.track(str(i), name, job.step.frames, note, known=same))
        active = found.active
        updates = {
            self.player: player.tracks(*items),
            self.line: _line(found),
            self.start: gr.Button(interactive=not active),
            self.stop: gr.Button(interactive=active),
            **self._figures([_row(found, i) for i in range(len(found.names))], found.plans[0].config.steps),
        }
        files = self._files(found) if not active and any(job.run for job in found.jobs) else (None, None)
        for button, path in zip((self.picture, self.film), files, strict=True):
            updates[button] = gr.DownloadButton(value=path, interactive=path is not None)
        return updates

    def _figures(self, rows: Sequence[Row], steps: int) -> dict[Any, Any]:
        """Table and plot of runs; no plot before one of them has made a step."""
        begun = [(name, metrics) for name, metrics, *_ in rows if metrics]
        return {self.table: _table(rows), self.plot: gr.Plot(plots.together(begun, steps), visible=bool(begun))}

    def _files(self, found: Comparison) -> tuple[Path, Path]:
        """The figure as a picture and as a film."""
        entries = figure.entries(
            [
                (name, job.run)
                for name, job in zip(found.names, found.jobs, strict=False)
                if job.run is not None and job.step is not None
            ]
        )
        folder, action = downloads.new_folder(), found.plans[0].config.action
        picture, film = (folder / f"leaps-{action.replace(' ', '-')}.{kind}" for kind in ("png", "mp4"))
        figure.picture(action, entries).save(picture)
        video.write_mp4(figure.film(action, entries), film)
        return picture, film


def _line(found: Comparison) -> str:
    """How far it is."""
    done = sum(not job.active for job in found.jobs)
    ended = say("{done} of {total} runs have ended.", done=done, total=len(found.plans))
    if not found.active:
        return f"{ended} {say('They are kept in the tab Runs.')}"
    left = [
        controls.duration((job.config.steps - job.metrics[-1]["step"]) / speed)
        for job in found.jobs
        if job.status == "running" and len(job.metrics) > 1 and (speed := stage.pace(job.metrics))
    ]
    more = [say("{time} left of this one.", time=left[0])] if left else []
    return " ".join([ended, *more, *([] if preload.ready() else [say("PyTorch is still being loaded.")])])


def _row(found: Comparison, i: int) -> Row:
    """A run of the comparison."""
    if i >= len(found.jobs):
        return found.names[i], [], None, say("stopped") if found.stopped else say("waits")
    job = found.jobs[i]
    return found.names[i], job.metrics[:], job.step.final if job.step else None, job.error or say(job.status)


def _table(rows: Sequence[Row]) -> str:
    """Runs as a Markdown table."""
    heads = (say("loss"), *map(say, NETWORKS), say("steps/s"), say("seconds"))
    lines = [f"| | {' | '.join(heads)} | |", "| --- " * 8 + "|"]
    for name, metrics, final, how in rows:
        cells = ["–"] * 6
        if metrics:
            last = metrics[-1]
            cells = [
                f"{sum(last['weighted'].values()):.2f}",
                *(widgets.percent((final or last["probabilities"]).get(who)) for who in NETWORKS),
                f"{stage.pace(metrics):.1f}" if len(metrics) > 1 else "–",
                f"{last['seconds']:.0f}",
            ]
        lines.append(f"| {' | '.join([name, *cells, how])} |")
    return "\n".join(lines)


def _value(text: str) -> Any:
    """A number, if it reads as one; else the word."""
    text = text.strip()
    try:
        return int(text) if text.lstrip("-").isdigit() else float(text)
    except ValueError:
        return text
