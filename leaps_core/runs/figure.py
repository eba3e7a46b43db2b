"""The figure of a comparison, as a picture and as a film.

The layout is that of the paper's Figures S1 to S4: one row per model, its frames from left to right, the stimulus on top.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from .. import video
from .comparison import note
from .record import Run

CELL, GAP, SIDE = 112, 4, 230
"""Height and width of a frame, the space between, and the width of the names beside it, in px."""
FRAMES = 8
"""Frames of each clip on the picture."""
LETTERS = {"×": "x", "–": "-", "—": "-", "→": ">", "ß": "ss"}
"""What is written instead of letters that Pillow's own font doesn't have."""
INK, FAINT, PAPER = "#1e293b", "#64748b", "#ffffff"


@dataclass(frozen=True)
class Entry:
    """One row of the figure: a name, what is said of it, and the clip uint8 (T, H, W, 3)."""

    name: str
    note: str
    clip: np.ndarray


def entries(named: Sequence[tuple[str, Run]]) -> list[Entry]:
    """The rows of the figure: the stimulus that primed the first run, if any, then each finished run by its name."""
    rows = [Entry("stimulus", "", clip) for _, run in named[:1] for clip in run.stimulus[:1]]
    return rows + [Entry(name, note(run.final), run.clip) for name, run in named]


def picture(title: str, entries: Sequence[Entry]) -> Image.Image:
    """The figure as a picture: one row per entry, its frames evenly spread."""
    page = _page(title, entries, SIDE + FRAMES * (CELL + GAP))
    for row, entry in enumerate(entries):
        for column, frame in enumerate(video.resample(entry.clip, FRAMES, CELL)):
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
    draw.text((GAP, 5), plain(title), INK, ImageFont.load_default(size=15))
    corners = [(GAP + i % columns * (large + GAP), 28 + i // columns * (large + 40)) for i in range(len(entries))]
    for entry, (x, y) in zip(entries, corners, strict=True):
        _words(draw, x, y, large, entry)
    frames = np.repeat(np.asarray(page)[None], length, 0)
    for clip, (x, y) in zip(clips, corners, strict=True):
        frames[:, y + 36 : y + 36 + large, x : x + large] = clip
    return frames


def plain(text: str) -> str:
    """The text in letters that Pillow's own font has: without accents, and “?” for what is no Latin letter."""
    found = (LETTERS.get(letter, letter) for letter in text)
    return "".join(letter if letter.isascii() or letter in "·…“”" else _bare(letter) for letter in found)


def _bare(letter: str) -> str:
    return unicodedata.normalize("NFKD", letter).encode("ascii", "ignore").decode() or "?"


def _page(title: str, entries: Sequence[Entry], width: int) -> Image.Image:
    page = Image.new("RGB", (width, _top(len(entries))), PAPER)
    draw = ImageDraw.Draw(page)
    draw.text((8, 6), plain(title), INK, ImageFont.load_default(size=16))
    for row, entry in enumerate(entries):
        _words(draw, 8, _top(row) + CELL // 2 - 18, SIDE - 16, entry)
    return page


def _words(draw: ImageDraw.ImageDraw, x: int, y: int, width: int, entry: Entry) -> None:
    for line, (text, colour, size) in enumerate(((entry.name, INK, 13), (entry.note, FAINT, 11))):
        font, text = ImageFont.load_default(size=size), plain(text)
        while text and draw.textlength(text, font) > width:
            text = text[:-2].rstrip("…") + "…"
        draw.text((x, y + 17 * line), text, colour, font)


def _top(row: int) -> int:
    return 34 + row * (CELL + GAP)
