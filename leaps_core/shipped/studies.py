"""A finished study for the page to show where nobody has made one: `python -m leaps_core.shipped.studies FOLDER NAME` takes
what is looked at out of a study's folder (docs/results.md) into assets/studies: table, figures, contact sheet; not the runs."""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

from PIL import Image

from .. import paths
from ..errors import RunError, exit_code

TAKEN = ("study.json", "progress.json", "table.md", "sheet.webp")
"""Beside the figures, which are the other *.json; and other pictures than those of figures, which become WebP."""


def ship(folder: Path, name: str) -> Path:
    """Take a study into assets/studies/NAME; returns that folder. Raises `RunError` for a folder without a finished study."""
    if not (folder / "table.md").is_file() or not (folder / "study.json").is_file():
        raise RunError(f"{folder} holds no finished study: study.json and table.md are missing there.")
    place = paths.FINDINGS / name
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    figures = {path.stem for path in folder.glob("*.json")}
    for path in sorted(folder.iterdir()):
        if path.name in TAKEN or path.suffix == ".json":
            shutil.copyfile(path, place / path.name)
        elif path.suffix == ".png" and path.stem not in figures:
            with Image.open(path) as picture:
                picture.convert("RGB").save(place / f"{path.stem}.webp", quality=75)
    return place


def main() -> None:
    """Take the study that was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=paths.given, help="of the finished study")
    parser.add_argument("name", help="what it is called in assets/studies")
    args = parser.parse_args()
    print(ship(args.folder, args.name))


if __name__ == "__main__":
    sys.exit(exit_code(main))
