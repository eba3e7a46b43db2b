"""Which real clips a bank is to hold: those of a folder, of a Kinetics table, or puppets."""

from __future__ import annotations

import csv
import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from .. import files, video
from ..errors import BankError, VideoError
from ..puppets import ACTIONS
from .write import Skipped

SPLITS = ("train", "val", "validate", "validation", "test")
"""Folders between a dataset's and those of its labels, as archives have them."""
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


def plan_puppets(count: int, seed: int = PUPPET_SEED) -> Plan:
    """`count` clips of the bundled world, all actions in turn."""
    if count < 2:
        raise BankError(f"A bank of {count} puppets was asked for; ask for 2 or more (1600 are usual).")
    return Plan(tuple(Clip(ACTIONS[i % len(ACTIONS)], str(seed + i), seed=seed + i) for i in range(count)))


def plan_folder(videos: Path) -> Plan:
    """The videos in DIR/label/ (or DIR/train/label/ and the like), one folder per label. Raises `BankError` if there are none,
    or one has two labels."""
    files = files_in(videos)
    clips, skipped = [], []
    for path in files:
        folders = path.relative_to(videos).parts[:-1]
        folders = folders[1:] if folders and folders[0].lower() in SPLITS else folders
        source = path.relative_to(videos).as_posix()
        if folders:
            clips.append(Clip(folders[0], source, path))
        else:
            skipped.append((source, "it lies in no label's folder"))
    if not clips:
        raise BankError(
            f"{videos} has {len(files)} videos of its own and none in folders named after their labels. "
            "Expected DIR/label/clip.mp4, or give --labels."
        )
    return _without_copies(clips, skipped)


def plan_csv(videos: Path, table: Path) -> Plan:
    """The rows of an official Kinetics CSV (label, youtube_id, time_start, time_end, split) whose video lies anywhere in
    `videos`: as ID_START_END.mp4, which is cut already (with or without leading zeros), or as ID.mp4, which is the whole.

    Rows without a file or a label are listed as skipped. Raises `BankError` for a table that is none, or if no row has a file.
    """
    rows, skipped = _rows(table)
    # a video wins over a picture of its name, which is its thumbnail
    by_name = {path.stem: path for path in sorted(files_in(videos), key=lambda path: path.suffix.lower() in video.MOVING)}
    clips = []
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
    files = [path for path in _walk(videos) if path.suffix.lower() in video.EXTENSIONS]
    if not files:
        raise BankError(f"{videos} holds no videos. Known kinds: {' '.join(video.EXTENSIONS)}.")
    return files


def _walk(folder: Path, above: frozenset[Path] = frozenset()) -> Iterator[Path]:
    """All files in a folder and in those in it, by name, but for hidden ones. Links are followed, unless they lead back."""
    real = folder.resolve()
    if real in above:
        return
    try:
        inside = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError:  # a closed folder
        return
    for path in inside:
        if path.is_dir():
            yield from _walk(path, above | {real})
        elif path.is_file():
            yield path


def _rows(table: Path) -> tuple[list[dict[str, str]], Skipped]:
    """The rows of a Kinetics CSV, one a line, checked; those without a label are skipped."""
    try:
        lines = table.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BankError(f"{table} can't be read: {error}.") from None
    needed = ("label", "youtube_id", "time_start", "time_end")
    columns = next(csv.reader(lines[:1]), [])
    if len(lines) < 2 or any(name not in columns for name in needed):
        raise BankError(f"{table} is no table of Kinetics clips: expected rows below the columns {', '.join(needed)}.")
    rows: list[dict[str, str]] = []
    skipped: Skipped = []
    for number, line in enumerate(lines[1:], 2):
        if not line.strip():
            continue
        row = _row(line, columns, f"{table}, line {number}")
        if row["label"]:
            rows.append(row)
        else:
            skipped.append((f"line {number}, {row['youtube_id']}", "it has no label"))
    return rows, skipped


def _row(line: str, columns: list[str], place: str) -> dict[str, str]:
    """One line of a table as {column: value}. Raises `BankError`, which names its place."""
    try:
        values = next(csv.reader([line], strict=True))
    except csv.Error:
        raise BankError(f"{place}: a quotation mark is opened and not closed. Close or remove it.") from None
    row = dict.fromkeys(columns, "") | dict(zip(columns, (value.strip() for value in values), strict=False))
    start, end = row["time_start"], row["time_end"]
    try:
        numbers = math.isfinite(float(start)) and math.isfinite(float(end))
    except ValueError:
        numbers = False
    if not numbers:
        raise BankError(f"{place}: the times are {start!r} and {end!r}; expected numbers of seconds.")
    return row


def _reason(path: Path) -> str:
    """Why a file is no video; nothing if it is one."""
    try:
        video.probe(path)
    except VideoError as error:
        return str(error)
    return ""


def _without_copies(clips: Sequence[Clip], skipped: Skipped) -> Plan:
    """Leave out clips that are there already under the same label; the same clip under two labels is an error."""
    sizes: dict[int, set[Path]] = defaultdict(set)
    for clip in clips:
        assert clip.path is not None
        sizes[clip.path.stat().st_size].add(clip.path)
    alike = {path for same in sizes.values() if len(same) > 1 for path in same}  # only these can be copies, and are read
    names = {path: files.sha256_of(path) for path in alike}
    times = Counter(names.values())
    broken = {path: reason for path, name in names.items() if times[name] > 1 and (reason := _reason(path))}
    kept: dict[tuple[str, float], Clip] = {}
    for clip in clips:
        assert clip.path is not None
        if clip.path in broken:
            skipped.append((clip.source, broken[clip.path]))
            continue
        first = kept.setdefault((names.get(clip.path, str(clip.path)), clip.start), clip)
        if first.label != clip.label:
            raise BankError(
                f"The same clip has two labels: {first.source} is “{first.label}”, {clip.source} is "
                f"“{clip.label}”. Remove one of them."
            )
        if first is not clip:
            skipped.append((clip.source, f"a copy of {first.source}"))
    return Plan(tuple(kept.values()), tuple(skipped))
