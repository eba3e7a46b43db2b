"""What the studies share: one inversion kept on disk, and labelled sheets of frames."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from .. import models
from ..config import SynthesisConfig
from ..synthesis import synthesize

LABEL = 20
"""Height of a label on a sheet, in pixels."""


@dataclass(frozen=True)
class Inversion:
    """A finished clip, uint8 (T, H, W, 3), and the final figures of its run."""

    frames: np.ndarray
    figures: dict[str, Any]


def invert(config: SynthesisConfig, cache: Path) -> Inversion:
    """Run a config to its end, or take the result of an earlier call with the same config and weights from `cache`."""
    cast = models.choose(config)
    weights = [models.fingerprint(spec) for spec in (cast.model, cast.verifier, cast.judge) if spec]
    name = hashlib.sha256((config.model_dump_json() + "".join(weights)).encode()).hexdigest()[:20]
    path = cache / f"{name}.npz"
    if not path.exists():
        *_, last = synthesize(config)
        assert last.final is not None
        cache.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(path.with_suffix(".part.npz"), frames=last.frames, figures=json.dumps(last.final))
        path.with_suffix(".part.npz").rename(path)
    with np.load(path) as saved:
        return Inversion(saved["frames"], json.loads(str(saved["figures"])))


def sheet(
    rows: list[tuple[str, list[np.ndarray]]], columns: list[str], moments: tuple[float, ...] = (0.25, 0.75), cell: int = 112
) -> Image.Image:
    """A contact sheet: a row each (label, clips uint8 (T, H, W, 3)), a column each, `moments` of every clip side by side."""
    font = ImageFont.load_default(size=13)
    width, left = len(moments) * cell, 150
    picture = Image.new("RGB", (left + len(columns) * (width + 6), LABEL + len(rows) * (cell + 4)), "white")
    draw = ImageDraw.Draw(picture)
    for i, name in enumerate(columns):
        draw.text((left + i * (width + 6), 2), name, "black", font)
    for j, (label, clips) in enumerate(rows):
        top = LABEL + j * (cell + 4)
        draw.text((4, top + cell // 2 - 8), label, "black", font)
        for i, clip in enumerate(clips):
            for k, moment in enumerate(moments):
                frame = Image.fromarray(clip[int(moment * (len(clip) - 1))]).resize((cell, cell))
                picture.paste(frame, (left + i * (width + 6) + k * cell, top))
    return picture
