"""Where weights are, and how they get there: only when a person asks, never by themselves.

Looked for, in this order: a file given for this process (`give`), LEAPS_HOME/weights, and the usual caches: torch's hub
folder for URLs, Hugging Face's hub cache for "hub:" sources. Downloads go to these caches.
"""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit

from ..errors import ModelError
from .spec import ModelSpec

SUFFIXES = (".safetensors", ".pth", ".pyth", ".pt", ".bin")
_given: dict[str, Path] = {}


def find(spec: ModelSpec) -> tuple[str, Path | None]:
    """A model's state ("bundled", "local", "cached" or "download") and its file (None: there is none, or none needed)."""
    from ..puppets.zoo import FOLDER

    if spec.key in _given:
        return "local", _given[spec.key]
    if spec.weights is not None:
        return "bundled" if spec.weights.parent == FOLDER else "local", spec.weights
    names = [f"{spec.key}{suffix}" for suffix in SUFFIXES] + [
        _name(source.url) for source in spec.sources if not source.url.startswith("hub:")]
    for path in (folder() / name for name in names if spec.sources):
        if path.is_file():
            return "local", path
    for source in spec.sources:
        if cached := _cached(source.url):
            return "cached", cached
    return "download" if spec.sources else "local", None


def path(spec: ModelSpec) -> Path | None:
    """The file to load; None where the model needs none. Raises `ModelError` if it has to be downloaded first."""
    where, found = find(spec)
    if where == "download":
        raise ModelError(f"The weights of “{spec.key}” are not on this machine. Download them with `python -m leaps_core "
                         f"download {spec.key}`{_size(spec)}, or put a file into {folder()} as {spec.key}.pth.")
    return found


def give(key: str, file: str | os.PathLike[str]) -> None:
    """Use this file as a model's weights in this process. Raises `ModelError` if there is none."""
    if not Path(file).is_file():
        raise ModelError(f"There is no weights file {file} for “{key}”.")
    _given[key] = Path(file)


def folder() -> Path:
    """Where a person may put weights: LEAPS_HOME/weights."""
    from ..runs import home

    return home() / "weights"


def _cached(url: str) -> Path | None:
    if url.startswith("hub:"):
        from huggingface_hub import try_to_load_from_cache

        found = try_to_load_from_cache(*_hub(url))
        return Path(found) if isinstance(found, str) else None
    target = _torch_hub() / _name(url)
    return target if target.is_file() else None


def _hub(url: str) -> tuple[str, str]:
    """A hub source's repository and file."""
    owner, repository, file = url.removeprefix("hub:").split("/", 2)
    return f"{owner}/{repository}", file


def _torch_hub() -> Path:
    """What torch.hub calls its checkpoints' folder, without importing torch."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(os.environ.get("TORCH_HOME") or cache / "torch").expanduser() / "hub" / "checkpoints"


def _name(url: str) -> str:
    return urlsplit(url).path.rpartition("/")[2]


def _size(spec: ModelSpec) -> str:
    return f" (about {spec.download / 1e6:,.0f} MB)".replace(",", " ") if spec.download else ""
