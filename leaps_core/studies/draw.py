"""Figures as pictures: `python draw.py FOLDER NAME ...` draws FOLDER/NAME.json (Plotly's) as .svg and .png.

It is a program of its own, as the browser that draws may hang for ever, and what waits for it then can't be ended.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

STATIC = ("svg", "png")
"""Pictures of a figure that need a browser (Chrome or Chromium) to be drawn."""


def main(folder: Path, names: list[str]) -> None:
    """Draw them, all by one browser, as starting it takes longer than what it has to do; each whole or not at all."""
    import plotly.io

    wanted = [(name, kind) for name in names for kind in STATIC]
    with tempfile.TemporaryDirectory(prefix=".", dir=folder) as its_own:  # another process may draw the same figures
        drawn = [Path(its_own, f"{name}.{kind}") for name, kind in wanted]
        plotly.io.write_images(
            [plotly.io.read_json(folder / f"{name}.json") for name, _ in wanted],
            drawn,
            scale=[2 if kind == "png" else 1 for _, kind in wanted],
            width=900,
            height=520,
        )
        for picture in drawn:
            picture.replace(folder / picture.name)


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), sys.argv[2:])
    except (ImportError, ValueError, RuntimeError) as error:
        sys.exit(" ".join(str(error).split())[:160])
