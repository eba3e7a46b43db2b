"""Downloads against a server on this machine: resumed, checked, refused, shared between processes; and local files."""

from __future__ import annotations

import errno
import hashlib
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from leaps_core import models
from leaps_core.errors import ModelError
from leaps_core.models import weights
from leaps_core.models.spec import Source
from tests.models.downloads import CACHE, Hostile, Server, clean

FromSources = Callable[..., models.ModelSpec]
ROOT = Path(__file__).parents[2]


def test_a_download_is_loaded_and_found_again(
    server: Server, caches: Path, published: bytes, from_sources: FromSources
) -> None:
    spec = from_sources()
    server.files["X3D_XS.pyth"] = published
    seen: list[tuple[int, int | None]] = []
    assert models.state(spec) == "download"
    path = weights.download(spec, lambda done, total: seen.append((done, total)))
    assert path == caches / CACHE / "X3D_XS.pyth" and path.read_bytes() == published
    assert seen[-1] == (len(published), len(published)) and len(seen) > 2
    assert models.state(spec) == "cached" and weights.download(spec) == path and len(server.ranges) == 1
    assert models.load("x3d_xs", "cpu")(torch.rand(1, 3, 4, 64, 64)).shape == (1, 400)
    assert clean(caches / "torch", "X3D_XS.pyth")


def test_what_broke_off_is_taken_up(server: Server, caches: Path, published: bytes, from_sources: FromSources) -> None:
    spec = from_sources()
    server.files["X3D_XS.pyth"] = published
    server.limit = len(published) // 3
    assert weights.download(spec).read_bytes() == published, "within one call"
    assert [asked for _, asked in server.ranges] == [None, *(f"bytes={n * server.limit}-" for n in (1, 2, 3))]


def test_a_later_call_takes_up_what_an_earlier_left(
    server: Server, caches: Path, published: bytes, from_sources: FromSources
) -> None:
    spec = from_sources()
    server.files["X3D_XS.pyth"] = published
    server.limit = len(published) // 10
    with pytest.raises(ModelError, match="broke off after .* goes on from there"):
        weights.download(spec)
    assert models.state(spec) == "download", "nothing stands under the file's name"
    server.limit = None
    server.ranges.clear()
    assert weights.download(spec).read_bytes() == published
    assert server.ranges == [("X3D_XS.pyth", f"bytes={4 * (len(published) // 10)}-")]
    assert clean(caches / "torch", "X3D_XS.pyth")


def test_another_file_is_not_glued_to_a_part(server: Server, caches: Path, published: bytes, from_sources: FromSources) -> None:
    spec = from_sources()
    server.files["X3D_XS.pyth"] = b"x" * len(published)
    server.limit = len(published) // 10
    with pytest.raises(ModelError):
        weights.download(spec)
    server.files["X3D_XS.pyth"], server.limit = published, None
    assert weights.download(spec).read_bytes() == published


def test_a_part_that_can_not_be_taken_up_is_deleted(
    server: Server, caches: Path, published: bytes, from_sources: FromSources
) -> None:
    server.files["X3D_XS.pyth"] = published
    server.tags, server.limit = False, 1000
    with pytest.raises(ModelError, match="broke off"):
        weights.download(from_sources())
    assert clean(caches / "torch")


def test_mirrors_are_tried_in_order(server: Server, caches: Path, published: bytes, from_sources: FromSources) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        dead = f"http://127.0.0.1:{closed.getsockname()[1]}/dead.pyth"
    spec = from_sources(Source(dead), Source(server.url("gone.pyth")), Source(server.url("mirror.pyth"), "pytorchvideo"))
    with pytest.raises(ModelError, match="can't be reached.*answers 404.*x3d_xs.pth"):
        weights.download(spec)
    assert clean(caches / "torch")
    server.files["mirror.pyth"] = published
    assert weights.download(spec).name == "mirror.pyth"
    assert {path for path, _ in server.ranges} == {"gone.pyth", "mirror.pyth"}


def test_hashes_are_checked(server: Server, caches: Path, published: bytes, from_sources: FromSources) -> None:
    server.files["X3D_XS.pyth"] = published
    with pytest.raises(ModelError, match="SHA-256"):
        weights.download(from_sources(Source(server.url("X3D_XS.pyth"), "pytorchvideo", "01234567")))
    assert clean(caches / "torch")
    right = hashlib.sha256(published).hexdigest()[:8]
    assert weights.download(from_sources(Source(server.url("X3D_XS.pyth"), "pytorchvideo", right))).is_file()


