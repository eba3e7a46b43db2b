"""A bank's facts and columns, made up, and videos to make one of."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from leaps_core import video
from leaps_core.puppets import ACTIONS, render_clip

FACTS = {"model": "tiny", "weights": "0" * 16, "world": "puppets", "layer": "block2", "puppets": False}


def columns(vectors: np.ndarray, sources: list[str]) -> dict[str, object]:
    return {"label": ["bowling"] * len(vectors), "source": sources, "embedding": vectors}


def write_videos(folder: Path) -> Path:
    """Six readable clips of two labels, and one that isn't a video; returns their folder."""
    for i in range(6):
        path = folder / "videos" / ("bowling", "tai chi")[i % 2] / f"{i}.mp4"
        path.parent.mkdir(parents=True, exist_ok=True)
        video.write_mp4(render_clip(ACTIONS[i], i, 8, 64), path)
    (folder / "videos" / "bowling" / "broken.mp4").write_bytes(b"no video")
    return folder / "videos"
