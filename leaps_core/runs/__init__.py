"""Runs: synthesize and keep everything, find it again, go on, do it again, compare.

    record.py    `Run`: a run as it lies on disk        perform.py      new runs, resumed ones, replays
    store.py     all runs of this machine               writer.py       what a run writes
    comparison.py, figure.py   several runs side by side        waiting.py   snapshots of a run that is going on
    film.py   a run from noise to clip

Importing this package does not import torch.
"""

from .again import Again, from_json, from_text
from .comparison import compare
from .film import film, out_of_noise, write_film
from .perform import perform, perform_together, replay, resume
from .record import INTERRUPTED, Run, Snapshots
from .store import LONGEST_NOTE, annotate, delete, find, list_runs, pack, tidy

__all__ = [
    "INTERRUPTED",
    "Again",
    "LONGEST_NOTE",
    "Run",
    "Snapshots",
    "annotate",
    "compare",
    "delete",
    "film",
    "find",
    "from_json",
    "from_text",
    "list_runs",
    "out_of_noise",
    "pack",
    "perform",
    "perform_together",
    "replay",
    "resume",
    "tidy",
    "write_film",
]
