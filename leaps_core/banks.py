"""Banks: what one model sees in many real clips.

A bank is one Parquet file with a row a clip: its embedding (float16, of `ModelSpec.embedding_layer`, averaged over space
and time), its label, where it is from, and what is needed to show it. A bank of puppets keeps action and seed and draws a
clip when it is looked at; a bank of videos keeps a poster and a short preview, in columns of their own.

A bank is built in parts, each written at once or not at all, so a build that was stopped goes on where it was, to the
same bank, byte for byte. Importing this module imports neither torch nor pyarrow.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from filelock import FileLock, Timeout

from . import models, runs, video
from .errors import BankError
from .puppets import render_clip

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq


BANKS = Path(__file__).resolve().parent.parent / "assets" / "banks"
"""The banks that are shipped; never written to by a build of one's own."""
PART = 256
"""Clips a part, and a row group of the finished file."""
SIDE = 80
"""Height and width of posters and previews, in px."""
PREVIEW_FRAMES = 8
COLUMNS = ("label", "source", "seed", "poster", "preview", "embedding")
VERSION = 1

Skipped = list[tuple[str, str]]
"""Clips that a bank lacks: (source, why)."""
Progress = Callable[[int, int], None]
"""Told how many of how many clips are done."""


@dataclass(frozen=True)
class Bank:
    """A bank on disk. Opening reads the file's footer only; columns are read when asked for.

    `facts`: what the footer says (model, weights, world, layer, dim, count, puppets, skipped, digest). Whatever can't be
    read raises `BankError`.
    """

    path: Path
    facts: dict[str, Any]

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Bank:
        """The bank in a file. Raises `BankError` for a missing, half-written or foreign file."""
        path = Path(path)
        if not path.is_file():
            raise BankError(
                f"{path} is not finished: run the same command again, and it goes on."
                if _parts(path).is_dir()
                else f"There is no bank {path}. `python -m leaps_core embed --help` tells how to make one."
            )
        with _readable(path) as file:
            try:
                facts = json.loads((file.metadata.metadata or {})[b"leaps"])
                if not {"model", "weights", "dim", "count", "digest", "puppets", "skipped"} <= facts.keys():
                    raise KeyError
                if file.schema_arrow.field("embedding").type.list_size != facts["dim"]:
                    raise ValueError
            except (KeyError, ValueError, AttributeError):
                raise BankError(
                    f"{path} is Parquet, but no bank: it doesn't say which model made it. "
                    "Make one with `python -m leaps_core embed`."
                ) from None
            if missing := [name for name in COLUMNS if name not in file.schema_arrow.names]:
                raise BankError(
                    f"{path} lacks the columns {', '.join(missing)}; a bank has {', '.join(COLUMNS)}. Build it "
                    "again with `python -m leaps_core embed`."
                )
            if facts["count"] != file.metadata.num_rows:
                raise BankError(
                    f"{path} is damaged: it holds {file.metadata.num_rows} clips of {facts['count']}. Build it again."
                )
        return cls(path, facts)

    def __len__(self) -> int:
        return int(self.facts["count"])

    @property
    def name(self) -> str:
        """The file's name without its ending."""
        return self.path.stem

    @property
    def puppets(self) -> bool:
        """Whether its clips are drawn, not filmed."""
        return bool(self.facts["puppets"])

    @cached_property
    def labels(self) -> np.ndarray:
        """The label of each clip, str (N,)."""
        return np.asarray(self._column("label").to_pylist())

    @cached_property
    def sources(self) -> list[str]:
        """Where each clip is from: its file, relative to the folder of videos, or its seed."""
        return list(self._column("source").to_pylist())

    @cached_property
    def embeddings(self) -> np.ndarray:
        """All embeddings, float32 (N, D). For banks too large for memory there are `rows` and `batches`."""
        return np.concatenate([vectors for _, vectors in self.batches()])

    def batches(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Labels (n,) and embeddings float32 (n, D), a row group at a time."""
        with _readable(self.path) as file:
            for group in range(file.metadata.num_row_groups):
                table = file.read_row_group(group, columns=["label", "embedding"])
                yield np.asarray(table["label"].to_pylist()), self._vectors(table)

    def rows(self, chosen: Sequence[int] | np.ndarray) -> np.ndarray:
        """The embeddings of some clips, float32 (n, D), in the given order; reads only the row groups that hold them."""
        chosen = np.asarray(chosen, np.int64)
        found = np.empty((len(chosen), self.facts["dim"]), np.float32)
        with _readable(self.path) as file:
            groups = _groups(file, chosen)
            for group in np.unique(groups):
                mine = groups == group
                table = file.read_row_group(int(group), columns=["embedding"])
                found[mine] = self._vectors(table)[chosen[mine] - _offsets(file)[group]]
        return found

    def sample(self, count: int, seed: int = 0) -> np.ndarray:
        """The numbers of `count` clips drawn at random, ascending; all, if it has no more."""
        if count >= len(self):
            return np.arange(len(self))
        return np.sort(np.random.default_rng(seed).choice(len(self), count, replace=False))

    def poster(self, number: int) -> str:
        """A picture of one clip, as a data address."""
        if self.puppets:
            row = self._row(number, ["label", "seed"])
            return str(video.sprite(render_clip(row["label"], row["seed"], 1, SIDE))["src"])
        return _address(self._row(number, ["poster"])["poster"])

    def preview(self, number: int) -> dict[str, Any]:
        """One clip as a sheet of frames (see `video.sprite`). Puppets are drawn anew, at full length."""
        if self.puppets:
            row = self._row(number, ["label", "seed"])
            return video.sprite(render_clip(row["label"], row["seed"]))
        return video.sheet(_address(self._row(number, ["preview"])["preview"]), PREVIEW_FRAMES, SIDE, SIDE)

    def check(self, spec: models.ModelSpec, weights: str | None = None) -> None:
        """Raise `BankError` unless this model with these weights (None: those it has now) made the bank."""
        weights = weights or models.fingerprint(spec)
        if spec.key != self.facts["model"]:
            raise BankError(
                f"The bank {self.name} is of “{self.facts['model']}”, not of “{spec.key}”: their embeddings can't "
                f"be compared. Choose a bank of “{spec.key}”, or make one (`python -m leaps_core embed`)."
            )
        if weights != self.facts["weights"]:
            raise BankError(
                f"The bank {self.name} was made by other weights of “{spec.key}” ({self.facts['weights']}, not "
                f"{weights}). Build it again with `python -m leaps_core embed`."
            )

    def _vectors(self, table: pa.Table) -> np.ndarray:
        column = table["embedding"].combine_chunks()
        vectors = column.flatten().to_numpy(zero_copy_only=False).astype(np.float32).reshape(-1, self.facts["dim"])
        if not np.isfinite(vectors).all():
            raise BankError(f"{self.path} holds embeddings that are not numbers. Build it again.")
        return vectors

    def _column(self, name: str) -> pa.ChunkedArray:
        with _readable(self.path) as file:
            return file.read(columns=[name])[name]

    def _row(self, number: int, columns: list[str]) -> dict[str, Any]:
        if not 0 <= number < len(self):
            raise BankError(f"The bank {self.name} has no clip {number}; it has 0 to {len(self) - 1}.")
        with _readable(self.path) as file:
            group = int(_groups(file, np.array([number]))[0])
            table = file.read_row_group(group, columns=columns)
            return table.slice(number - int(_offsets(file)[group]), 1).to_pylist()[0]


def bundled(key: str) -> Path:
    """Where the bundled bank of a model lies, if it has one."""
    return BANKS / f"{key}.parquet"


def found() -> list[Path]:
    """The files of all banks: one's own in LEAPS_HOME/banks, then the bundled ones."""
    return [path for folder in (runs.home() / "banks", BANKS) for path in sorted(folder.glob("*.parquet"))]


# ------------------------------------------------------------------------------------------------------------- writing


def assemble(
    out: Path,
    facts: dict[str, Any],
    count: int,
    make: Callable[[range], tuple[dict[str, Any], Skipped]],
    skipped: Skipped | None = None,
    progress: Progress | None = None,
) -> Bank:
    """Write a bank of up to `count` clips, a part at a time; never holds more than one part in memory.

    `make(numbers)` gives the columns of those clips: label, source, seed (or None), poster, preview (bytes or None), embedding
    float (n, D); and what it skipped. It must give the same whenever it is asked. Raises `BankError` (see `build`).
    """
    folder = _parts(out)
    if out.exists():
        bank = Bank.open(out)
        if any(bank.facts.get(name) != value for name, value in facts.items()):
            raise BankError(
                f"{out} is there already and another bank (of “{bank.facts['model']}”, {len(bank)} clips). "
                "Delete it, or choose another --out."
            )
        return bank
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / ".lock", thread_local=False)
        with lock.acquire(timeout=0):
            _same_plan(folder / "plan.json", facts, count)
            for number, first in enumerate(range(0, count, PART)):
                part = folder / f"{number:05d}.parquet"
                if not part.exists():
                    _write_part(part, *make(range(first, min(count, first + PART))))
                if progress:
                    progress(min(count, first + PART), count)
            _merge(out, sorted(folder.glob("*.parquet")), facts, skipped or [])
    except Timeout:
        raise BankError(f"{out} is being built at this moment; wait until that ends.") from None
    except OSError as error:
        raise BankError(f"{out} can't be written: {error.strerror or error}. Choose another --out.") from error
    shutil.rmtree(folder)
    return Bank.open(out)


