"""The figures of studies (Plotly's), and their contact sheets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ..probes import motion
from ..runs import Run
from ..runs import figure as paper
from ..runs.comparison import note
from .numbers import Interval

COLOURS = ("#0284c7", "#d97706", "#ec4899", "#16a34a", "#8b5cf6", "#64748b", "#0d9488", "#ef4444")
CELL = 96
"""Height and width of a frame on a contact sheet, in px."""
LABEL, LEFT = 20, 150
"""Height of a label on a contact sheet, and width of those at its left, in px."""
MARKS = 10
"""So many places of points on a logarithmic axis are its marks; more would cover each other."""
MOST_COLUMNS = 8
"""Of more clips side by side, nothing can be seen."""


def curves(
    title: str,
    x: str,
    y: str,
    series: Mapping[str, Sequence[tuple[Any, Interval]]],
    log: bool = False,
    band: tuple[float, float, str] | None = None,
) -> Any:
    """Lines with their 95 % intervals, as a Plotly figure: by the name of each, its points (x, figure). `log`: the x axis.
    `band`: a grey one from low to high, and its name."""
    import plotly.graph_objects as go

    figure = go.Figure()
    places = sorted({point[0] for points in series.values() for point in points})
    if band is not None and places:
        low, high, name = band
        ends, bare = [places[0], places[-1]], {"mode": "lines", "line": {"width": 0}}
        figure.add_scatter(x=ends, y=[low, low], showlegend=False, hoverinfo="skip", **bare)
        figure.add_scatter(x=ends, y=[high, high], fill="tonexty", fillcolor="rgba(100,116,139,.25)", name=name, **bare)
    for i, (name, points) in enumerate(series.items()):
        there = [(at, one) for at, one in points if one.n]
        figure.add_scatter(
            x=[at for at, _ in there],
            y=[one.value for _, one in there],
            error_y=_intervals([one for _, one in there]),
            mode="lines+markers",
            line={"color": COLOURS[i % len(COLOURS)]},
            name=name,
        )
    figure.update_layout(title=title, xaxis_title=x, yaxis_title=y, template="plotly_white", hovermode="x")
    figure.update_yaxes(rangemode="tozero")
    if log:
        figure.update_xaxes(type="log", tickvals=places if len(places) <= MARKS else None)
    return figure


def bars(title: str, y: str, series: Mapping[str, Sequence[tuple[str, Interval]]]) -> Any:
    """Bars with their 95 % intervals, side by side for each name on the x axis."""
    import plotly.graph_objects as go

    figure = go.Figure()
    for i, (name, points) in enumerate(series.items()):
        there = [(at, one) for at, one in points if one.n]
        figure.add_bar(
            x=[at for at, _ in there],
            y=[one.value for _, one in there],
            error_y=_intervals([one for _, one in there]),
            marker_color=COLOURS[i % len(COLOURS)],
            name=name,
        )
    figure.update_layout(title=title, yaxis_title=y, template="plotly_white", barmode="group")
    return figure


def scatter(title: str, x: str, y: str, points: Sequence[tuple[float, Interval, str]]) -> Any:
    """Named points (x, figure, name) with the figures' 95 % intervals."""
    import plotly.graph_objects as go

    figure = go.Figure()
    figure.add_scatter(
        x=[at for at, _, _ in points],
        y=[one.value for _, one, _ in points],
        error_y=_intervals([one for _, one, _ in points]),
        text=[name for _, _, name in points],
        textposition="top center",
        mode="markers+text",
        marker={"size": 9, "color": COLOURS[0]},
    )
    figure.update_layout(title=title, xaxis_title=x, yaxis_title=y, template="plotly_white")
    return figure


def places(title: str, panels: Mapping[str, Mapping[str, np.ndarray]], colours: Mapping[str, str]) -> Any:
    """Maps beside each other: by the name of each its groups of points (N, 2), which have one legend."""
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    figure: go.Figure = make_subplots(1, len(panels), subplot_titles=list(panels), horizontal_spacing=0.04)
    for column, groups in enumerate(panels.values(), 1):
        for name, points in groups.items():
            figure.add_scatter(
                x=points[:, 0],
                y=points[:, 1],
                mode="markers",
                marker={"color": colours[name], "size": 5 if name == "real" else 7},
                name=f"{name} ({len(points)})",
                legendgroup=name,
                showlegend=column == 1,
                row=1,
                col=column,
            )
    figure.update_layout(title=title, template="plotly_white", legend={"orientation": "h", "y": -0.05})
    figure.update_xaxes(showticklabels=False, zeroline=False)
    figure.update_yaxes(showticklabels=False, zeroline=False)
    return figure


def layout(title: str, runs: Sequence[tuple[str, Path]]) -> Image.Image:
    """Runs of one action below each other, the first one's stimulus on top: the layout of the paper's Figures S1 to S4."""
    return paper.picture(title, paper.entries([(name, Run.open(folder)) for name, folder in runs]))


def change(title: str, folder: Path) -> Image.Image:
    """A run that began at its stimulus: the stimulus, the clip, and where it changed."""
    run = Run.open(folder)
    before, after = run.stimulus[0], run.clip
    shown = motion.drawn(motion.changes(after, before))
    rows = (
        ("before", "", before),
        ("after", note(run.final), after),
        ("change", f"white: {motion.FULL:.0%} of the range", shown),
    )
    return paper.picture(title, [paper.Entry(*row) for row in rows])


def side_by_side(folders: Mapping[str, Mapping[str, Path]], frames: Sequence[float] = (0.25, 0.75)) -> Image.Image | None:
    """A contact sheet of runs: one row per action, one column per way in which they were made; `frames`: which of each clip, as
    shares of its length. None where there is nothing to show, or too much."""
    columns = list(dict.fromkeys(name for row in folders.values() for name in row))
    if not columns or len(columns) > MOST_COLUMNS:
        return None
    blank = np.full((2, CELL, CELL, 3), 255, np.uint8)
    rows = [
        (action, [Run.open(row[name]).clip if name in row else blank for name in columns]) for action, row in folders.items()
    ]
    return sheet(rows, columns, tuple(frames), CELL)


def sheet(
    rows: list[tuple[str, list[np.ndarray]]], columns: list[str], at: tuple[float, ...] = (0.25, 0.75), cell: int = 112
) -> Image.Image:
    """A contact sheet: one row per (label, clips uint8 (T, H, W, 3)), one column per clip, which is shown
    `at` these shares of its length, side by side."""
    font = ImageFont.load_default(size=13)
    width, left = len(at) * cell, LEFT
    picture = Image.new("RGB", (left + len(columns) * (width + 6), LABEL + len(rows) * (cell + 4)), "white")
    draw = ImageDraw.Draw(picture)
    for i, name in enumerate(columns):
        draw.text((left + i * (width + 6), 2), paper.plain(name), "black", font)
    for j, (label, clips) in enumerate(rows):
        top = LABEL + j * (cell + 4)
        draw.text((4, top + cell // 2 - 8), paper.plain(label), "black", font)
        for i, clip in enumerate(clips):
            for k, share in enumerate(at):
                frame = Image.fromarray(clip[int(share * (len(clip) - 1))]).resize((cell, cell))
                picture.paste(frame, (left + i * (width + 6) + k * cell, top))
    return picture


def _intervals(figures: Sequence[Interval]) -> dict[str, Any]:
    above, below = [one.high - one.value for one in figures], [one.value - one.low for one in figures]
    return {"type": "data", "symmetric": False, "array": above, "arrayminus": below, "thickness": 1}
