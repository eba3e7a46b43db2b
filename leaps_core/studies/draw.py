"""Figures as pictures: `python draw.py FOLDER NAME ...` draws FOLDER/NAME.json (Plotly's) as .svg and .png.

It is a program of its own, as the browser that draws may hang for ever, and what waits for it then can't be ended.
"""

from __future__ import annotations

import sys
from pathlib import Path

STATIC = ("svg", "png")
"""Pictures of a figure that need a browser (Chrome or Chromium) to be drawn."""


def main(folder: Path, names: list[str]) -> None:
    """Draw them, all by one browser, as starting it takes longer than what it has to do; each whole or not at all."""
    import plotly.io

    wanted = [(name, kind, folder / f".{name}.{kind}.part") for name in names for kind in STATIC]
    try:
        plotly.io.write_images(
            [plotly.io.read_json(folder / f"{name}.json") for name, _, _ in wanted],
            [part for _, _, part in wanted],
            format=[kind for _, kind, _ in wanted],
            scale=[2 if kind == "png" else 1 for _, kind, _ in wanted],
            width=900,
            height=520,
        )
        for name, kind, part in wanted:
            part.replace(folder / f"{name}.{kind}")
    finally:
        for *_, part in wanted:
            part.unlink(missing_ok=True)


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), sys.argv[2:])
    except (ImportError, ValueError, RuntimeError) as error:
        sys.exit(" ".join(str(error).split())[:160])
