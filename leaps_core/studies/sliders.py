"""Does every slider matter? `python -m leaps_core.studies.sliders`

For each slider of the page's group “Steer” at its minimum, its usual value (the one that suits the model) and its maximum: the
judge's probability, the amount of motion, and a picture. Prints a Markdown table, and writes docs/pictures/sliders.webp and
assets/sliders.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .. import models, paths
from ..config import STEERING, bundled_stimulus, info
from ..errors import exit_code
from .common import Inversion, invert
from .pictures import CELL, LABEL, LEFT, sheet

NEEDED = {"naturalness": {"frame_verifier": "efficientnet_lite0"}}
"""What a slider acts on, where that usually takes no part."""
POSITIONS = ("min", "usual", "max")
"""Of a slider."""
Row = dict[str, list[Inversion]]
"""Inversions by position of one slider."""


def study(
    cache: Path, model: str, actions: tuple[str, ...], settings: dict[str, Any], sliders: Sequence[str] = STEERING
) -> dict[str, Row]:
    """By slider and position: one inversion per action."""
    table: dict[str, Row] = {}
    for name in sliders:
        table[name] = {}
        for position in POSITIONS:
            change = {} if position == "usual" else {name: info(name)[position]}
            asked = {"seed": 50, "stimuli": (bundled_stimulus(50),), **NEEDED.get(name, {}), **settings, **change}
            table[name][position] = [invert(models.configure(model, action, asked), cache) for action in actions]
            print(
                f"{name:15s} {position:8s} judge {_mean(table[name][position], 'judge'):.2f} "
                f"motion {_mean(table[name][position], 'motion'):.4f}",
                flush=True,
            )
    return table


def markdown(table: dict[str, Row], model: str) -> str:
    """The table as Markdown: judge's probability and motion at each position, and how far the pictures are from the usual
    one."""
    preset = models.preset(models.spec(model))
    lines = [
        "| slider | minimum | usual | maximum | judge at min / usual / max | motion at min / usual / max | "
        "change of the picture at min / max |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name, row in table.items():
        facts = info(name)
        usual = preset.get(name, facts["default"])
        judge, motion = (
            " / ".join(f"{_mean(row[p], part):{style}}" for p in POSITIONS)
            for part, style in (("judge", ".2f"), ("motion", ".4f"))
        )
        change = " / ".join(f"{_difference(row[p], row['usual']):.3f}" for p in ("min", "max"))
        lines.append(f"| {name} | {facts['min']} | {usual} | {facts['max']} | {judge} | {motion} | {change} |")
    return "\n".join(lines)


def _mean(results: list[Inversion], part: str) -> float:
    return float(np.mean([one.scores[part] for one in results]))


def _difference(a: list[Inversion], b: list[Inversion]) -> float:
    return float(np.mean([np.abs(x.frames.astype(float) - y.frames).mean() / 255 for x, y in zip(a, b, strict=True)]))


def main() -> None:
    """Command line of the study."""
    parser = argparse.ArgumentParser(
        prog="python -m leaps_core.studies.sliders", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cache", type=paths.given, default=paths.studies(), help="where finished clips are kept")
    parser.add_argument("--docs", type=paths.given, default=Path("docs"), help="where table and picture are written")
    parser.add_argument("--model", default="puppet_csn")
    parser.add_argument("--actions", nargs="+", default=["bowling", "playing trumpet"])
    parser.add_argument("--of", nargs="+", choices=STEERING, metavar="SLIDER", help="these only; docs' picture stays as it is")
    args = parser.parse_args()
    table = study(args.cache, args.model, tuple(args.actions), {}, args.of or STEERING)
    write_previews(table, paths.ASSETS / "sliders")
    print(markdown(table, args.model))
    if args.of:
        return
    (args.docs / "pictures").mkdir(parents=True, exist_ok=True)
    rows = [
        (name, [row[position][k].frames for k in range(len(args.actions)) for position in POSITIONS])
        for name, row in table.items()
    ]
    columns = [f"{action}, {position}" for action in args.actions for position in POSITIONS]
    sheet(rows, columns, cell=CELL).save(args.docs / "pictures" / "sliders.webp", quality=85)


def write_previews(table: dict[str, Row], folder: Path) -> None:
    """What the page shows beside a slider: two frames each of its minimum, usual value and maximum, of the first action,
    side by side, as NAME.webp."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, row in table.items():
        clips = [row[position][0].frames for position in POSITIONS]
        whole = sheet([("", clips)], [""] * len(clips), cell=CELL)
        whole.crop((LEFT, LABEL, whole.width - 6, LABEL + CELL)).save(folder / f"{name}.webp", quality=80)


if __name__ == "__main__":
    sys.exit(exit_code(main))
