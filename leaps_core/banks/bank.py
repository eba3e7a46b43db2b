"""A bank on disk: what one model sees in many real clips.

A bank is one Parquet file with one row per clip: its embedding (float16, of `ModelSpec.embedding_layer`, averaged over space
and time), its label, where it is from, and what is needed to show it. A bank of puppets keeps action and seed and draws a
clip when it is looked at; a bank of videos keeps a poster and a short preview, in columns of their own.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import models, paths, video
from ..errors import BankError
from ..paths import PROGRAM
from ..puppets import render_clip

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq


SIDE = 80
"""Height and width of posters and previews, in px."""
PREVIEW_FRAMES = 8
COLUMNS = ("label", "source", "seed", "poster", "preview", "embedding")
VERSION = 1


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
                if parts_of(path).is_dir()
                else f"There is no bank {path}. `{PROGRAM} embed --help` tells how to make one."
            )
        with readable(path) as file:
            try:
                facts = json.loads((file.metadata.metadata or {})[b"leaps"])
                if not {"model", "weights", "dim", "count", "digest", "puppets", "skipped"} <= facts.keys():
                    raise KeyError
                if file.schema_arrow.field("embedding").type.list_size != facts["dim"]:
                    raise ValueError
            except (KeyError, ValueError, AttributeError):
                raise BankError(
                    f"{path} is Parquet, but no bank: it doesn't say which model made it. Make one with `{PROGRAM} embed`."
                ) from None
            if missing := [name for name in COLUMNS if name not in file.schema_arrow.names]:
                raise BankError(
                    f"{path} lacks the columns {', '.join(missing)}; a bank has {', '.join(COLUMNS)}. Build it "
                    f"again with `{PROGRAM} embed`."
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
        return np.asarray(self._column("label"))

    @cached_property
    def sources(self) -> list[str]:
        """Where each clip is from: its file, relative to the folder of videos, or its seed."""
        return self._column("source")

    @cached_property
    def embeddings(self) -> np.ndarray:
        """All embeddings, float32 (N, D). For banks too large for memory there are `rows` and `batches`."""
        return np.concatenate([vectors for _, vectors in self.batches()])

    def batches(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Labels (n,) and embeddings float32 (n, D), a row group at a time."""
        with readable(self.path) as file:
            for group in range(file.metadata.num_row_groups):
                table = file.read_row_group(group, columns=["label", "embedding"])
                yield np.asarray(table["label"].to_pylist()), self._vectors(table)

    def rows(self, chosen: Sequence[int] | np.ndarray) -> np.ndarray:
        """The embeddings of some clips, float32 (n, D), in the given order; reads only the row groups that hold them."""
        chosen = np.asarray(chosen, np.int64)
        found = np.empty((len(chosen), self.facts["dim"]), np.float32)
        with readable(self.path) as file:
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
        return self._picture(number, "poster")

    def preview(self, number: int) -> dict[str, Any]:
        """One clip as a sheet of frames (see `video.sprite`). Puppets are drawn anew, at full length."""
        if self.puppets:
            row = self._row(number, ["label", "seed"])
            return video.sprite(render_clip(row["label"], row["seed"]))
        return video.sheet(self._picture(number, "preview"), PREVIEW_FRAMES, SIDE, SIDE)

    def check(self, spec: models.ModelSpec, weights: str | None = None) -> None:
        """Raise `BankError` unless this model with these weights (None: those it has now) made the bank."""
        weights = weights or models.fingerprint(spec)
        if spec.key != self.facts["model"]:
            raise BankError(
                f"The bank {self.name} is of “{self.facts['model']}”, not of “{spec.key}”: their embeddings can't "
                f"be compared. Choose a bank of “{spec.key}”, or make one (`{PROGRAM} embed`)."
            )
        if weights != self.facts["weights"]:
            raise BankError(
                f"The bank {self.name} was made by other weights of “{spec.key}” ({self.facts['weights']}, not "
                f"{weights}). Build it again with `{PROGRAM} embed`."
            )

    def _vectors(self, table: pa.Table) -> np.ndarray:
        column = table["embedding"].combine_chunks()
        vectors = column.flatten().to_numpy(zero_copy_only=False).astype(np.float32).reshape(-1, self.facts["dim"])
        if not np.isfinite(vectors).all():
            raise BankError(f"{self.path} holds embeddings that are not numbers. Build it again.")
        return vectors

    def _picture(self, number: int, column: str) -> str:
        """A picture that the bank keeps, as a data address."""
        found = self._row(number, [column])[column]
        if not isinstance(found, bytes):
            raise BankError(f"{self.path} has no {column} of clip {number}. Build it again with `{PROGRAM} embed`.")
        return "data:image/webp;base64," + base64.b64encode(found).decode()

    def _column(self, name: str) -> list[Any]:
        with readable(self.path) as file:
            found: list[Any] = file.read(columns=[name])[name].to_pylist()
            return found

    def _row(self, number: int, columns: list[str]) -> dict[str, Any]:
        if not 0 <= number < len(self):
            raise BankError(f"The bank {self.name} has no clip {number}; it has 0 to {len(self) - 1}.")
        with readable(self.path) as file:
            group = int(_groups(file, np.array([number]))[0])
            table = file.read_row_group(group, columns=columns)
            return table.slice(number - int(_offsets(file)[group]), 1).to_pylist()[0]


def bundled(key: str) -> Path:
    """Where the bundled bank of a model lies, if it has one."""
    return paths.BANKS / f"{key}.parquet"


def found() -> list[Path]:
    """The files of all banks: a person's own in LEAPS_HOME/banks, then the bundled ones."""
    return [path for folder in (paths.own_banks(), paths.BANKS) for path in sorted(folder.glob("*.parquet"))]


@contextmanager
def readable(path: Path) -> Iterator[pq.ParquetFile]:
    """The Parquet file, open; `BankError` where it turns out to be damaged."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            yield file
    except (pa.ArrowException, OSError, ValueError, LookupError) as error:  # the last two of what damaged footers say
        said = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise BankError(f"{path} is no bank, or only half of one: {said} Build it again with `{PROGRAM} embed`.") from None


def _offsets(file: Any) -> np.ndarray:
    """The number of each row group's first clip, and of the one after the last."""
    sizes = [file.metadata.row_group(group).num_rows for group in range(file.metadata.num_row_groups)]
    return np.concatenate([[0], np.cumsum(sizes)])


def _groups(file: Any, numbers: np.ndarray) -> np.ndarray:
    """Which row group holds each clip."""
    return np.searchsorted(_offsets(file), numbers, side="right") - 1


def parts_of(out: Path) -> Path:
    """Where a bank's parts wait until all are there."""
    return out.with_name(f"{out.name}.parts")
