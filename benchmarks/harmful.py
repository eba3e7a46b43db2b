"""Files that are meant to do harm: what leads elsewhere, runs code, takes all memory or never ends."""

from __future__ import annotations

import io
import json
import os
import pickle
import random
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.whole import WHOLE, film, map_file, noise, saved, zipped


@dataclass(frozen=True)
class Aims:
    """What nobody may get at: the video `canary`, the server at `address`; and what code that runs would leave behind."""

    canary: Path
    touched: Path
    address: str


LISTS = {
    "HLS": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{}\n#EXT-X-ENDLIST\n",
    "concat": "ffconcat version 1.0\nfile '{}'\n",
    "DASH": '<?xml version="1.0"?><MPD type="static"><Period><AdaptationSet><Representation><BaseURL>{}</BaseURL>'
    "</Representation></AdaptationSet></Period></MPD>",
    "SVG": '<svg xmlns="http://www.w3.org/2000/svg"><image href="{}"/></svg>',
    "SDP": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\na=control:{}\nm=video 5004 RTP/AVP 96\n",
}
"""Files that name others: {} is what they name."""
Maker = Callable[[Path], Path]


def _named(name: str, data: bytes | str) -> Maker:
    def make(place: Path) -> Path:
        path = place / name
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        return path

    return make


def _harmful_videos(aims: Aims) -> Iterator[tuple[str, Maker]]:
    from PIL import Image

    local, far = aims.canary.as_posix(), f"{aims.address}/clip.mp4"
    for what, text in LISTS.items():
        for target in (local, f"file://{local}", far, "concat:" + local, "subfile,,start,0,end,0,,:" + local):
            for end in ("mp4", "mkv", "avi", "gif"):
                yield f"{what} playlist named .{end} to {target.split(':')[0][:12]}", _named(f"list.{end}", text.format(target))
    yield "a reference to another file in MP4", _named("ref.mov", _references(local))
    for name, data in WHOLE["video"]():
        for strange in (
            "..mp4",
            ". .mp4",
            "a\nb\x1b[31m.mp4",
            "\u202egnp.mp4",
            "x" * 200 + ".mp4",
            "%d.mp4",
            "-i.mp4",
            "~.mp4",
        ):
            if name == "film.mp4":
                yield f"a film named {strange[:20]!r}", _named(strange, data)
        yield (
            f"{name} as a link to itself",
            lambda place, end=Path(name).suffix: _link(place / f"loop{end}", place / f"loop{end}"),
        )
    yield "a link to the canary's folder", lambda place: _link(place / "out.mp4", aims.canary.parent)
    yield "a folder", lambda place: _made(place / "folder.mp4")
    yield "a pipe", lambda place: _pipe(place / "pipe.mp4")
    yield "a device", lambda place: _link(place / "device.mp4", Path("/dev/zero"))
    yield "a name that isn't text", lambda place: _bytes_name(place, film(noise(), "mp4"))
    gif = dict(WHOLE["video"]())["picture.gif"]
    for side in (5000, 20_000, 60_000):
        yield f"PNG that says {side}²", _named("bomb.png", _png(side))
        yield f"GIF that says {side}²", _named("bomb.gif", b"GIF89a" + struct.pack("<HH", side, side) + gif[10:])
    tiny = [Image.new("P", (2, 2))] * 20_000
    yield (
        "GIF of 20,000 frames",
        _named("long.gif", saved(lambda f: tiny[0].save(f, "GIF", save_all=True, append_images=tiny[1:]))),
    )
    grey = np.full((3, 2304, 4096, 3), 128, np.uint8)
    yield "a large film", _named("large.mp4", film(grey, "mp4"))
    yield "a zip", _named("archive.mp4", zipped({"a": b"0" * 10_000_000}))


def _harmful_runs(aims: Aims) -> Iterator[tuple[str, Maker]]:
    config = {"model": "puppet_csn", "action": "juggling balls"}
    texts = {
        "nested": "[" * 100_000,
        "nested in a config": '{"config":' * 50_000,
        "a number of 50,000 digits": '{"model": "puppet_csn", "action": "juggling balls", "steps": ' + "9" * 50_000 + "}",
        "1e400": '{"model": "puppet_csn", "action": "juggling balls", "r": 1e400}',
        "NaN": '{"model": "puppet_csn", "action": "juggling balls", "r": NaN}',
        "half a surrogate": '{"model": "\\ud800", "action": "juggling balls"}',
        "keys with control characters": json.dumps(config | {"\x1b[31m": 1}),
        "a stimulus that is a file": json.dumps(config | {"stimuli": [str(aims.canary)]}),
        "changes without end": json.dumps({"config": config, "changes": [{"step": 1, "field": "r", "value": 0}] * 100_000}),
        "a change of another kind": json.dumps({"config": config, "changes": [{"step": 1, "field": "r", "value": {"a": []}}]}),
        "a step below 0": json.dumps({"config": config, "changes": [{"step": -(10**30), "field": "r", "value": 0.1}]}),
        "a model that is a path": json.dumps(config | {"model": "../../secret"}),
        "a list": "[1, 2]",
        "a word": "null",
        "nothing": "",
        "zero bytes": "\x00" * 1000,
    }
    for what, text in texts.items():
        yield what, _named("run.json", text)


