"""The published models: the paper's and others, each with all of its facts and what builds it.

Importing this does not import torch; a builder does when it is called.
"""

from __future__ import annotations

from ..registry import register
from . import beyond_paper, frames, paper_attention, paper_convolutional

MODELS = (*paper_convolutional.MODELS, *paper_attention.MODELS, *beyond_paper.MODELS, *frames.MODELS)
"""(record, builder) of each published model."""


def provide() -> list[str]:
    """Registers them all."""
    for record, build in MODELS:
        register(record, build)
    return []
