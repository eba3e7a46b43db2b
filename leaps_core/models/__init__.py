"""The models: their records, where their weights are, and how they are loaded.

    spec.py          `ModelSpec`: all facts of one model        worlds.py    the labels of the worlds
    registry.py      which models there are                     cast.py      who takes part in a run
    bundled.py, catalogue/, custom.py   the records             shapes.py    which clips a model takes
    architectures/   what builds the networks (torch)           weights.py   where weights are, and downloads
    loading.py       records to networks with weights           checkpoints.py  other people's files (torch)
    adapter.py       `VideoModel`, what runs see (torch)        inspection.py   taps and their shapes (torch)

Importing this package does not import torch; `load` and `network` do.
"""

from . import bundled, catalogue, custom, weights
from .cast import Cast, paper_settings, require_weights, resolve
from .loading import fingerprint, load, state
from .registry import failures, labels, network, provide, register, spec, specs
from .spec import ModelSpec, PaperRow, Source
from .worlds import PUPPETS

__all__ = [
    "PUPPETS",
    "Cast",
    "ModelSpec",
    "PaperRow",
    "Source",
    "custom",
    "failures",
    "fingerprint",
    "labels",
    "load",
    "network",
    "own",
    "paper_settings",
    "register",
    "require_weights",
    "resolve",
    "spec",
    "specs",
    "state",
    "weights",
]

own = custom
"""The earlier name of `custom`, which programs still import."""

for _provider in (bundled.provide, catalogue.provide, custom.load_folder):
    provide(_provider)
