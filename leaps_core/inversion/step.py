"""What a run shows after each step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import video

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Step:
    """What a run shows after each step.

    `losses` are raw, `weighted` as they enter the loss (they sum to it). `probabilities` are of the action, by
    "model" and "verifier" of the transformed clip, and by "judge" of the clip itself, at snapshots only (None: not
    known). `clip` (1, 3, T, H, W) in [0, 1] is untransformed; it is smaller while the run is coarse. `embedding` (D,)
    is the model's. `seconds` since the start, without pauses. `final` is set on the last step only: scores of the
    final, untransformed clip. `device` is where it was computed.
    """

    index: int
    total: int
    losses: dict[str, float]
    weighted: dict[str, float]
    probabilities: dict[str, float | None]
    top5: tuple[tuple[str, float], ...]
    clip: Tensor
    embedding: np.ndarray
    seconds: float
    snapshot: bool
    notices: tuple[str, ...] = ()
    final: dict[str, Any] | None = None
    device: str = "cpu"

    @property
    def loss(self) -> float:
        """What is minimised: the sum of the weighted terms."""
        return sum(self.weighted.values())

    @property
    def row(self) -> dict[str, Any]:
        """Its numbers, as a line of metrics.jsonl has them, and as the plots take them."""
        return {
            "step": self.index,
            "seconds": self.seconds,
            "losses": self.losses,
            "weighted": self.weighted,
            "probabilities": self.probabilities,
            "top5": self.top5,
        }

    @property
    def frames(self) -> np.ndarray:
        """The clip as uint8 (T, H, W, 3)."""
        return video.to_frames(self.clip)
