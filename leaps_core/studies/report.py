"""What a study found: a table, sentences, figures and a contact sheet; and how they are written to files."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .. import files
from .numbers import Interval
from .pictures import change, layout, side_by_side

Row = dict[str, Any]
"""What was found out about one clip: where its trial stands, `status` ("done" or "failed"), `error`, and its scores."""
TERMS = ("cross_entropy", "priming", "coherence", "diversity")
"""The terms of the paper's loss."""
DRAWING = 60.0
"""s that a figure may take to be drawn."""


@dataclass(frozen=True)
class Report:
    """What a study found, or has found so far. `table`: one dict per row, the same columns in each; values are texts, numbers
    and `Interval`s. `claims`: sentences. `figures`: Plotly's, by name. `sheet`: which runs are shown side by side, by action
    and column; `layouts`: below each other with the stimulus, by action: names and runs; `changes`: runs
    that began at their stimulus, with what changed, by title; `failed`: rows of runs that failed."""

    table: list[dict[str, Any]]
    claims: list[str] = field(default_factory=list)
    figures: Mapping[str, Any] = field(default_factory=dict)
    sheet: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    changes: Mapping[str, str] = field(default_factory=dict)
    layouts: Mapping[str, Sequence[tuple[str, str]]] = field(default_factory=dict)
    failed: Sequence[Row] = ()

    @property
    def markdown(self) -> str:
        """Table and claims, to paste, and a row for each run that failed."""
        lines = _lines(self.table) if self.table else ["Nothing is finished yet."]
        lines += [f"\n{claim}" for claim in self.claims]
        if self.failed:
            lost = [{name: value for name, value in row.items() if name not in ("status", "folder")} for row in self.failed]
            lines += ["", *_lines(lost)]
        return "\n".join(lines) + "\n"

    @property
    def flat(self) -> list[dict[str, Any]]:
        """The table without intervals: each is four columns, as top-1, top-1 low, top-1 high, top-1 n."""
        return [_flat(row) for row in self.table]

    def write(self, folder: Path, whole: bool) -> list[str]:
        """Write it into a folder; `whole`: pictures of the figures, too. Returns what there is to say about that. `OSError`."""
        files.write(folder / "table.md", self.markdown)
        _write_table(folder / "table", self.flat)
        for name, figure in self.figures.items():
            files.write(folder / f"{name}.json", figure.to_json())
        shown = {action: {column: folder / "runs" / run for column, run in row.items()} for action, row in self.sheet.items()}
        if (sheet := side_by_side(shown)) is not None:
            with files.replacing(folder / "sheet.webp") as part:
                sheet.save(part, "WEBP", quality=82)
        for action, rows in self.layouts.items():
            with files.replacing(folder / f"{action.replace(' ', '-')}.png") as part:
                layout(action, [(name, folder / "runs" / run) for name, run in rows]).save(part, "PNG")
        for title, run in self.changes.items():
            with files.replacing(folder / f"{title.replace(' ', '-')}.png") as part:
                change(title, folder / "runs" / run).save(part, "PNG")
        return _draw(folder, self.figures) if whole else []


def _lines(table: Sequence[Row]) -> list[str]:
    columns = list(table[0])
    lines = [f"| {' | '.join(columns)} |", f"| {' | '.join('---' for _ in columns)} |"]
    return lines + [f"| {' | '.join(_told(row.get(column)) for column in columns)} |" for row in table]


def done(rows: Sequence[Row]) -> list[Row]:
    """Without those of runs that failed."""
    return [row for row in rows if row["status"] == "done"]


def grouped(rows: Sequence[Row], *names: str) -> dict[tuple[Any, ...], list[Row]]:
    """Rows by their values of some columns, in the order in which these come."""
    found: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        found.setdefault(tuple(row[name] for name in names), []).append(row)
    return found


def values(rows: Sequence[Row], name: str) -> list[Any]:
    """A column, where it has something."""
    return [row[name] for row in rows if row.get(name) is not None]


def paper_loss(row: Row) -> float:
    """The final loss of a row as the paper has it: the sum of its own terms, whatever else took part."""
    return float(sum(row.get(f"loss_{name}", 0.0) for name in TERMS))


def differences(before: Sequence[Row], after: Sequence[Row], name: str) -> list[float]:
    """How the probability by a network changes between clips of the same model, action and seed."""
    first, then = ({_of(row): row.get(f"p_{name}") for row in some} for some in (before, after))
    pairs = [(first.get(of), p) for of, p in then.items()]
    return [b - a for a, b in pairs if a is not None and b is not None]


def _of(row: Row) -> tuple[Any, ...]:
    return row.get("model"), row["action"], row["seed"]


def first_clips(rows: Sequence[Row], column: str) -> dict[str, dict[str, str]]:
    """A sheet: of each action and each value of a column the first run."""
    found: dict[str, dict[str, str]] = {}
    for row in done(rows):
        found.setdefault(row["action"], {}).setdefault(str(row[column]), row["run"])
    return found


def write_clips(folder: Path, rows: Sequence[Row]) -> None:
    """One row per clip, as clips.csv and clips.parquet; what a network says of each class is in the latter only."""
    columns = [name for name in dict.fromkeys(name for row in rows for name in row) if name != "folder"]
    _write_table(folder / "clips", [{name: row.get(name) for name in columns} for row in rows])


def _write_table(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    import pyarrow as pa
    from pyarrow import csv, parquet

    table = pa.Table.from_pylist(list(rows))
    with files.replacing(path.with_suffix(".parquet")) as part:
        parquet.write_table(table, part)
    with files.replacing(path.with_suffix(".csv")) as part:
        csv.write_csv(table.select([column.name for column in table.schema if not pa.types.is_nested(column.type)]), part)


def _draw(folder: Path, figures: Mapping[str, Any]) -> list[str]:
    if not figures:
        return []
    # -P: the folder of draw.py, which has a numbers.py, is none to import from
    command = [sys.executable, "-P", str(Path(__file__).with_name("draw.py")), str(folder), *figures]
    drawing = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True)
    try:
        told = drawing.communicate(timeout=DRAWING * len(figures))[1].strip()
    except subprocess.TimeoutExpired:
        told = f"it took more than {DRAWING:.0f} s a figure"
        os.killpg(drawing.pid, signal.SIGKILL)
        drawing.wait()
    if not drawing.returncode:
        return []
    said = told.splitlines()[-1] if told else "it was ended"
    return [f"Figures are kept as JSON only: pictures of them need kaleido and a Chrome or Chromium ({said})."]


def _told(value: Any) -> str:
    if value is None or (isinstance(value, float) and not isinstance(value, Interval) and math.isnan(value)):
        return "–"
    return f"{value:.3g}" if isinstance(value, float) else " ".join(str(value).replace("|", "\\|").split())


def _flat(row: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, Interval):
            found |= {name: value.value, f"{name} low": value.low, f"{name} high": value.high, f"{name} n": value.n}
        else:
            found[name] = value
    return found
