"""Figures as pictures: `python draw.py FOLDER NAME ...` draws FOLDER/NAME.json (Plotly's) as .svg and .png.

It is a program of its own, as the browser that draws may hang for ever, and what waits for it then can't be ended.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

STATIC = ("svg", "png")
"""Pictures of a figure that need a browser (Chrome or Chromium) to be drawn."""


def main(folder: Path, names: list[str]) -> None:
    """Draw them, each whole or not at all."""
    import plotly.io

    for name in names:
        figure = plotly.io.read_json(folder / f"{name}.json")
        for kind in STATIC:
            part = folder / f".{name}.{kind}.part"
            part.write_bytes(figure.to_image(format=kind, width=900, height=520, scale=2 if kind == "png" else 1))
            os.replace(part, folder / f"{name}.{kind}")


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), sys.argv[2:])
    except (ImportError, ValueError, RuntimeError) as error:
        sys.exit(" ".join(str(error).split())[:160])
