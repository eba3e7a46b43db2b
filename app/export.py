"""A run as one HTML file that opens anywhere, offline: its clip, its way from noise, its plots, its settings."""

from __future__ import annotations

import html
import json
from pathlib import Path
from string import Template
from typing import Any

import numpy as np

from leaps_core import runs
from leaps_core.config import FIELDS

from . import controls, player, plots, widgets
from .texts import say, spoken
from .theme import web

MOMENTS = 16
"""Snapshots that the timeline of the file has."""


def page(run: runs.Run) -> str:
    """The file's text. Raises `RunError` where the run has no snapshots."""
    import plotly.offline

    shots, total = run.snapshots, run.config.steps
    chosen = np.unique(np.linspace(0, len(shots.steps) - 1, MOMENTS).round().astype(int))
    moments = [
        player.track("clip", run.config.action, shots.clips[k], say("step {step}", step=shots.steps[k]))
        for k in chosen[:-1].tolist()
    ] + [player.track("clip", run.config.action, run.clip, widgets.scores(run.config, run.final))]
    beside = [player.track("stimulus", say("stimulus"), clip) for clip in run.stimulus[:1]]
    figures = [json.loads(plot(run.metrics, run.changes, total).plot) for plot in (plots.losses, plots.probabilities)]
    return Template(web("export.html")).substitute(
        lang=spoken(),
        title=html.escape(f"{run.config.action} · {widgets.model_name(run.config.model)}"),
        about=html.escape(widgets.scores(run.config, run.final)),
        player=web("player.html"),
        css=web("player.css") + web("plots.css"),
        script=web("player.js"),
        moments=_script(moments),
        beside=_script(beside),
        figures=_script(figures),
        plotly=plotly.offline.get_plotlyjs(),
        settings="".join(f"<tr><th>{html.escape(name)}</th><td>{html.escape(value)}</td></tr>" for name, value in _facts(run)),
        again=html.escape(run.shared),
    )


def write(run: runs.Run, path: Path) -> None:
    """Write it. Raises `LeapsError`, `OSError`."""
    path.write_text(page(run), encoding="utf-8")


def _script(value: Any) -> str:
    """JSON that can stand in a script."""
    return json.dumps(value).replace("<", "\\u003c")


def _facts(run: runs.Run) -> list[tuple[str, str]]:
    """What the run was made with: settings that differ from the fields' own, and what was changed while it ran."""
    used = run.config.model_dump()
    used["stimuli"] = tuple(json.loads(run.shared)["config"]["stimuli"])  # without this machine's folders
    own = [(name, value) for name, value in used.items() if value != FIELDS[name].default]
    words = [(controls.label(name), ", ".join(value) if isinstance(value, tuple) else f"{value}") for name, value in own]
    moved = [
        (say("{name} from step {step} on", name=controls.label(one["field"]), step=one["step"]), f"{one['value']}")
        for one in run.changes
    ]
    noted = [(say("Note"), run.note)] if run.note else []
    return [*noted, *words, *moved, (say("steps done"), str(run.done))]
