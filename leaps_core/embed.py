"""Real clips into a bank: which clips (a plan of a folder, of a Kinetics table or of puppets), and what a model sees in each.

Importing this module imports neither torch nor pyarrow.
"""

from __future__ import annotations

import base64
import csv
import hashlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from . import models, video
from .banks import PREVIEW_FRAMES, SIDE, VERSION, Bank, Progress, Skipped, assemble
from .errors import BankError, VideoError
from .models import weights
from .puppets import ACTIONS, render_clip

if TYPE_CHECKING:
    from .models.adapter import VideoModel

BATCH = 8
"""Clips that a network sees at once. Part of what a bank is: another size differs in the last bits."""
PUPPET_SEED = 9_500_000
"""Seed of a puppet bank's first clip. Neither training nor held-out clips nor stimuli use these seeds."""


@dataclass(frozen=True)
class Clip:
    """One clip to embed: a file (`path`, from `start` s on for `span` s; None: to its end), or a puppet's `seed`."""

    label: str
    source: str
    path: Path | None = None
    start: float = 0.0
    span: float | None = None
    seed: int | None = None


@dataclass(frozen=True)
class Plan:
    """What a bank is to hold, and what had to be left out before anything was read."""

    clips: tuple[Clip, ...]
    skipped: tuple[tuple[str, str], ...] = ()


# ------------------------------------------------------------------------------------------------------------- plans


def plan_puppets(count: int, seed: int = PUPPET_SEED) -> Plan:
    """`count` clips of the bundled world, all actions in turn."""
    if count < 2:
        raise BankError(f"A bank of {count} puppets was asked for; ask for 2 or more (1600 are usual).")
    return Plan(tuple(Clip(ACTIONS[i % len(ACTIONS)], str(seed + i), seed=seed + i) for i in range(count)))


def plan_folder(videos: Path) -> Plan:
    """The videos in DIR/label/, a label a folder. Raises `BankError` if there are none, or one has two labels."""
    files = files_in(videos)
    clips = [
        Clip(path.relative_to(videos).parts[0], path.relative_to(videos).as_posix(), path)
        for path in files
        if path.parent != videos
    ]
    if not clips:
        raise BankError(
            f"{videos} has {len(files)} videos of its own and none in folders named after their labels. "
            "Expected DIR/label/clip.mp4, or give --labels."
        )
    return _without_copies(clips, [(path.name, "it lies in no label's folder") for path in files if path.parent == videos])


def plan_csv(videos: Path, table: Path) -> Plan:
    """The rows of an official Kinetics CSV (label, youtube_id, time_start, time_end, split) whose video lies anywhere in
    `videos`: as ID_START_END.mp4, which is cut already (with or without leading zeros), or as ID.mp4, which is the whole.

    Rows without a file are listed as skipped. Raises `BankError` for a table that is none, or if no row has a file.
    """
    rows = _rows(table)
    by_name = {path.stem: path for path in files_in(videos)}
    clips, skipped = [], []
    for row in rows:
        name, start, end = row["youtube_id"], float(row["time_start"]), float(row["time_end"])
        whole = f"{name}_{row['time_start']}_{row['time_end']}"
        cut = by_name.get(_cut(row)) or by_name.get(whole)
        path = cut or by_name.get(name)
        if path is None:
            skipped.append((whole, "no file"))
        elif end <= start:
            skipped.append((whole, "it ends before it starts"))
        else:
            source = path.relative_to(videos).as_posix()
            clips.append(
                Clip(row["label"], source, path)
                if cut
                else Clip(row["label"], f"{source} from {start:g} s", path, start, end - start)
            )
    if not clips:
        raise BankError(
            f"None of the {len(rows)} rows of {table} has a video in {videos}. Expected names like "
            f"{_cut(rows[0])}.mp4 or {rows[0]['youtube_id']}.mp4."
        )
    return _without_copies(clips, skipped)


def _cut(row: dict[str, str]) -> str:
    """The usual name of a Kinetics clip that was cut out of its video."""
    return f"{row['youtube_id']}_{int(float(row['time_start'])):06d}_{int(float(row['time_end'])):06d}"


def files_in(videos: Path) -> list[Path]:
    """All videos in a folder and in those in it, by name. Raises `BankError` if there are none."""
    if not videos.is_dir():
        raise BankError(f"{videos} is no folder. Expected a folder of videos.")
    files = sorted(path for path in videos.rglob("*") if path.suffix.lower() in video.EXTENSIONS and path.is_file())
    if not files:
        raise BankError(f"{videos} holds no videos. Known kinds: {' '.join(video.EXTENSIONS)}.")
    return files


def _rows(table: Path) -> list[dict[str, str]]:
    """The rows of a Kinetics CSV, checked."""
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError) as error:
        raise BankError(f"{table} can't be read: {error}.") from None
    needed = ("label", "youtube_id", "time_start", "time_end")
    if not rows or any(name not in rows[0] for name in needed):
        raise BankError(f"{table} is no table of Kinetics clips: expected rows below the columns {', '.join(needed)}.")
    for number, row in enumerate(rows, 2):
        try:
            float(row["time_start"]), float(row["time_end"])
        except (TypeError, ValueError):
            raise BankError(
                f"{table}, line {number}: the times are {row['time_start']!r} and {row['time_end']!r}; expected "
                "numbers of seconds."
            ) from None
    return rows