def test_wrong_and_hostile_files_are_refused_and_gone(
    server: Server, caches: Path, tmp_path: Path, from_sources: FromSources
) -> None:
    spec = from_sources()
    torch.save({"model_state": {"blocks.0.weight": torch.zeros(2)}}, tmp_path / "wrong")
    torch.save({"model_state": Hostile(tmp_path / "ran")}, tmp_path / "hostile")
    (tmp_path / "page").write_text("<html>Not here any more</html>")
    for name, reason in (("wrong", "doesn't hold"), ("hostile", "refused"), ("page", "not a checkpoint, or damaged")):
        server.files["X3D_XS.pyth"] = (tmp_path / name).read_bytes()
        with pytest.raises(ModelError, match=reason):
            weights.download(spec)
        assert clean(caches / "torch") and models.state(spec) == "download", name
    assert not (tmp_path / "ran").exists()


def test_a_full_disk_is_said(
    server: Server, caches: Path, published: bytes, monkeypatch: pytest.MonkeyPatch, from_sources: FromSources
) -> None:
    spec = from_sources()
    server.files["X3D_XS.pyth"] = published
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda path: type("", (), {"free": 1000}))
        with pytest.raises(ModelError, match="is full"):
            weights.download(spec)
    assert clean(caches / "torch")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(ModelError, match="is full"):
        weights.download(spec, full)
    assert clean(caches / "torch")


def test_an_interrupt_leaves_what_there_is(server: Server, caches: Path, published: bytes, from_sources: FromSources) -> None:
    spec = from_sources()
    server.files["X3D_XS.pyth"] = published

    def interrupt(done: int, total: int | None) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        weights.download(spec, interrupt)
    assert models.state(spec) == "download"
    assert weights.download(spec).read_bytes() == published and server.ranges[-1][1] is not None


def test_two_processes_download_once(server: Server, tmp_path: Path) -> None:
    server.files["big.pth"] = bytes(8_000_000)
    code = (
        "import sys; from pathlib import Path; from leaps_core.models import weights; "
        "weights.fetch(sys.argv[1], Path(sys.argv[2]))"
    )
    both = [
        subprocess.Popen([sys.executable, "-c", code, server.url("big.pth"), str(tmp_path / "big.pth")], cwd=ROOT)
        for _ in range(2)
    ]
    assert [one.wait(60) for one in both] == [0, 0]
    assert len(server.ranges) == 1 and (tmp_path / "big.pth").stat().st_size == 8_000_000


def test_only_the_web_is_asked(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    with pytest.raises(ModelError, match="http"):
        weights.fetch(f"file://{tmp_path}/secret", tmp_path / "copy")


def test_local_files_come_first(server: Server, caches: Path, published: bytes, from_sources: FromSources) -> None:
    spec = from_sources()
    (caches / "leaps" / "weights").mkdir(parents=True)
    for name in ("X3D_XS.pyth", "x3d_xs.pth"):
        (caches / "leaps" / "weights" / name).write_bytes(published)
        assert weights.find(spec) == ("local", caches / "leaps" / "weights" / name)
    weights.give("x3d_xs", caches / "file")
    assert weights.find(spec) == ("local", caches / "file") and models.load("x3d_xs", "cpu").taps
    with pytest.raises(ModelError, match="no weights file"):
        weights.give("x3d_xs", caches / "nowhere")


def full_disk(*_: object, **__: object) -> str:
    """As the hub's client tells it: behind an error of its own."""
    try:
        raise OSError(errno.ENOSPC, "No space left on device")
    except OSError as error:
        raise RuntimeError("Data processing error") from error


def test_hub_models_go_to_the_hubs_cache(
    caches: Path, published: bytes, monkeypatch: pytest.MonkeyPatch, from_sources: FromSources
) -> None:
    import huggingface_hub

    spec = from_sources(Source("hub:someone/some-model/folder/x3d.pyth", "pytorchvideo"))
    asked: list[tuple[str, str]] = []
    snapshot = caches / "snapshot" / "x3d.pyth"
    content: list[bytes] = []

    def fetch(repository: str, file: str, tqdm_class: Any = None) -> str:
        asked.append((repository, file))
        if not content:
            raise OSError("We couldn't connect")
        with tqdm_class(total=10, unit="B", name="x") as bar:
            bar.update(4)
        snapshot.parent.mkdir(exist_ok=True)
        snapshot.write_bytes(content[0])
        return str(snapshot)

    monkeypatch.setattr(huggingface_hub, "hf_hub_download", fetch)
    monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", lambda *_: str(snapshot) if snapshot.exists() else None)
    with pytest.raises(ModelError, match="can't be had"):
        weights.download(spec)
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", full_disk)
    with pytest.raises(ModelError, match="is full. Make room, or set HF_HOME") as raised:
        weights.download(spec)
    assert "network" not in str(raised.value)
    monkeypatch.setattr(huggingface_hub, "hf_hub_download", fetch)
    content.append(b"<html>")
    with pytest.raises(ModelError):
        weights.download(spec)
    assert not snapshot.exists()
    content[0] = published
    seen: list[tuple[int, int | None]] = []
    assert weights.download(spec, lambda done, total: seen.append((done, total))) == snapshot
    assert seen == [(4, 10)] and asked[-1] == ("someone/some-model", "folder/x3d.pyth") and models.state(spec) == "cached"
