"""Writing a bank, in parts, each at once or not at all: a build that was stopped goes on where it was, to the same bank, byte
for byte."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from filelock import Timeout

from .. import files, fleet
from ..errors import BankError
from ..files import Progress
from .bank import Bank, parts_of, readable

PART = 256
"""Clips a part, and a row group of the finished file."""
Skipped = list[tuple[str, str]]
"""Clips that a bank lacks: (source, why)."""


def assemble(
    out: Path,
    facts: dict[str, Any],
    count: int,
    make: Callable[[Any], tuple[dict[str, Any], Skipped]],
    skipped: Skipped | None = None,
    progress: Progress | None = None,
    engine: fleet.Engine | None = None,
    piece: Callable[[range], Any] = lambda numbers: numbers,
) -> Bank:
    """Write a bank of up to `count` clips, part by part; never holds more than one part in memory (on a cluster, a few).

    `make` gives the columns of some clips: label, source, seed (or None), poster, preview (bytes or None), embedding
    float (n, D); and what it skipped. It is given their numbers, or what `piece` makes of these; on a cluster, both are
    pickled. It must give the same whenever it is asked. Raises `BankError` (see `build`).
    """
    if out.is_dir():
        raise BankError(f"{out} is a folder; expected a file ending in .parquet, as in --out bank.parquet.")
    folder = parts_of(out)
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
        lock = files.lock(folder / ".lock")
        with lock.acquire(timeout=0):
            _same_plan(folder / "plan.json", facts, count)
            parts = [range(first, min(count, first + PART)) for first in range(0, count, PART)]
            paths = [folder / f"{number:05d}.parquet" for number in range(len(parts))]
            missing = [number for number, path in enumerate(paths) if not path.exists()]
            done = count - sum(len(parts[number]) for number in missing)
            pieces = ((number, piece(parts[number])) for number in missing)
            for (number, _), made in fleet.each(partial(_made, make), pieces, engine or fleet.Engine()):
                _write_part(paths[number], *made)
                done += len(parts[number])
                if progress:
                    progress(done, count)
            _merge(out, sorted(folder.glob("*.parquet")), facts, skipped or [])
    except Timeout:
        raise BankError(f"{out} is being built at this moment; wait until that ends.") from None
    except OSError as error:
        raise BankError(f"{out} can't be written: {error.strerror or error}. Choose another --out.") from error
    shutil.rmtree(folder)
    return Bank.open(out)


def _made(make: Callable[[Any], tuple[dict[str, Any], Skipped]], numbered: tuple[int, Any]) -> tuple[dict[str, Any], Skipped]:
    """One part, whatever its number is."""
    return make(numbered[1])


def _same_plan(path: Path, facts: dict[str, Any], count: int) -> None:
    """What was begun here must be the same bank. Raises `BankError`."""
    text = json.dumps({**facts, "count": count}, sort_keys=True)
    if path.exists() and path.read_text("utf-8") != text:
        raise BankError(
            f"{path.parent} holds parts of another bank (another model, other weights or other clips). "
            "Delete it, or choose another --out."
        )
    files.write(path, text)


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
    with files.replacing(path) as part:
        pq.write_table(table, part, compression="zstd")


def _merge(out: Path, parts: list[Path], facts: dict[str, Any], skipped: Skipped) -> None:
    """All parts as one file, one row group per part; its digest is over everything but pictures."""
    import pyarrow.parquet as pq

    kept: list[Path] = []
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode())
    for path in parts:
        with readable(path) as file:
            skipped = [*skipped, *map(tuple, json.loads(file.schema_arrow.metadata[b"skipped"]))]
            if file.metadata.num_rows:
                kept.append(path)
    if not kept:
        first = f" The first: {skipped[0][0]}: {skipped[0][1]}" if skipped else ""
        raise BankError(f"None of the {len(skipped)} clips could be read.{first}")
    with readable(kept[0]) as file:
        schema = file.schema_arrow.remove_metadata()
    unfinished = parts_of(out) / "merged"  # a folder that goes away, whatever happens here
    count = 0
    with pq.ParquetWriter(unfinished, schema, compression="zstd", use_dictionary=["label"]) as writer:
        for path in kept:
            with readable(path) as file:
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
