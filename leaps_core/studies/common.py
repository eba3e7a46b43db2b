"""What the studies share: one inversion kept on disk, and labelled sheets of frames."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from .. import files, models
from ..config import SynthesisConfig
from ..inversion.loop import synthesize
from ..inversion.plan import make_plan

LABEL = 20
"""Height of a label on a sheet, in pixels."""


@dataclass(frozen=True)
class Inversion:
    """A finished clip, uint8 (T, H, W, 3), and the final scores of its run."""

    frames: np.ndarray
    scores: dict[str, Any]


def invert(config: SynthesisConfig, cache: Path) -> Inversion:
    """Run a config to its end, or take the result of an earlier call with the same config and weights from `cache`."""
    plan = make_plan(config)
    weights = [models.fingerprint(spec) for spec in plan.cast.networks.values()]
    name = hashlib.sha256((config.model_dump_json() + "".join(weights)).encode()).hexdigest()[:20]
    path = cache / f"{name}.npz"
    if not path.exists():
        *_, last = synthesize(plan)
        assert last.final is not None
        cache.mkdir(parents=True, exist_ok=True)
        files.write_arrays(path, frames=last.frames, scores=json.dumps(last.final))
    with np.load(path) as saved:
        return Inversion(saved["frames"], json.loads(str(saved["scores"])))


def sheet(
    rows: list[tuple[str, list[np.ndarray]]], columns: list[str], at: tuple[float, ...] = (0.25, 0.75), cell: int = 112
) -> Image.Image:
    """A contact sheet: one row per (label, clips uint8 (T, H, W, 3)), one column per clip, which is shown
    `at` these shares of its length, side by side."""
    font = ImageFont.load_default(size=13)
    width, left = len(at) * cell, 150
    picture = Image.new("RGB", (left + len(columns) * (width + 6), LABEL + len(rows) * (cell + 4)), "white")
    draw = ImageDraw.Draw(picture)
    for i, name in enumerate(columns):
        draw.text((left + i * (width + 6), 2), name, "black", font)
    for j, (label, clips) in enumerate(rows):
        top = LABEL + j * (cell + 4)
        draw.text((4, top + cell // 2 - 8), label, "black", font)
        for i, clip in enumerate(clips):
            for k, share in enumerate(at):
                frame = Image.fromarray(clip[int(share * (len(clip) - 1))]).resize((cell, cell))
                picture.paste(frame, (left + i * (width + 6) + k * cell, top))
    return picture
