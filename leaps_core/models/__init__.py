"""The models: their records, where their weights are, and how they are loaded.

    spec.py          `ModelSpec`: all facts of one model        worlds.py    the labels of the worlds
    registry.py      which models there are                     cast.py      who takes part in a run
    bundled.py, catalogue/, custom.py   the records             shapes.py    which clips a model takes
    architectures/   what builds the networks (torch)           presets.py   the settings that suit a model
    loading.py       records to networks with weights           weights.py   where weights are, and downloads
    adapter.py       `VideoModel`, what runs see (torch)        packages.py  weights inside packages of the Python index
    inspection.py    taps and their shapes (torch)              checkpoints.py, shards.py  other people's files (torch)
    formats.py       memory layout, number format (torch)       moments.py   means and variances of layers (torch)

Importing this package does not import torch; `load` and `network` do.
"""

from . import bundled, catalogue, custom, weights
from .cast import Cast, missing, objects, require_weights, resolve
from .loading import fingerprint, load, state
from .presets import PRESETS, configure, paper_settings, plain, preset, untried
from .registry import failures, labels, network, provide, register, spec, specs
from .spec import ModelSpec, PaperRow, Source
from .worlds import PUPPETS

__all__ = [
    "PRESETS",
    "PUPPETS",
    "Cast",
    "ModelSpec",
    "PaperRow",
    "Source",
    "configure",
    "custom",
    "failures",
    "fingerprint",
    "labels",
    "load",
    "missing",
    "network",
    "objects",
    "own",
    "paper_settings",
    "plain",
    "preset",
    "register",
    "require_weights",
    "resolve",
    "spec",
    "specs",
    "state",
    "untried",
    "weights",
]

own = custom
"""The earlier name of `custom`, which programs still import."""

for _provider in (bundled.provide, catalogue.provide, custom.load_folder):
    provide(_provider)
