"""`ModelSpec`: one frozen record with all facts of one model."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Layout = Literal["channels_first", "space_major", "time_major"]
"""How a tap's output is laid out: (B, C, T, H, W); or tokens with a class token, (B, 1 + HW·T, C) with time running
fastest or (B, 1 + T·HW, C) with places running fastest."""


@dataclass(frozen=True)
class PaperRow:
    """A model's row of the paper's Table S1: priming weights of the first and last layer, and the regularizers' r."""

    lambda_1: float
    lambda_L: float
    r: float


@dataclass(frozen=True)
class ModelSpec:
    """All facts of one model. Nothing else in the project knows anything about a particular network.

    `taps` is a regular expression that full-matches the names of the tapped modules (stem and blocks, in
    execution order). `tubelet` is the number of frames in one token. `weights` is the file that is loaded; bundled ones
    lie in assets/models. `accuracy` is the top-1 share on held-out clips, `step_ms` the milliseconds of one forward and
    backward pass at native size where it was trained.
    """

    key: str
    name: str
    family: str
    world: str
    frames: int
    size: int
    taps: str
    embedding_layer: str
    stride: int = 1
    mean: tuple[float, float, float] = (0.45, 0.45, 0.45)
    std: tuple[float, float, float] = (0.225, 0.225, 0.225)
    layout: Layout = "channels_first"
    tubelet: int = 1
    size_step: int = 16
    batch_norm: bool = True
    default_verifier: str | None = None
    role: Literal["model", "judge"] = "model"
    robust: bool = False
    paper: PaperRow | None = None
    weights: Path | None = None
    params: int | None = None
    accuracy: float | None = None
    step_ms: float | None = None
    licence: str = ""
    about: str = ""

    @property
    def can_verify(self) -> bool:
        """Whether its batch-norm statistics can serve feature diversity (judges never take part)."""
        return self.batch_norm and self.role == "model"
