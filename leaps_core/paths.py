"""Where things lie: what is shipped (`ASSETS`), and what belongs to the person (`home`)."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

_HERE = Path(__file__).resolve().parent
ASSETS = _HERE / "assets" if (_HERE / "assets").is_dir() else _HERE.parent / "assets"
"""What is shipped: inside the package where it was installed as a wheel, beside it in a checkout. Never written to by a
person's own work."""
DEMOS, BANKS, WEIGHTS, LABELS, FINDINGS = (ASSETS / name for name in ("demos", "banks", "models", "labels", "studies"))
"""Finished runs, banks with their maps, the bundled models' weights, lists of class names, and what finished studies found."""

PROGRAM = "leaps" if Path(sys.argv[0]).stem == "leaps" else "python -m leaps_core"
"""How the command line is called here, for sentences that tell a person what to type."""


def given(text: str | Path) -> Path:
    """A file or folder that a person names; ~ is the home folder also where no shell expands it, as after an option's =."""
    return Path(os.path.expanduser(text))


def home() -> Path:
    """The person's own folder: the environment variable LEAPS_HOME, or ~/.leaps."""
    return given(os.environ.get("LEAPS_HOME") or "~/.leaps")


def hidden(text: str) -> str:
    """A text without the folders of this machine that it names: of LEAPS_HOME, what is shipped, temporary files, and the
    person's own home."""
    folders = {str(folder) for folder in (home(), ASSETS, _HERE.parent, Path(tempfile.gettempdir()), Path.home())} - {"/"}
    for folder in sorted(folders, key=len, reverse=True):
        text = text.replace(folder, "…")
    return text


def own_runs() -> Path:
    """Where runs are kept."""
    return home() / "runs"


def own_banks() -> Path:
    """Where a person may put banks, so that the page lists them."""
    return home() / "banks"


def own_maps() -> Path:
    """Where maps are kept that can't lie beside their bank."""
    return home() / "maps"


def own_models() -> Path:
    """Where a person may put custom models."""
    return home() / "models"


def own_weights() -> Path:
    """Where a person may put weights of published models."""
    return home() / "weights"


def studies() -> Path:
    """Where studies keep the clips that they made, to go on from there."""
    return home() / "studies"
