"""The two plots of a run, as Plotly figures written down as plain dictionaries: quick to build, light to send."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from gradio.components.plot import PlotData

from leaps_core.config import NETWORKS
from leaps_core.inversion.terms import term

from .texts import called, say, sections

MAX_POINTS = 200
"""More points than this are not visible in a plot of this size."""

MAX_DECADES = 5
"""So many powers of ten have room for a number each."""

COLOUR_OF = dict(zip(NETWORKS, ("#0d9488", "#d97706", "#ec4899"), strict=True))
"""Colour of each network."""

_GREY, _GRID = "#718096", "rgba(132,146,166,0.22)"


def losses(
    metrics: Sequence[dict[str, Any]], changes: Sequence[dict[str, Any]] = (), total: int = 0, cursor: int | None = None
) -> PlotData:
    """Every term of the loss, as it enters, over the steps, dotted where it is below 0 (as evidence is, once there is some);
    dotted lines where a slider was moved."""
    rows = thin(metrics)
    steps = [row["step"] for row in rows]
    names = list(dict.fromkeys(name for row in rows for name in row["weighted"]))
    traces = []
    for name in names:
        label, colour, values = say(term(name).label), term(name).colour, [row["weighted"].get(name) for row in rows]
        traces.append(_line(label, colour, steps, [_positive(value) for value in values]))
        if any(value is not None and value < 0 for value in values):  # a logarithmic axis has no room for it
            below = _line(f"−{label}", colour, steps, [_positive(None if value is None else -value) for value in values])
            traces.append(below | {"line": {"color": colour, "width": 2, "dash": "dot"}})
    return _figure(sections("plots")["losses"].title, traces, _log_axis(say("weighted loss"), traces), changes, total, cursor)


def probabilities(
    metrics: Sequence[dict[str, Any]], changes: Sequence[dict[str, Any]] = (), total: int = 0, cursor: int | None = None
) -> PlotData:
    """How probable the action is to model, verifier and judge (who looks only at snapshots, so it gets markers)."""
    rows = thin(metrics)
    traces = []
    for network in NETWORKS[:2]:
        values = [_percent(row["probabilities"].get(network)) for row in rows]
        if any(value is not None for value in values):
            traces.append(_line(say(network), COLOUR_OF[network], [row["step"] for row in rows], values))
    judged = [(row["step"], _percent(row["probabilities"].get("judge"))) for row in metrics]
    judged = [point for point in judged if point[1] is not None]
    if judged:
        steps, shares = zip(*judged, strict=True)
        traces.append(
            _line(say("judge"), COLOUR_OF["judge"], steps, shares)
            | {"mode": "markers", "marker": {"color": COLOUR_OF["judge"], "size": 5}}
        )
    axis = {"title": {"text": say("probability, %"), "standoff": 4}, "range": [-3, 103], "nticks": 5}
    return _figure(sections("plots")["probabilities"].title, traces, axis, changes, total, cursor)


COLOURS = ("#0d9488", "#d97706", "#ec4899", "#3b82f6", "#8b5cf6", "#5b9a0b", "#ef4444", "#64748b")
"""Colours of compared runs."""


def together(compared: Sequence[tuple[str, Sequence[dict[str, Any]]]], total: int) -> PlotData:
    """The whole loss of several runs, (name, metrics), over their steps; linear once one is below 0, as with evidence."""
    traces = []
    for i, (name, metrics) in enumerate(compared):
        rows = thin(metrics)
        whole = [_short(sum(row["weighted"].values())) for row in rows]
        traces.append(_line(name, COLOURS[i % len(COLOURS)], [row["step"] for row in rows], whole))
    below = any(value <= 0 for trace in traces for value in trace["y"])
    return _figure(
        say("The loss of each run"),
        traces,
        {"title": {"text": say("loss"), "standoff": 4}, "nticks": 6} if below else _log_axis(say("loss"), traces),
        (),
        max([total, *(row["step"] for _, rows in compared for row in rows[-1:])]),
        None,
    )


def when(change: np.ndarray, attention: np.ndarray | None) -> PlotData:
    """Each frame's share of all change in a clip, (T,), and of the model's attention."""
    shares = {say("what changes"): (COLOURS[7], change / max(float(change.sum()), 1e-12))}
    if attention is not None:
        shares[say("where the model looks")] = (COLOURS[0], attention)
    frames = range(1, len(change) + 1)
    traces = [_line(name, colour, frames, [_percent(float(one)) for one in share]) for name, (colour, share) in shares.items()]
    axis = {"title": {"text": say("share of the clip's, %"), "standoff": 4}, "rangemode": "tozero", "nticks": 5}
    return _figure(say("When: frame by frame"), traces, axis, (), len(change), None, say("frame"))


def thin(rows: Sequence[Any], most: int = MAX_POINTS) -> list[Any]:
    """At most so many of the rows, evenly spread, the last one included."""
    if len(rows) <= most:
        return list(rows)
    return [rows[round(k * (len(rows) - 1) / (most - 1))] for k in range(most)]


def marks(changes: Sequence[dict[str, Any]], total: int) -> list[dict[str, Any]]:
    """The changes that get a line: of a slider's drag, only where it ended."""
    near = max(2, total // 40)
    kept: dict[tuple[str, int], dict[str, Any]] = {}
    for change in changes:
        field, step = change["field"], change["step"]
        same_drag = (key for key, last in kept.items() if key[0] == field and step - last["step"] <= near)
        kept[next(same_drag, (field, step))] = change
    return sorted(kept.values(), key=lambda change: change["step"])


def _log_axis(title: str, traces: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """A logarithmic axis with a number at each power of ten, or at every second and so on, where they would touch."""
    powers = [math.log10(value) for trace in traces for value in trace["y"] if value and math.isfinite(value)]
    decades = max(powers) - min(powers) if powers else 0.0
    step = max(1, math.ceil(decades / MAX_DECADES))
    return {"title": {"text": title, "standoff": 4}, "type": "log", "exponentformat": "power", "dtick": step}


def _line(name: str, colour: str, x: Sequence[int], y: Sequence[float | None]) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": list(x),
        "y": list(y),
        "line": {"color": colour, "width": 2},
        "hovertemplate": "%{y:.3~g}",
    }


_LOOK: dict[str, Any] = {
    "paper_bgcolor": "rgba(0,0,0,0)",
    "plot_bgcolor": "rgba(0,0,0,0)",
    "font": {"color": _GREY, "size": 11, "family": "IBM Plex Sans, system-ui, sans-serif"},
}
"""What all plots share; it suits light and dark."""


def _figure(
    title: str,
    traces: list[dict[str, Any]],
    axis: dict[str, Any],
    changes: Sequence[dict[str, Any]],
    total: int,
    cursor: int | None,
    x: str = "",
) -> PlotData:
    moved = marks(changes, total)
    common = {"gridcolor": _GRID, "zeroline": False, "linecolor": _GRID, "automargin": True}
    layout = {
        "title": {"text": title, "font": {"size": 13}, "x": 0.01, "xanchor": "left", "y": 0.98, "yanchor": "top"},
        "height": 205,
        "margin": {"l": 46, "r": 10, "t": 50, "b": 34},
        "uirevision": "stay",
        **_LOOK,
        "legend": {"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "font": {"size": 10}, "itemwidth": 30},
        "hovermode": "x unified",
        "hoverlabel": {"bgcolor": "#1e293b", "font": {"color": "#f1f5f9"}},
        "xaxis": common | {"title": {"text": x or say("step"), "standoff": 4}, "range": [0, max(total, 1)], "nticks": 6},
        "yaxis": common | axis,
        "showlegend": True,
        # The first shape is the timeline's cursor; the page's script moves it without asking the server.
        "shapes": [
            _vertical(cursor or 0, {"color": _GREY, "width": 1}) | {"visible": cursor is not None},
            *(_vertical(change["step"], {"color": _GREY, "width": 1, "dash": "dot"}) for change in moved),
        ],
        "annotations": [_note(change) for change in moved],
    }
    figure = {"data": traces, "layout": layout, "config": {"displayModeBar": False, "responsive": True}}
    return PlotData(type="plotly", plot=json.dumps(figure))


def kept(figure: dict[str, Any]) -> PlotData:
    """A figure that was made elsewhere, in the page's look, which suits light and dark."""
    look = {**_LOOK, "height": 340, "margin": {"l": 50, "r": 16, "t": 60, "b": 60}}
    layout = {name: value for name, value in figure["layout"].items() if name != "template"} | look
    for axis in [name for name in layout if name.startswith(("xaxis", "yaxis"))]:
        layout[axis] = {"gridcolor": _GRID, "zeroline": False, "automargin": True, **layout[axis]}
    layout["title"] = {**layout.get("title", {}), "font": {"size": 13}, "x": 0.01, "xanchor": "left"}
    config = {"displayModeBar": False, "responsive": True}
    return PlotData(type="plotly", plot=json.dumps({"data": figure["data"], "layout": layout, "config": config}))


def _vertical(step: int, line: dict[str, Any]) -> dict[str, Any]:
    return {"type": "line", "xref": "x", "yref": "paper", "x0": step, "x1": step, "y0": 0, "y1": 1, "line": line}


def _note(change: dict[str, Any]) -> dict[str, Any]:
    value = change["value"]
    name = called(change["field"])
    text = f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}"
    return {
        "xref": "x",
        "yref": "paper",
        "x": change["step"],
        "y": 1,
        "yanchor": "top",
        "xanchor": "left",
        "text": text,
        "textangle": 90,
        "showarrow": False,
        "font": {"size": 9},
    }


def _positive(value: float | None) -> float | None:
    """For a logarithmic axis."""
    return _short(value) if value is not None and value > 0 else None


def _short(value: float) -> float:
    """With no more digits than can be seen, as all points are sent again and again."""
    return float(f"{value:.4g}")


def _percent(value: float | None) -> float | None:
    return None if value is None else round(100 * value, 2)
