"""A finished study for the page to show where nobody has made one: `python -m leaps_core.shipped.studies FOLDER NAME` takes
what is looked at out of a study's folder (docs/results.md) into assets/studies: table, figures, contact sheet; not the runs.
With `--only FILE` it takes one picture into docs/pictures, for a page of the docs."""

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
    _need(folder, "study.json", "table.md")
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


def ship_picture(folder: Path, name: str, file: str, docs: Path) -> Path:
    """Take one of a finished study's pictures into docs/pictures/NAME; returns it there. Raises `RunError` where it is
    missing."""
    _need(folder, "study.json", file)
    (docs / "pictures").mkdir(parents=True, exist_ok=True)
    return Path(shutil.copyfile(folder / file, docs / "pictures" / f"{name}{Path(file).suffix}"))


def _need(folder: Path, *names: str) -> None:
    missing = [name for name in names if not (folder / name).is_file()]
    if missing:
        raise RunError(
            f"{folder} holds no finished study: {' and '.join(missing)} {'are' if missing[1:] else 'is'} missing there."
        )


def main() -> None:
    """Take the study that was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=paths.given, help="of the finished study")
    parser.add_argument("name", help="what it is called in assets/studies, or the picture in docs/pictures")
    parser.add_argument("--only", metavar="FILE", help="one picture of the folder, for the docs")
    parser.add_argument("--docs", type=paths.given, default=Path("docs"), help="where that goes (default: %(default)s)")
    args = parser.parse_args()
    print(ship_picture(args.folder, args.name, args.only, args.docs) if args.only else ship(args.folder, args.name))


if __name__ == "__main__":
    sys.exit(exit_code(main))
