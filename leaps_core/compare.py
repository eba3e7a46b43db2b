"""One action and one stimulus through several models, or through one model with several settings: what is run, and the figure.

The layout is that of the paper's Figures S1 to S4: a row a model, its frames from left to right, the stimulus on top.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from . import models, runs, video
from .config import FIELDS, SynthesisConfig, info
from .errors import ConfigError

MOST = 8
"""Runs in one comparison."""
CELL, GAP, SIDE = 112, 4, 190
"""Height and width of a frame, the space between, and the width of the names beside it, in px."""
MOMENTS = 8
"""Frames of each clip on the picture."""
INK, FAINT, PAPER = "#1e293b", "#64748b", "#ffffff"


@dataclass(frozen=True)
class Entry:
    """One row of the figure: a name, what is said of it, and the clip uint8 (T, H, W, 3)."""

    name: str
    note: str
    clip: np.ndarray


def variants(
    config: SynthesisConfig, keys: Sequence[str] = (), field: str = "", values: Sequence[Any] = ()
) -> list[SynthesisConfig]:
    """The configs to run: `config` with each model of `keys` (none: its own), times each of `values` of one field.

    Raises `LeapsError` for unknown models, fields or values, for none or more than `MOST` runs, and for models of several
    worlds, whose actions differ.
    """
    if field and info(field)["default"] is None and field != "margin":
        raise ConfigError(f"“{field}” can't be varied. Choose another setting.")
    made = [
        config.but(model=key, **({field: value} if field else {}))
        for key in (keys or [config.model])
        for value in (values if field else [None])
    ]
    made = list(dict.fromkeys(made))
    if not 2 <= len(made) <= MOST:
        raise ConfigError(f"A comparison of {len(made)} was asked for; choose 2 to {MOST} models or values.")
    for one in made:
        models.ready(models.choose(one))
    return made


def differences(configs: Sequence[SynthesisConfig]) -> list[str]:
    """A short name for each config: what sets it apart from the others."""
    dumps = [config.model_dump() for config in configs]
    apart = [name for name in FIELDS if any(dump[name] != dumps[0][name] for dump in dumps)]
    return [
        ", ".join(models.spec(dump["model"]).name if name == "model" else f"{name} {_word(dump[name])}" for name in apart)
        or models.spec(dump["model"]).name
        for dump in dumps
    ]


def note(final: dict[str, Any] | None) -> str:
    """The figures of a finished run in one line."""
    if not final:
        return ""
    said = [f"{who} {final[who]:.0%}" for who in ("model", "verifier", "judge") if final.get(who) is not None]
    return " · ".join([*said, f"{final['seconds']:.0f} s"] if "seconds" in final else said)


def entries(named: Sequence[tuple[str, runs.Run]]) -> list[Entry]:
    """The rows of the figure: the stimulus that primed the first run, if any, then each finished run by its name."""
    rows = [Entry("stimulus", "", clip) for _, run in named[:1] for clip in run.stimulus[:1]]
    return rows + [Entry(name, note(run.final), run.clip) for name, run in named]


def picture(title: str, entries: Sequence[Entry]) -> Image.Image:
    """The figure as a picture: a row an entry, its frames evenly spread."""
    page = _page(title, entries, SIDE + MOMENTS * (CELL + GAP))
    for row, entry in enumerate(entries):
        for column, frame in enumerate(video.resample(entry.clip, MOMENTS, CELL)):
            page.paste(Image.fromarray(frame), (SIDE + column * (CELL + GAP), _top(row)))
    return page


def film(title: str, entries: Sequence[Entry], columns: int = 4) -> np.ndarray:
    """All clips side by side and in step, as one video, uint8 (T, H, W, 3): as long as the longest, names above each."""
    columns, large = min(columns, len(entries)), 2 * CELL
    length = max(len(entry.clip) for entry in entries)
    clips = [video.resample(entry.clip, length, large) for entry in entries]
    rows = -(-len(entries) // columns)
    page = Image.new("RGB", (columns * (large + GAP) + GAP, 28 + rows * (large + 40)), PAPER)
    draw = ImageDraw.Draw(page)
    draw.text((GAP, 5), title, INK, ImageFont.load_default(size=15))
    corners = [(GAP + i % columns * (large + GAP), 28 + i // columns * (large + 40)) for i in range(len(entries))]
    for entry, (x, y) in zip(entries, corners, strict=True):
        _words(draw, x, y, large, entry)
    frames = np.repeat(np.asarray(page)[None], length, 0)
    for clip, (x, y) in zip(clips, corners, strict=True):
        frames[:, y + 36 : y + 36 + large, x : x + large] = clip
    return frames


def _page(title: str, entries: Sequence[Entry], width: int) -> Image.Image:
    page = Image.new("RGB", (width, _top(len(entries))), PAPER)
    draw = ImageDraw.Draw(page)
    draw.text((8, 6), title, INK, ImageFont.load_default(size=16))
    for row, entry in enumerate(entries):
        _words(draw, 8, _top(row) + CELL // 2 - 18, SIDE - 16, entry)
    return page


def _words(draw: ImageDraw.ImageDraw, x: int, y: int, width: int, entry: Entry) -> None:
    for line, (text, colour, size) in enumerate(((entry.name, INK, 13), (entry.note, FAINT, 11))):
        font = ImageFont.load_default(size=size)
        while text and draw.textlength(text, font) > width:
            text = text[:-2].rstrip("…") + "…"
        draw.text((x, y + 17 * line), text, colour, font)


def _top(row: int) -> int:
    return 34 + row * (CELL + GAP)


def _word(value: Any) -> str:
    if isinstance(value, tuple | list):
        return " ".join(str(item).rpartition("/")[2] for item in value) or "none"
    return f"{value:g}" if isinstance(value, float) else str(value)
