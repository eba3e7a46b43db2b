"""Decoding in a process of its own: the same clip, and what becomes of decoders that misbehave."""

from __future__ import annotations

import multiprocessing
import os
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from leaps_core import video
from leaps_core.errors import VideoError
from leaps_core.video import apart, decode
from tests.video.helpers import film, levels


@pytest.fixture
def isolated() -> Iterator[None]:
    video.isolate()
    yield
    video.isolate(False)


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return film(tmp_path / "clip.mp4", levels(20))


def samples(folder: Path) -> Iterator[Path]:
    frames = levels(20)
    for kind, codec in (("mp4", "libx264"), ("mov", "mpeg4"), ("mkv", "ffv1"), ("webm", "libvpx-vp9"), ("avi", "mpeg4")):
        yield film(folder / f"a.{kind}", frames, codec=codec)
    first, *others = map(Image.fromarray, frames)
    for kind in ("gif", "webp", "png"):
        first.save(path := folder / f"a.{kind}", save_all=True, append_images=others, duration=100)
        yield path
    first.save(path := folder / "a.jpg", exif=Image.Exif())
    yield path
    first.save(path := folder / "thumbnail.jpg", "MPO", save_all=True, append_images=others[:1])
    yield path


def test_all_kinds_are_read_the_same(tmp_path: Path, isolated: None) -> None:
    for path in samples(tmp_path):
        apart.isolate(False)
        here, facts = video.read(path, 8, 32), video.probe(path)
        apart.isolate()
        there = video.read(path, 8, 32)
        np.testing.assert_array_equal(there.frames, here.frames)
        assert {**vars(there), "frames": 0} == {**vars(here), "frames": 0} and video.probe(path) == facts


def test_it_is_another_process_and_its_refusals_are_the_same(
    tmp_path: Path, clip: Path, isolated: None, monkeypatch: Any
) -> None:
    monkeypatch.setattr(decode, "read", None)  # here, not there
    assert len(video.read(clip, 4, 16).frames) == 4
    with pytest.raises(VideoError, match="There is no file “no.mp4”"):
        video.read(tmp_path / "no.mp4", 4, 16)
    with pytest.raises(VideoError, match="is 0 frames|A clip of 0 frames"):
        video.read(clip, 0, 16)
    assert not multiprocessing.active_children()


def die(name: str, args: Any, kwargs: Any, told: Any) -> None:
    os.abort()


def babble(name: str, args: Any, kwargs: Any, told: Any) -> None:
    told.send_bytes(b'{"shape": [1, 2], "notices": []}')
    told.send_bytes(b"x")


def hang(name: str, args: Any, kwargs: Any, told: Any) -> None:
    time.sleep(60)


def grasp(name: str, args: Any, kwargs: Any, told: Any) -> None:
    decode.read = lambda *args: np.ones(2**30)  # type: ignore[assignment]
    apart._work(name, args, kwargs, told)


def reach_out(name: str, args: Any, kwargs: Any, told: Any) -> None:
    """What a decoder could do that a hostile file has taken over."""

    def tries(path: Path, *others: Any) -> Any:
        found = []
        with open(path, "rb"):
            for attempt in (lambda: open("/etc/passwd"), socket.socket, os.pipe, lambda: open(path.with_name("new"), "w")):
                try:
                    attempt()
                except OSError as error:
                    found.append(type(error).__name__)
        raise VideoError(" ".join(found))

    decode.read = tries
    apart._work(name, args, kwargs, told)


@pytest.mark.parametrize(
    ("does", "said"),
    [
        (die, "“clip.mp4” can't be decoded: its decoder broke down"),
        (babble, "“clip.mp4” can't be decoded: its decoder broke down"),
        (hang, "“clip.mp4” takes too long to decode"),
        (grasp, "takes more than 2 GiB to decode"),
        (reach_out, "^OSError OSError OSError OSError$"),
    ],
)
def test_a_decoder_that_misbehaves(
    does: Callable[..., None], said: str, clip: Path, isolated: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apart, "_work", does)
    monkeypatch.setattr(decode, "MAX_WORK_SECONDS", 2 if does is hang else 30)
    monkeypatch.setattr(apart, "PATIENCE", 0)
    with pytest.raises(VideoError, match=said):
        video.read(clip, 4, 16)
    assert not multiprocessing.active_children()


def test_a_decoder_may_not_write(tmp_path: Path) -> None:
    """The limit on files that are written holds for one that is open already, too."""
    process = multiprocessing.get_context("spawn").Process(target=write, args=(tmp_path / "new",))
    process.start()
    process.join()
    assert process.exitcode == 3 and (tmp_path / "new").stat().st_size == 0


def write(path: Path) -> None:
    with open(path, "wb", buffering=0) as file:
        apart._confine()
        try:
            file.write(b"x")
        except OSError:
            os._exit(3)