def _same_plan(path: Path, facts: dict[str, Any], count: int) -> None:
    """What was begun here must be the same bank. Raises `BankError`."""
    text = json.dumps({**facts, "count": count}, sort_keys=True)
    if path.exists() and path.read_text("utf-8") != text:
        raise BankError(
            f"{path.parent} holds parts of another bank (another model, other weights or other clips). "
            "Delete it, or choose another --out."
        )
    path.write_text(text, "utf-8")


def _write_part(path: Path, columns: dict[str, Any], skipped: Skipped) -> None:
    """Write one part, whole or not at all."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not columns:  # not one clip of this part could be read
        columns = {"label": [], "source": [], "embedding": np.zeros((0, 1))}
    vectors = np.asarray(columns["embedding"], np.float32)
    with np.errstate(over="ignore"):
        small = vectors.astype(np.float16)
    broken = np.flatnonzero(~np.isfinite(small).all(1))
    if len(broken):
        raise BankError(
            f"The embedding of {columns['source'][broken[0]]} is not a number, or above what float16 holds "
            "(65504). The model's weights may be damaged."
        )
    empty = [None] * len(vectors)
    table = pa.table(
        {
            "label": pa.array(columns["label"], pa.string()),
            "source": pa.array(columns["source"], pa.string()),
            "seed": pa.array(columns.get("seed", empty), pa.int64()),
            "poster": pa.array(columns.get("poster", empty), pa.binary()),
            "preview": pa.array(columns.get("preview", empty), pa.binary()),
            "embedding": pa.FixedSizeListArray.from_arrays(pa.array(small.reshape(-1), pa.float16()), small.shape[1]),
        }
    )
    table = table.replace_schema_metadata({"skipped": json.dumps(skipped)})
    part = path.with_suffix(".part")
    pq.write_table(table, part, compression="zstd")
    os.replace(part, path)


def _merge(out: Path, parts: list[Path], facts: dict[str, Any], skipped: Skipped) -> None:
    """All parts as one file, a row group a part; its digest is over everything but pictures."""
    import pyarrow.parquet as pq

    kept: list[Path] = []
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode())
    for path in parts:
        with _readable(path) as file:
            skipped = [*skipped, *map(tuple, json.loads(file.schema_arrow.metadata[b"skipped"]))]
            if file.metadata.num_rows:
                kept.append(path)
    if not kept:
        first = f" The first: {skipped[0][0]}: {skipped[0][1]}" if skipped else ""
        raise BankError(f"None of the {len(skipped)} clips could be read.{first}")
    with _readable(kept[0]) as file:
        schema = file.schema_arrow.remove_metadata()
    unfinished = out.with_name(f".{out.name}.part")
    count = 0
    with pq.ParquetWriter(unfinished, schema, compression="zstd", use_dictionary=["label"]) as writer:
        for path in kept:
            with _readable(path) as file:
                table = file.read().replace_schema_metadata(None)
            writer.write_table(table)
            count += len(table)
            digest.update(table["embedding"].combine_chunks().flatten().to_numpy(zero_copy_only=False).tobytes())
            digest.update(repr((table["label"].to_pylist(), table["source"].to_pylist())).encode())
        facts = {
            **facts,
            "dim": schema.field("embedding").type.list_size,
            "count": count,
            "skipped": skipped,
            "digest": digest.hexdigest()[:16],
        }
        writer.add_key_value_metadata({"leaps": json.dumps(facts, ensure_ascii=False)})
    os.replace(unfinished, out)


def _parts(out: Path) -> Path:
    """Where a bank's parts wait until all are there."""
    return out.with_name(f"{out.name}.parts")


# ------------------------------------------------------------------------------------------------------------- reading


@contextmanager
def _readable(path: Path) -> Iterator[pq.ParquetFile]:
    """The Parquet file, open; `BankError` where it turns out to be damaged."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            yield file
    except (pa.ArrowException, OSError) as error:
        raise BankError(
            f"{path} is no bank, or only half of one: {str(error).splitlines()[0]} Build it again with "
            "`python -m leaps_core embed`."
        ) from None


def _offsets(file: Any) -> np.ndarray:
    """The number of each row group's first clip, and of the one after the last."""
    sizes = [file.metadata.row_group(group).num_rows for group in range(file.metadata.num_row_groups)]
    return np.concatenate([[0], np.cumsum(sizes)])


def _groups(file: Any, numbers: np.ndarray) -> np.ndarray:
    """Which row group holds each clip."""
    return np.searchsorted(_offsets(file), numbers, side="right") - 1


def _address(picture: bytes) -> str:
    return "data:image/webp;base64," + base64.b64encode(picture).decode()
