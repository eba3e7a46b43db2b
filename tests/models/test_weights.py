"""Downloads against a server on this machine: resumed, checked, refused, shared between processes; and local files."""

from __future__ import annotations

import errno
import hashlib
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import torch

from leaps_core import models
from leaps_core.cli import main
from leaps_core.errors import ModelError
from leaps_core.models import weights
from leaps_core.models.spec import Source
from tests.models.test_checkpoints import Hostile

ROOT = Path(__file__).parents[2]


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
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Caches and LEAPS_HOME of one's own, and a registry that is put back."""
    models.specs()
    for name in ("_registry", "_builders", "_loaded"):
        monkeypatch.setattr(models, name, dict(getattr(models, name)))
    monkeypatch.setattr(weights, "_given", {})
    monkeypatch.setenv("LEAPS_HOME", str(tmp_path / "leaps"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    return tmp_path


@pytest.fixture
def published(tmp_path: Path) -> bytes:
    """X3D-XS in its published format, with random weights."""
    torch.save({"model_state": models.network("x3d_xs").state_dict()}, tmp_path / "file")
    return (tmp_path / "file").read_bytes()


@pytest.fixture
def register(server: Server) -> Callable[..., models.ModelSpec]:
    """Make X3D-XS come from other sources."""

    def to(*sources: Source) -> models.ModelSpec:
        spec = replace(models.spec("x3d_xs"), sources=sources or (Source(server.url("X3D_XS.pyth"), "pytorchvideo"),))
        build = models._builders["x3d_xs"]
        models.register(spec, build)
        return spec

    return to


def clean(folder: Path, *kept: str) -> bool:
    """Whether nothing but these files, and empty locks, is in the cache."""
    found = {path.name for path in folder.rglob("*") if path.is_file() and not path.name.endswith(".lock")}
    return found == set(kept)


CACHE = Path("torch", "hub", "checkpoints")


def test_a_file_that_was_replaced_is_loaded_anew(home: Path, published: bytes, tmp_path: Path) -> None:
    folder = tmp_path / "leaps" / "weights"
    folder.mkdir(parents=True)
    before = []
    for content in (published, published, _other(published, tmp_path)):
        (folder / "x3d_xs.pth").write_bytes(content)
        spec, found = models.spec("x3d_xs"), models.load("x3d_xs", "cpu")
        before.append((models.fingerprint(spec), found.get_parameter("network.blocks.5.proj.bias").sum().item()))
    assert before[0] == before[1] and before[2][0] != before[0][0] and before[2][1] == pytest.approx(before[0][1] + 400)
    assert sum(key == "x3d_xs" for key, *_ in models._loaded) == 1, "the old ones are forgotten"


def _other(published: bytes, folder: Path) -> bytes:
    (folder / "other").write_bytes(published)
    state = torch.load(folder / "other", weights_only=True)
    state["model_state"]["blocks.5.proj.bias"] += 1
    torch.save(state, folder / "other")
    return (folder / "other").read_bytes()


def test_a_download_is_loaded_and_found_again(
    server: Server, home: Path, published: bytes, register: Callable[..., models.ModelSpec]
) -> None:
    spec = register()
    server.files["X3D_XS.pyth"] = published
    seen: list[tuple[int, int | None]] = []
    assert models.state(spec) == "download"
    path = weights.download(spec, lambda done, total: seen.append((done, total)))
    assert path == home / CACHE / "X3D_XS.pyth" and path.read_bytes() == published
    assert seen[-1] == (len(published), len(published)) and len(seen) > 2
    assert models.state(spec) == "cached" and weights.download(spec) == path and len(server.ranges) == 1
    assert models.load("x3d_xs", "cpu")(torch.rand(1, 3, 4, 64, 64)).shape == (1, 400)
    assert clean(home / "torch", "X3D_XS.pyth")


def test_what_broke_off_is_taken_up(
    server: Server, home: Path, published: bytes, register: Callable[..., models.ModelSpec]
) -> None:
    spec = register()
    server.files["X3D_XS.pyth"] = published
    server.limit = len(published) // 3
    assert weights.download(spec).read_bytes() == published, "within one call"
    assert [asked for _, asked in server.ranges] == [None, *(f"bytes={n * server.limit}-" for n in (1, 2, 3))]


def test_a_later_call_takes_up_what_an_earlier_left(
    server: Server, home: Path, published: bytes, register: Callable[..., models.ModelSpec]
) -> None:
    spec = register()
    server.files["X3D_XS.pyth"] = published
    server.limit = len(published) // 10
    with pytest.raises(ModelError, match="broke off after .* goes on from there"):
        weights.download(spec)
    assert models.state(spec) == "download", "nothing stands under the file's name"
    server.limit = None
    server.ranges.clear()
    assert weights.download(spec).read_bytes() == published
    assert server.ranges == [("X3D_XS.pyth", f"bytes={4 * (len(published) // 10)}-")]
    assert clean(home / "torch", "X3D_XS.pyth")


def test_another_file_is_not_glued_to_a_part(
    server: Server, home: Path, published: bytes, register: Callable[..., models.ModelSpec]
) -> None:
    spec = register()
    server.files["X3D_XS.pyth"] = b"x" * len(published)
    server.limit = len(published) // 10
    with pytest.raises(ModelError):
        weights.download(spec)
    server.files["X3D_XS.pyth"], server.limit = published, None
    assert weights.download(spec).read_bytes() == published


def test_a_part_that_can_not_be_taken_up_is_deleted(
    server: Server, home: Path, published: bytes, register: Callable[..., models.ModelSpec]
) -> None:
    server.files["X3D_XS.pyth"] = published
    server.tags, server.limit = False, 1000
    with pytest.raises(ModelError, match="broke off"):
        weights.download(register())
    assert clean(home / "torch")


def test_mirrors_are_tried_in_order(
    server: Server, home: Path, published: bytes, register: Callable[..., models.ModelSpec]
) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        dead = f"http://127.0.0.1:{closed.getsockname()[1]}/dead.pyth"
    spec = register(Source(dead), Source(server.url("gone.pyth")), Source(server.url("mirror.pyth"), "pytorchvideo"))
    with pytest.raises(ModelError, match="can't be reached.*answers 404.*x3d_xs.pth"):
        weights.download(spec)
    assert clean(home / "torch")
    server.files["mirror.pyth"] = published
    assert weights.download(spec).name == "mirror.pyth"
    assert {path for path, _ in server.ranges} == {"gone.pyth", "mirror.pyth"}


def test_hashes_are_checked(server: Server, home: Path, published: bytes, register: Callable[..., models.ModelSpec]) -> None:
    server.files["X3D_XS.pyth"] = published
    with pytest.raises(ModelError, match="SHA-256"):
        weights.download(register(Source(server.url("X3D_XS.pyth"), "pytorchvideo", "01234567")))
    assert clean(home / "torch")
    right = hashlib.sha256(published).hexdigest()[:8]
    assert weights.download(register(Source(server.url("X3D_XS.pyth"), "pytorchvideo", right))).is_file()


def test_wrong_and_hostile_files_are_refused_and_gone(
    server: Server, home: Path, tmp_path: Path, register: Callable[..., models.ModelSpec]
) -> None:
    spec = register()
    torch.save({"model_state": {"blocks.0.weight": torch.zeros(2)}}, tmp_path / "wrong")
    torch.save({"model_state": Hostile(tmp_path / "ran")}, tmp_path / "hostile")
    (tmp_path / "page").write_text("<html>Not here any more</html>")
    for name, reason in (("wrong", "doesn't hold"), ("hostile", "refused"), ("page", "not a checkpoint, or damaged")):
        server.files["X3D_XS.pyth"] = (tmp_path / name).read_bytes()
        with pytest.raises(ModelError, match=reason):
            weights.download(spec)
        assert clean(home / "torch") and models.state(spec) == "download", name
    assert not (tmp_path / "ran").exists()


def test_a_full_disk_is_said(
    server: Server, home: Path, published: bytes, monkeypatch: pytest.MonkeyPatch, register: Callable[..., models.ModelSpec]
) -> None:
    spec = register()
    server.files["X3D_XS.pyth"] = published
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "disk_usage", lambda path: type("", (), {"free": 1000}))
        with pytest.raises(ModelError, match="is full"):
            weights.download(spec)
    assert clean(home / "torch")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(ModelError, match="is full"):
        weights.download(spec, full)
    assert clean(home / "torch")


def test_an_interrupt_leaves_what_there_is(
    server: Server, home: Path, published: bytes, register: Callable[..., models.ModelSpec]
) -> None:
    spec = register()
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


def test_local_files_come_first(
    server: Server, home: Path, published: bytes, register: Callable[..., models.ModelSpec]
) -> None:
    spec = register()
    (home / "leaps" / "weights").mkdir(parents=True)
    for name in ("X3D_XS.pyth", "x3d_xs.pth"):
        (home / "leaps" / "weights" / name).write_bytes(published)
        assert weights.find(spec) == ("local", home / "leaps" / "weights" / name)
    weights.give("x3d_xs", home / "file")
    assert weights.find(spec) == ("local", home / "file") and models.load("x3d_xs", "cpu").taps
    with pytest.raises(ModelError, match="no weights file"):
        weights.give("x3d_xs", home / "nowhere")


def full_disk(*_: object, **__: object) -> str:
    """As the hub's client tells it: behind an error of its own."""
    try:
        raise OSError(errno.ENOSPC, "No space left on device")
    except OSError as error:
        raise RuntimeError("Data processing error") from error


def test_hub_models_go_to_the_hubs_cache(
    home: Path, published: bytes, monkeypatch: pytest.MonkeyPatch, register: Callable[..., models.ModelSpec]
) -> None:
    import huggingface_hub

    spec = register(Source("hub:someone/some-model/folder/x3d.pyth", "pytorchvideo"))
    asked: list[tuple[str, str]] = []
    snapshot = home / "snapshot" / "x3d.pyth"
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


def test_the_command_line_downloads_and_takes_a_file(
    server: Server,
    home: Path,
    published: bytes,
    tmp_path: Path,
    register: Callable[..., models.ModelSpec],
    capsys: pytest.CaptureFixture[str],
) -> None:
    spec = register()
    assert main(["download", "x3d_xs"]) == 2
    said = capsys.readouterr()
    assert "answers 404" in said.err and said.err.count("leaps:") == 1 and not said.out
    (tmp_path / "mine.pth").write_bytes(published)
    options = [
        "synth",
        "--model",
        "x3d_xs",
        "--action",
        "zumba",
        "--stimulus",
        "none",
        "--steps",
        "1",
        "--set",
        "size=64",
        "coarse=0",
        "--verifier",
        "none",
    ]
    assert main(options) == 2 and "download x3d_xs" in capsys.readouterr().err
    assert main([*options, "--weights", str(tmp_path / "mine.pth")]) == 0
    weights._given.clear()
    server.files["X3D_XS.pyth"] = published
    models.register(replace(spec, licence="CC-BY-NC-4.0"), models._builders["x3d_xs"])
    capsys.readouterr()
    assert main(["download", "x3d_xs"]) == 0
    said = capsys.readouterr()
    assert said.out.strip() == str(home / CACHE / "X3D_XS.pyth") and "no commercial use" in said.err


def test_the_command_line_inspects(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inspect", "swin_t", "--frames", "8", "--size", "96"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("Video Swin-T") and "28.16 M" in lines[0] and "download" in lines[0]
    assert [line.split()[1] for line in lines[2:4]] == ["patch_embed", "features.0.0"]
    ends = {line.split("ends here at ")[1]: line.split()[0] for line in lines if "ends here" in line}
    assert ends == {"20 %": "2", "40 %": "5", "60 %": "7", "80 %": "10", "100 %": "13"}
    assert "1×4×24×24×96" in lines[2]
    assert main(["inspect", "vivit_b", "--frames", "8"]) == 2 and "32 only" in capsys.readouterr().err