def _harmful_banks(aims: Aims) -> Iterator[tuple[str, Maker]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    whole = pq.read_table(io.BytesIO(dict(WHOLE["bank"]())["small.parquet"]))
    facts = json.loads(whole.schema.metadata[b"leaps"])

    def bank(what: str, table: Any, **changed: Any) -> tuple[str, Maker]:
        table = table.replace_schema_metadata({"leaps": json.dumps(facts | changed)})
        return what, _named("small.parquet", saved(lambda file: pq.write_table(table, file)))

    yield bank("a count of a million", whole, count=10**6)
    yield bank("a dimension of 10^12", whole, dim=10**12)
    yield bank("a dimension below 0", whole, dim=-4)
    yield bank("facts of other kinds", whole, count="20", dim=[4], model=None, puppets={})
    yield bank("drawn clips without seeds", whole, puppets=True)
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(np.full(80, np.nan, np.float16)), 4)
    place = whole.schema.get_field_index("embedding")
    yield bank("embeddings that are no numbers", whole.set_column(place, "embedding", vectors))
    yield bank("labels that are numbers", whole.set_column(0, "label", pa.array(range(20))))
    yield bank("labels that are none", whole.set_column(0, "label", pa.array([None] * 20, pa.string())))
    many = 3_000_000
    columns = {name: pa.array([None] * many, kind) for name, kind in (("source", pa.string()), ("seed", pa.int64()))}
    columns |= {name: pa.array([None] * many, pa.binary()) for name in ("poster", "preview")}
    zeros = pa.FixedSizeListArray.from_arrays(pa.array(np.zeros(4 * many, np.float16)), 4)
    bomb = pa.table({"label": pa.array(["x"] * many), **columns, "embedding": zeros})
    yield bank("three million clips in a few kilobytes", bomb, count=many)


def _harmful_maps(aims: Aims) -> Iterator[tuple[str, Maker]]:
    name = next(WHOLE["map"]())[0]
    for what, changed in {
        "clips that the bank hasn't": {"numbers": np.arange(20) + 10**9},
        "clips below 0": {"numbers": np.arange(20) - 100},
        "numbers of another kind": {"numbers": np.array(["x"] * 20)},
        "places that are no numbers": {"places": np.full((20, 2), np.nan)},
        "fewer places than clips": {"places": np.zeros((3, 2))},
        "places of three dimensions": {"places": np.zeros((20, 3))},
        "axes of another shape": {"axes": np.zeros((7, 9), np.float32)},
    }.items():
        yield what, _named(name, map_file(**changed))
    header = "{'descr': '<f4', 'fortran_order': False, 'shape': (100000000000, 2), }"
    npy = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header) + 1) + header.encode() + b"\n"
    yield "an array that says 800 GB", _named(name, zipped({"facts.npy": npy, "numbers.npy": npy}))
    yield "4 GB of zeros", lambda place: _bomb(place / name, "facts.npy")
    yield "an object array", _named(name, saved(lambda file: np.savez(file, facts=np.array([Touch(aims.touched)], object))))


class Touch:
    """Writes a file when it is unpickled."""

    def __init__(self, file: Path) -> None:
        self.file = str(file)

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return os.mkdir, (self.file,)


def _harmful_weights(aims: Aims) -> Iterator[tuple[str, Maker]]:
    import torch

    touch = Touch(aims.touched)
    yield "a zip that runs code", _named("w.pth", saved(lambda file: torch.save({"a": torch.zeros(2), "b": touch}, file)))
    yield (
        "a legacy pickle that runs code",
        _named("w.pth", saved(lambda file: torch.save([touch], file, _use_new_zipfile_serialization=False))),
    )
    yield "a bare pickle that runs code", _named("w.pkl", pickle.dumps(touch))
    for size in (2**63 - 1, 2**40, 10**6):
        yield f"a header of {size} bytes", _named("w.safetensors", struct.pack("<Q", size) + b'{"a":{}}')
    for offsets in ([0, 2**40], [8, 4], [-1, 4], [0, 16]):
        head = json.dumps({"a": {"dtype": "F32", "shape": [2, 2], "data_offsets": offsets}}).encode()
        yield f"offsets {offsets}", _named("w.safetensors", struct.pack("<Q", len(head)) + head + b"0" * 8)
    head = json.dumps({"a": {"dtype": "F32", "shape": [2**40, 2**40], "data_offsets": [0, 8]}}).encode()
    yield "a shape of 2^80", _named("w.safetensors", struct.pack("<Q", len(head)) + head + b"0" * 8)
    index = json.dumps({"weight_map": {"a": "../secret/canary.mp4", "b": "/etc/passwd"}})
    yield "an index to other files", _named("model.safetensors.index.json", index)
    yield "4 GB of zeros", lambda place: _bomb(place / "w.pth", "w/data.pkl")
    yield "a pickle in itself", _named("w.pkl", b"\x80\x02" + b"(" * 200_000)


