"""The stage: clip and stimulus, the film strip, transport, status line, timeline and plots of one run."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import gradio as gr
import numpy as np

from leaps_core import runs

from . import controls, downloads, player, plots, widgets
from .jobs import ACTIVE, Job
from .texts import say, sections
from .views import JOBS, View, shown

MOVE_CURSOR = "(...values) => { window.leaps.moveCursor(values[2]); return values; }"
"""A script that moves the cursor of both plots with the timeline."""


@dataclass(frozen=True)
class Stage:
    """The components; functions of this module say how they change."""

    player: gr.HTML
    bars: gr.HTML
    start: gr.Button
    pause: gr.Button
    resume: gr.Button
    stop: gr.Button
    keep: gr.Checkbox
    guide: gr.Markdown
    status: gr.HTML
    timeline: gr.Slider
    losses: gr.Plot
    probabilities: gr.Plot
    mp4: gr.DownloadButton
    webp: gr.DownloadButton
    npz: gr.DownloadButton
    json: gr.DownloadButton

    @property
    def all(self) -> list[Any]:
        """Every component, as outputs of an event."""
        return [getattr(self, field.name) for field in fields(self)]


def build() -> Stage:
    """Lays the stage out."""
    captions = sections("plots")
    with gr.Column(elem_id="screen"):
        with gr.Row(equal_height=False):
            with gr.Column(scale=4, min_width=260):
                screen = player.player(elem_id="player")
            with gr.Column(scale=1, min_width=150):
                bars = widgets.bars()
        with gr.Row(elem_id="bar"):
            # nothing can be started before the page knows its visitor: `load` would overwrite what was chosen
            start = gr.Button(say("Start"), variant="primary", interactive=False)
            pause = gr.Button(say("Pause"), interactive=False)
            resume = gr.Button(say("Resume"), interactive=False)
            stop = gr.Button(say("Stop"), interactive=False)
        guide = gr.Markdown("", elem_id="guide")  # seen while something is said
        with gr.Row(elem_id="line", equal_height=False):
            with gr.Column(scale=1, min_width=260):
                status = widgets.status()
                keep = gr.Checkbox(False, label=say("Go on when this page is closed"), container=False, elem_id="keep")
            files = [
                gr.DownloadButton(name, size="sm", scale=0, min_width=64, interactive=False)
                for name in ("mp4", "WebP", "npz", "JSON")
            ]
    with gr.Column(elem_id="timeline"):
        timeline = gr.Slider(
            0,
            1,
            value=0,
            step=1,
            interactive=True,
            buttons=[],
            label=captions["timeline"].title,
            info=controls.with_lesson(captions["timeline"].text, "timeline"),
        )
    with gr.Row(elem_id="plots", equal_height=False):
        with gr.Column(min_width=280):
            losses = gr.Plot(plots.losses([]), show_label=False, container=False)
            gr.Markdown(captions["losses"].text, elem_classes="caption")
        with gr.Column(min_width=280):
            probabilities = gr.Plot(plots.probabilities([]), show_label=False, container=False)
            gr.Markdown(captions["probabilities"].text, elem_classes="caption")
    return Stage(screen, bars, start, pause, resume, stop, keep, guide, status, timeline, losses, probabilities, *files)


def show(stage: Stage, view: View) -> dict[Any, Any]:
    """Everything of a run, at its end."""
    step, clip, row = view.snapshot(view.config.steps)
    return {
        **picture(stage, view, step, clip, row),
        **both_plots(stage, view, step),
        stage.timeline: gr.Slider(maximum=view.config.steps, value=step),
    }


def picture(
    stage: Stage, view: View, step: int, clip: np.ndarray | None, row: dict[str, Any] | None, same_run: bool = False
) -> dict[Any, Any]:
    """The clip at one step, next to the stimulus and, of a finished run, how it came out of the noise; these aren't sent again
    for the `same_run`."""
    note = say("step {step}", step=step) + (f" · {say('model')} {widgets.percent(_model(view, row))}" if row else "")
    items = [player.track("clip", view.config.action, clip, note)]
    if view.stimulus is not None:
        items.insert(0, player.track("stimulus", say("stimulus"), view.stimulus, known=same_run))
    if view.final and len(view.steps) > 1:
        made = say("steps {first} to {last}", first=view.steps[0], last=view.steps[-1])
        film = None if same_run else runs.out_of_noise(view.clips, len(view.clips[-1]))
        items.insert(-1, player.track("film", say("out of the noise"), film, made, known=film is None))
    rows = [list(pair) for pair in row["top5"]] if row else []
    return {stage.player: player.tracks(*items, strip="clip"), stage.bars: {"rows": rows, "wanted": view.config.action}}


def _model(view: View, row: dict[str, Any]) -> float | None:
    """What the model gives the action at a step: of a random view of the clip; at the end of the finished clip itself, as the
    line below the clip says it."""
    if view.final and row["step"] == view.metrics[-1]["step"]:
        return view.final.get("model")
    return row["probabilities"].get("model")


def both_plots(stage: Stage, view: View, cursor: int | None = None) -> dict[Any, Any]:
    """Both plots."""
    total = max(view.config.steps, view.metrics[-1]["step"] if view.metrics else 0)
    return {
        stage.losses: plots.losses(view.metrics, view.changes, total, cursor),
        stage.probabilities: plots.probabilities(view.metrics, view.changes, total, cursor),
    }


def transport(stage: Stage, status: str) -> dict[Any, Any]:
    """Only those buttons can be pressed that do something now."""
    active = status in ACTIVE
    return {
        stage.start: gr.Button(interactive=not active),
        stage.pause: gr.Button(interactive=status == "running"),
        stage.resume: gr.Button(interactive=status == "paused"),
        stage.stop: gr.Button(interactive=active),
    }


def report(job: Job) -> dict[str, str]:
    """The status line of a job."""
    if job.status == "error":
        return widgets.line("error", shown(job.error))
    if place := JOBS.place(job):
        wait = JOBS.wait(job)
        begins = say("begins in about {time}", time=controls.duration(wait)) if wait >= 1 else say("begins soon")
        return widgets.line("queued", say("place {place} in the queue", place=place), begins)
    if not job.metrics:
        return widgets.line(job.status, say("getting the models ready") if job.active else say("nothing was made"))
    step, total, speed = job.metrics[-1]["step"], job.config.steps, pace(job.metrics)
    done = say("step {step} of {total}", step=step, total=total)
    if not job.active:
        final = job.step.final if job.step else None
        return widgets.line(job.status, done, widgets.scores(job.config, final), job.why)
    going = speed and job.status == "running"
    left = say("{time} left", time=controls.duration((total - step) / speed)) if going else ""
    return widgets.line(job.status, done, say("{speed} steps/s", speed=f"{speed:.1f}"), left, " ".join(job.notices))


def about(run: runs.Run) -> dict[str, str]:
    """The status line of a run on disk."""
    state, steps = "demo" if run.demo else run.status, say("{steps} steps", steps=run.done)
    return widgets.line(state, steps, shown(run.error) or widgets.scores(run.config, run.final))


def pace(metrics: list[dict[str, Any]], window: int = 20) -> float:
    """Steps per second, lately."""
    recent = metrics[-window - 1 :]
    seconds = recent[-1]["seconds"] - recent[0]["seconds"]
    return (len(recent) - 1) / seconds if seconds > 0 else 0.0


def offered(stage: Stage, run: runs.Run | None) -> dict[Any, Any]:
    """The buttons for a run's files. None: nothing to download yet."""
    made = downloads.copies(run)
    return {getattr(stage, kind): gr.DownloadButton(value=path, interactive=path is not None) for kind, path in made.items()}
