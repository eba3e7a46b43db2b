"""A server of weights on this machine, caches of a test's own, and files that are not to be trusted."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch

from leaps_core import models
from leaps_core.models import registry
from leaps_core.models.spec import Source


class Hostile:
    """What a pickle may do when it is read."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return Path.touch, (self.mark,)


class Server(ThreadingHTTPServer):
    """Serves `files` by path; breaks off after `limit` bytes of an answer, notes every request's range."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = {}
        self.limit: int | None = None
        self.ranges: list[tuple[str, str | None]] = []
        self.tags = True

    def url(self, path: str) -> str:
        """The address of a file."""
        return f"http://127.0.0.1:{self.server_port}/{path}"


class Handler(BaseHTTPRequestHandler):
    """GET, with ranges."""

    server: Server

    def do_GET(self) -> None:
        """Answer with a file, a part of it, or 404."""
        path, server = self.path.lstrip("/"), self.server
        asked = self.headers.get("Range")
        server.ranges.append((path, asked))
        if path not in server.files:
            return self.send_error(404)
        data, start = server.files[path], 0
        tag = f'"{hashlib.sha256(data).hexdigest()[:16]}"'
        if asked and self.headers.get("If-Range") in (None, tag):
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
            self.send_response(206)
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(data) - start))
        if server.tags:
            self.send_header("ETag", tag)
        self.end_headers()
        self.wfile.write(data[start:][: server.limit])

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    """A running server."""
    found = Server()
    thread = threading.Thread(target=found.serve_forever, daemon=True)
    thread.start()
    yield found
    found.shutdown()
    found.server_close()


@pytest.fixture
def caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own_registry: None) -> Path:
    """Caches and LEAPS_HOME of one's own, and a registry that is put back."""
    monkeypatch.setenv("LEAPS_HOME", str(tmp_path / "leaps"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    return tmp_path


@pytest.fixture
def published(tmp_path: Path) -> bytes:
    """X3D-XS in its published format, with random weights."""
    torch.save({"model_state": models.network("x3d_xs").state_dict()}, tmp_path / "file")
    return (tmp_path / "file").read_bytes()


@pytest.fixture
def from_sources(server: Server) -> Callable[..., models.ModelSpec]:
    """Make X3D-XS come from other sources."""

    def to(*sources: Source) -> models.ModelSpec:
        spec = replace(models.spec("x3d_xs"), sources=sources or (Source(server.url("X3D_XS.pyth"), "pytorchvideo"),))
        build = registry._builders["x3d_xs"]
        models.register(spec, build)
        return spec

    return to


CACHE = Path("torch", "hub", "checkpoints")


def clean(folder: Path, *kept: str) -> bool:
    """Whether nothing but these files, and empty locks, is in the cache."""
    found = {path.name for path in folder.rglob("*") if path.is_file() and not path.name.endswith(".lock")}
    return found == set(kept)