def _harmful_pickles(aims: Aims) -> Iterator[tuple[str, Maker]]:
    for what, thing in (("runs code", Touch(aims.touched)), ("holds objects", {"a": random.Random(0)}), ("a list", [1, 2])):
        yield f"a pickle that {what}", _named("archive.whl", zipped({"pack/weights.pkl": pickle.dumps(thing)}))
    huge = b"\x80\x04\x8e" + struct.pack("<Q", 2**60) + b"x"
    yield "bytes that say 2^60", _named("archive.whl", zipped({"pack/weights.pkl": huge}))
    yield "4 GB of zeros", lambda place: _bomb(place / "archive.whl", "pack/weights.pkl")


def _harmful_records(aims: Aims) -> Iterator[tuple[str, Maker]]:
    rest = 'frames = 8\nsize = 32\nlabels = ["a", "b"]\n'
    texts = {
        "another folder's file": f'file = "../secret/canary.mp4"\n{rest}',
        "a file of the system": f'file = "/etc/passwd"\n{rest}',
        "labels of another file": 'file = "mine.ts"\nframes = 8\nsize = 32\nlabels = "/etc/passwd"\n',
        "a number of 10,000 digits": f'file = "mine.ts"\nframes = {"9" * 10_000}\n',
        "tables without end": "a = " + "[" * 50_000,
        "a key with control characters": '"\\u001b[31m" = 1\n',
        "not text": "\x00\x01",
        "a date": f'file = "mine.ts"\nname = 2020-01-01\n{rest}',
    }
    for what, text in texts.items():
        yield what, _named("mine.toml", text)


def _harmful_tables(aims: Aims) -> Iterator[tuple[str, Maker]]:
    head = "label,youtube_id,time_start,time_end,split\n"
    texts = {
        "a video elsewhere": head + f"a,../secret/canary,0,1,train\na,{aims.canary.with_suffix('')},0,1,train\n",
        "times that are none": head + "a,film,nan,inf,train\n",
        "a field of 10 MB": head + "a" * 10_000_000 + ",film,0,1,train\n",
        "zero bytes": head + "a\x00b,film,0,1,train\n",
        "quotation marks without end": head + '"a,film,0,1,train\n' * 1000,
        "times of 400 digits": head + f"a,film,0,{'9' * 400},train\n",
    }
    for what, text in texts.items():
        yield what, _named("train.csv", text)


HARMFUL: dict[str, Callable[[Aims], Iterator[tuple[str, Maker]]]] = {
    "video": _harmful_videos,
    "run": _harmful_runs,
    "bank": _harmful_banks,
    "map": _harmful_maps,
    "weights": _harmful_weights,
    "pickle": _harmful_pickles,
    "record": _harmful_records,
    "table": _harmful_tables,
}


def _references(target: str) -> bytes:
    """A QuickTime movie that says its data lie in another file (an alias in `dref`)."""

    def atom(name: bytes, *parts: bytes) -> bytes:
        body = b"".join(parts)
        return struct.pack(">I", len(body) + 8) + name + body

    data = film(noise(), "mov")
    url = atom(b"url ", b"\x00\x00\x00\x00", f"file://{target}\x00".encode())
    own = atom(b"url ", b"\x00\x00\x00\x01")
    return data.replace(own, url[: len(own)].ljust(len(own), b"\x00"))


def _png(side: int) -> bytes:
    """A PNG that says it has so many rows and columns, all of them black."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    rows = zlib.compress(b"\x00" * ((side + 1) * min(side, 2000)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)) + chunk(b"IDAT", rows)


def _link(path: Path, target: Path) -> Path:
    path.symlink_to(target)
    return path


def _made(path: Path) -> Path:
    path.mkdir()
    return path


def _pipe(path: Path) -> Path:
    os.mkfifo(path)
    return path


def _bytes_name(place: Path, data: bytes) -> Path:
    path = place / os.fsdecode(b"\xff\xfe.mp4")
    path.write_bytes(data)
    return path


def _bomb(path: Path, member: str) -> Path:
    """A zip with 4 GB of zeros in it: a piece of compressed data that stands on its own, again and again."""
    press, block, name = zlib.compressobj(9, zlib.DEFLATED, -15), 2**24, member.encode()
    piece = press.compress(b"\x00" * block) + press.flush(zlib.Z_FULL_FLUSH)
    data = piece * 255 + zlib.compressobj(9, zlib.DEFLATED, -15).flush()
    sizes = struct.pack("<IIHH", len(data), 255 * block, len(name), 0)
    head = struct.pack("<HHHHHI", 20, 0, 8, 0, 0, 0) + sizes
    first = b"PK\x03\x04" + head + name + data
    entry = b"PK\x01\x02" + struct.pack("<H", 20) + head + struct.pack("<HHHII", 0, 0, 0, 0, 0) + name
    end = b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 1, 1, len(entry), len(first), 0)
    path.write_bytes(first + entry + end)
    return path
