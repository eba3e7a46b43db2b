"""Banks: what one model sees in many real clips.

    clips.py     which clips (a folder, a Kinetics table, puppets)       embed.py   what a model sees in them
    write.py     a bank, written in parts                                bank.py    `Bank`: one on disk

Importing this package imports neither torch nor pyarrow.
"""

from .bank import Bank, bundled, found
from .clips import Clip, Plan, plan_csv, plan_folder, plan_puppets
from .embed import build, read
from .write import Skipped, assemble

__all__ = [
    "Bank",
    "Clip",
    "Plan",
    "Skipped",
    "assemble",
    "build",
    "bundled",
    "found",
    "plan_csv",
    "plan_folder",
    "plan_puppets",
    "read",
]