def _without_copies(clips: Sequence[Clip], skipped: Skipped) -> Plan:
    """Leave out clips that are there already under the same label; the same clip under two labels is an error."""
    sizes: dict[int, set[Path]] = defaultdict(set)
    for clip in clips:
        assert clip.path is not None
        sizes[clip.path.stat().st_size].add(clip.path)
    alike = {path for same in sizes.values() if len(same) > 1 for path in same}  # only these can be copies, and are read
    names = {path: weights.sha256_of(path) for path in alike}
    kept: dict[tuple[str, float], Clip] = {}
    for clip in clips:
        assert clip.path is not None
        first = kept.setdefault((names.get(clip.path, str(clip.path)), clip.start), clip)
        if first.label != clip.label:
            raise BankError(
                f"The same clip has two labels: {first.source} is “{first.label}”, {clip.source} is "
                f"“{clip.label}”. Remove one of them."
            )
        if first is not clip:
            skipped.append((clip.source, f"a copy of {first.source}"))
    return Plan(tuple(kept.values()), tuple(skipped))


# ----------------------------------------------------------------------------------------------------------- embedding


def read(path: Path, spec: models.ModelSpec, start: float = 0.0, span: float | None = None) -> np.ndarray:
    """A video, or its `span` s from `start` on (None: to its end), as a model takes it: uint8 (T, H, W, 3).

    The frames are as far apart as those that the model was trained on, and centred; where that is longer than the clip, and
    for a model that takes any distance, they are spread over all of it. Raises `VideoError`.
    """
    there = max(0.0, video.probe(path).duration - start)
    there = min(there, span or there)
    seen = min(there, spec.span(spec.frames) or there, video.MAX_SECONDS)
    if seen == there:
        return video.read(path, spec.frames, spec.size, start=start, span=span).frames
    found = video.read(path, spec.frames, spec.size, start=start + (there - seen) / 2, span=seen)
    if (found.frames == found.frames[0]).all() and any("is damaged" in notice for notice in found.notices):
        found = video.read(path, spec.frames, spec.size, start=start, span=seen)  # it breaks off before its middle
    return found.frames


def build(plan: Plan, key: str, out: Path, progress: Progress | None = None, device: str = "auto") -> Bank:
    """Embed a plan's clips by the model `key` and write the bank, or go on where an earlier call was stopped. A label with
    underscores becomes the model's own, if it has one of that name.

    Unreadable files are left out and listed in `facts["skipped"]`. Raises `BankError` if nothing could be read, if `out` or
    what was begun there is another bank, or if an embedding is not a number; `ModelError` for an unknown model.
    """
    spec = models.spec(key)
    named = {label.replace(" ", "_"): label for label in models.labels(spec.world)}  # folders are often written so
    clips = [replace(clip, label=named.get(clip.label, clip.label)) for clip in plan.clips]
    puppets = all(clip.seed is not None for clip in clips)
    if puppets and spec.world != "puppets":
        raise BankError(f"“{key}” knows the world {spec.world}, not puppets. Give --videos.")
    wanted = repr([(clip.label, clip.source, clip.start, clip.span, clip.seed) for clip in clips])
    wanted += "" if puppets else ", centred"  # banks of the first seconds of each are others
    facts = {
        "version": VERSION,
        "model": key,
        "weights": models.fingerprint(spec),
        "world": spec.world,
        "layer": spec.embedding_layer,
        "puppets": puppets,
        "plan": hashlib.sha256(wanted.encode()).hexdigest()[:16],
    }
    network: list[VideoModel] = []

    def make(numbers: range) -> tuple[dict[str, Any], Skipped]:
        if not network:  # a bank that is complete needs no model
            network.append(models.load(key, device))
        return _embed(network[0], [clips[i] for i in numbers])

    return assemble(out, facts, len(clips), make, list(plan.skipped), progress)


def _embed(network: VideoModel, clips: list[Clip]) -> tuple[dict[str, Any], Skipped]:
    """The columns of some clips, and those that can't be read."""
    import torch

    spec, skipped = network.spec, []
    rows: list[dict[str, Any]] = []

    def readable() -> Iterator[tuple[Clip, np.ndarray]]:
        for clip in clips:
            try:
                yield clip, _frames(clip, spec)
            except VideoError as error:
                skipped.append((clip.source, str(error)))

    stream = readable()
    while batch := list(islice(stream, BATCH)):
        seen = network.embed(torch.cat([video.to_tensor(frames) for _, frames in batch]))
        for (clip, frames), embedding in zip(batch, seen, strict=True):
            rows.append(
                {
                    "label": clip.label,
                    "source": clip.source,
                    "seed": clip.seed,
                    "embedding": embedding,
                    **(_pictures(frames) if clip.seed is None else {"poster": None, "preview": None}),
                }
            )
    return {name: [row[name] for row in rows] for name in (rows[0] if rows else ())}, skipped


def _pictures(frames: np.ndarray) -> dict[str, bytes]:
    """Poster and preview of a clip."""
    small = video.resample(frames, PREVIEW_FRAMES, SIDE)
    return {"poster": _bytes(video.sprite(small[PREVIEW_FRAMES // 2 :][:1], 70)), "preview": _bytes(video.sprite(small, 60))}


def _frames(clip: Clip, spec: models.ModelSpec) -> np.ndarray:
    if clip.seed is not None:
        return render_clip(clip.label, clip.seed, spec.frames, spec.size)
    assert clip.path is not None
    return read(clip.path, spec, clip.start, clip.span)


def _bytes(sheet: dict[str, str | int]) -> bytes:
    """The picture in a data address."""
    return base64.b64decode(str(sheet["src"]).partition(",")[2])
