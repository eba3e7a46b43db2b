"""Files to clips: a few small square frames of any usual video."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np

from ..errors import VideoError
from .convert import square
from .sources import Film, Pictures, open_source

MAX_SECONDS = 20.0
"""Longest part of a video that is used at once, in s."""
MAX_WORK_SECONDS = 60.0
"""Longest time spent on decoding one clip, in s."""
_EPSILON = 1e-6  # s; time stamps are multiples of 1e-5 s or more


@dataclass(frozen=True)
class Video:
    """A clip that was read from a file."""

    frames: np.ndarray
    """uint8 (T, H, W, 3), RGB."""
    duration: float
    """Length of the whole source, in s (0 for a still picture)."""
    fps: float
    """Mean frame rate of the source, in frames/s (0 for a still picture)."""
    start: float
    """Where in the source the clip starts, in s."""
    notices: tuple[str, ...]
    """Sentences for the person: what had to be left out or made up."""


@dataclass(frozen=True)
class Info:
    """What a file holds."""

    duration: float
    """s; 0 for a still picture."""
    fps: float
    """Frames/s; 0 for a still picture."""
    width: int
    """px, as shown: upright and with square pixels."""
    height: int
    """px, as shown."""
    frames: int | None
    """Number of frames, where it is known without decoding."""


def read(
    path: str | os.PathLike[str],
    frames: int,
    size: int,
    *,
    start: float = 0.0,
    span: float | None = None,
    fit: Literal["crop", "stretch"] = "crop",
) -> Video:
    """Read `frames` frames of size x size px, evenly spread over [start, start + span] by their time stamps.

    Each is the frame that is on screen in the middle of one of `frames` equal parts of the span. It is shown
    upright and with square pixels, over mid grey where transparent, and shrunk by area averaging.

    path: a video of a type in `EXTENSIONS`.
    start, span: s; span None: to the end. At most `MAX_SECONDS` are used.
    fit: "crop" shrinks the short side to `size` and keeps the centre, "stretch" keeps all, distorted.

    Raises `VideoError`: missing, empty or foreign file, no video in it, nothing decodes, over `MAX_BYTES`,
    `MAX_SIDES` or the decoding limits, or start, span, frames, size or fit out of range.
    """
    _check(frames, size, start, span, fit)
    name = Path(path).name
    deadline = time.monotonic() + MAX_WORK_SECONDS
    with open_source(path, deadline) as source:
        scan = source.scan(start, start + MAX_SECONDS)
    if start > 0 and start >= scan.duration:
        raise VideoError(f"The start is {start:g} s, but “{name}” ends at {scan.duration:.1f} s. Choose an earlier start.")
    limit = min(MAX_SECONDS if span is None else span, MAX_SECONDS)
    stop = max(start, min(start + limit, scan.end))

    def pick() -> _Picks:
        targets = start + (np.arange(frames) + 0.5) / frames * (stop - start)
        with open_source(path, deadline) as source:
            return _pick(source, start, targets, partial(square, size=size, fit=fit))

    picks = pick()
    damaged = picks.damaged or scan.damaged
    used = stop
    if picks.damaged and start < picks.end < stop - _EPSILON:
        stop = picks.end  # spread over what there is, not over what there was
        picks = pick()
    if not picks.frames:
        raise _nothing_decodes(name)
    left_out = scan.duration - start > limit and (span is None or span > limit)
    notices = [
        f"“{name}” is {scan.duration:.1f} s long: only {start:.1f} s to {used:.1f} s are used. "
        "Choose another start to use another part."
    ] * left_out + _notices(name, frames, picks.distinct, damaged)
    return Video(np.stack(picks.frames), scan.duration, scan.fps, start, tuple(notices))


def probe(path: str | os.PathLike[str]) -> Info:
    """What a file holds, by its header, its packets' time stamps and its first frame. Raises `VideoError`."""
    deadline = time.monotonic() + MAX_WORK_SECONDS
    with open_source(path, deadline) as source:
        scan = source.scan(0.0, 0.0)
    with open_source(path, deadline) as source:
        frame = next(source.frames(0.0), None)
        if frame is None:
            raise VideoError(
                f"No frame of “{Path(path).name}” can be decoded: the file is damaged. Export it again as an MP4 file."
            )
        return Info(scan.duration, scan.fps, *frame.size, scan.count)


def _check(frames: int, size: int, start: float, span: float | None, fit: str) -> None:
    """Raises `VideoError` for what can't be asked of any file."""
    if frames < 1 or size < 1:
        raise VideoError(f"A clip of {frames} frames of {size} px was asked for. Ask for 1 or more of both.")
    if fit not in ("crop", "stretch"):
        raise VideoError(f"There is no fit “{fit}”. Use crop or stretch.")
    if not (math.isfinite(start) and start >= 0):
        raise VideoError(f"The start is {start} s. Choose a start of 0 s or more.")
    if span is not None and not (math.isfinite(span) and span > 0):
        raise VideoError(f"The span is {span} s. Choose a span above 0 s.")


def _nothing_decodes(name: str) -> VideoError:
    return VideoError(f"No frame of “{name}” can be decoded: the file is damaged. Export it again as an MP4 file.")


def _notices(name: str, frames: int, distinct: int, damaged: bool) -> list[str]:
    """What a person should know of a clip of so many frames, of which so many are distinct."""
    notices = [f"“{name}” is damaged: only what can be decoded is used."] * damaged
    if distinct == 1 and frames > 1:
        notices.append(f"“{name}” shows a single picture here: it is repeated {frames} times.")
    elif distinct < frames:
        notices.append(f"“{name}” has only {distinct} frames here: some are repeated to make {frames}.")
    return notices


@dataclass(frozen=True)
class _Picks:
    frames: list[np.ndarray]
    distinct: int
    end: float
    damaged: bool


def _pick(source: Film | Pictures, start: float, targets: np.ndarray, square: Callable[..., np.ndarray]) -> _Picks:
    """The frames that are on screen at the times `targets` (s, ascending); only these are drawn and kept."""
    picked: list[np.ndarray] = []
    distinct, current, drawn, end = 0, None, None, start
    for frame in source.frames(start):
        while current and len(picked) < len(targets) and targets[len(picked)] < frame.time - _EPSILON:
            if drawn is None:
                distinct, drawn = distinct + 1, current.draw(square)
            picked.append(drawn)
        if len(picked) == len(targets):
            return _Picks(picked, distinct, frame.time, source.damaged)
        end = frame.time + (frame.time - current.time if current else 0.0)
        current, drawn = frame, None
    if current and len(picked) < len(targets):
        picked += [current.draw(square)] * (len(targets) - len(picked))
        distinct += 1
    return _Picks(picked, distinct, end, source.damaged)
