"""Clips to embeddings: what a model sees in each, as a bank."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from .. import models, video
from ..errors import BankError, VideoError
from ..files import Progress
from ..fleet import Engine
from ..models import PUPPETS
from ..puppets import render_clip
from .bank import PREVIEW_FRAMES, SIDE, VERSION, Bank
from .clips import Clip, Plan
from .write import Skipped, assemble

BATCH = 8
"""Clips that a network sees at once. Part of what a bank is: another size differs in the last bits."""


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


def build(
    plan: Plan, key: str, out: Path, progress: Progress | None = None, device: str = "auto", engine: Engine | None = None
) -> Bank:
    """Embed a plan's clips by the model `key` and write the bank, or go on where an earlier call was stopped. A label with
    underscores becomes the model's own, if it has one of that name. `engine`: where; on a cluster, each machine reads the
    videos by the same paths.

    Unreadable files are left out and listed in `facts["skipped"]`. Raises `BankError` if nothing could be read, if `out` or
    what was begun there is another bank, or if an embedding is not a number; `ModelError` for an unknown model.
    """
    spec = models.spec(key)
    named = {label.replace(" ", "_"): label for label in models.labels(spec.world)}  # folders are often written so
    clips = [replace(clip, label=named.get(clip.label, clip.label)) for clip in plan.clips]
    puppets = all(clip.seed is not None for clip in clips)
    if puppets and spec.world != PUPPETS:
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
    make = partial(_embed, key, device)
    return assemble(
        out, facts, len(clips), make, list(plan.skipped), progress, engine, lambda numbers: [clips[i] for i in numbers]
    )


def _embed(key: str, device: str, clips: list[Clip]) -> tuple[dict[str, Any], Skipped]:
    """The columns of some clips, and those that can't be read."""
    import torch

    network, skipped = models.load(key, device), []
    spec = network.spec
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
