"""Weights that lie in several files."""

from __future__ import annotations

import json
import re
from pathlib import Path

from ..errors import ModelError

SHARD = re.compile(r"(.+)-\d{5}-of-(\d{5})(\.\w+)")
"""The name of one of several files that hold a network together: NAME-00001-of-00003.safetensors."""


def shards(path: Path) -> list[Path]:
    """The files that a network's weights are in: this one; or all that it names as an index (*.index.json), or that its own
    name counts. Raises `ModelError` for an index that is none."""
    if path.name.endswith(".index.json"):
        try:
            names = set(json.loads(path.read_text("utf-8"))["weight_map"].values())
            return [path.with_name(Path(name).name) for name in sorted(names)]
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            raise ModelError(f"{path.name} is no index of weights; expected JSON with a weight_map.") from None
    if shard := SHARD.fullmatch(path.name):
        name, count, end = shard.groups()
        return [path.with_name(f"{name}-{number:05d}-of-{count}{end}") for number in range(1, int(count) + 1)]
    return [path]
