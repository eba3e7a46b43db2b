"""Writing clips: what browsers play, and all or nothing."""

from __future__ import annotations

import base64
import errno
import io
import os

import av
import numpy as np
import pytest
from PIL import Image

from leaps_core import video
from leaps_core.errors import LeapsError, VideoError
from tests.video.helpers import BLUE, GREEN, RED, YELLOW, assert_colours, quarters


def clip(n: int = 6, height: int = 64, width: int = 64) -> np.ndarray:
    frames = np.stack([quarters(height, width)] * n)
    y, x = height // 2, width // 2
    frames[:, y - 8 : y + 8, x - 8 : x + 8] = (np.arange(n) * 40)[:, None, None, None]
    return frames


def test_mp4_is_what_browsers_play(tmp_path):
    frames = clip()
    video.write_mp4(frames, tmp_path / "a.mp4", fps=12)
    with av.open(tmp_path / "a.mp4") as file:
        stream = file.streams.video[0]
        assert (stream.codec.name, stream.pix_fmt, stream.average_rate) == ("h264", "yuv420p", 12)
        assert (stream.width, stream.height, stream.colorspace) == (64, 64, 1)
        decoded = np.stack([frame.to_ndarray(format="rgb24") for frame in file.decode(stream)])
    assert decoded.shape == frames.shape and np.abs(decoded.astype(int) - frames).mean() < 4
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]
    back = video.read(tmp_path / "a.mp4", 6, 64)
    assert_colours(back.frames[3], RED, GREEN, BLUE, YELLOW)
    np.testing.assert_allclose(back.frames[:, 32, 32, 1], np.arange(6) * 40, atol=6)


def test_mp4_of_odd_sides_keeps_every_pixel(tmp_path):
    frames = clip(2, 63, 61)
    video.write_mp4(frames, tmp_path / "a.mp4")
    with av.open(tmp_path / "a.mp4") as file:
        frame = next(file.decode(video=0)).to_ndarray(format="rgb24")
    assert frame.shape == (64, 62, 3)
    assert np.abs(frame[:63, :61].astype(int) - frames[0]).mean() < 5
    np.testing.assert_allclose(frame[-1, -1], YELLOW, atol=12)


def test_webp_is_animated(tmp_path):
    frames = clip()
    video.write_webp(frames, tmp_path / "a.webp", fps=8, quality=90)
    with Image.open(tmp_path / "a.webp") as image:
        assert (image.n_frames, image.info["loop"]) == (6, 0)
    back = video.read(tmp_path / "a.webp", 6, 64)
    assert back.duration == pytest.approx(6 / 8, abs=0.01)
    np.testing.assert_allclose(back.frames[:, 32, 32, 1], np.arange(6) * 40, atol=8)


@pytest.mark.parametrize(("write", "name"), [(video.write_mp4, "a.mp4"), (video.write_webp, "a.webp")])
def test_a_full_disk_leaves_the_old_file_and_no_half_one(tmp_path, monkeypatch, write, name):
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    (tmp_path / name).write_bytes(b"old")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(LeapsError, match=f"“{name}” can't be written: No space left on device") as caught:
        write(clip(), tmp_path / name)
    assert str(tmp_path) not in str(caught.value)
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [(name, b"old")]


def test_a_full_disk_for_real(tmp_path, monkeypatch):
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full here")
    real = open
    monkeypatch.setattr(
        "builtins.open",
        lambda path, *rest, **options: real("/dev/full" if str(path).endswith(".part") else path, *rest, **options),
    )
    with pytest.raises(VideoError, match="No space left on device"):
        video.write_mp4(clip(), tmp_path / "a.mp4")
    assert not list(tmp_path.iterdir())


def test_a_missing_folder_and_a_folder_in_the_way(tmp_path):
    with pytest.raises(VideoError, match="“a.mp4” can't be written"):
        video.write_mp4(clip(), tmp_path / "none" / "a.mp4")
    (tmp_path / "a.webp").mkdir()
    with pytest.raises(VideoError, match="“a.webp” can't be written"):
        video.write_webp(clip(), tmp_path / "a.webp")
    assert [path.name for path in tmp_path.iterdir()] == ["a.webp"]


@pytest.mark.parametrize(
    "frames",
    [np.zeros((4, 8, 8, 3)), np.zeros((8, 8, 3), np.uint8), np.zeros((0, 8, 8, 3), np.uint8), np.zeros((4, 8, 8, 4), np.uint8)],
)
def test_wrong_arrays_are_refused(tmp_path, frames):
    for call in (
        lambda: video.write_mp4(frames, tmp_path / "a.mp4"),
        lambda: video.sprite(frames),
        lambda: video.write_webp(frames, tmp_path / "a.webp"),
        lambda: video.to_tensor(frames),
        lambda: video.resample(frames, 2, 8),
    ):
        with pytest.raises(ValueError, match="frames must be uint8"):
            call()
    for fps in (0, -1, float("nan")):
        with pytest.raises(ValueError, match="fps"):
            video.write_mp4(clip(), tmp_path / "a.mp4", fps=fps)


@pytest.mark.parametrize("n", [1, 5, 16])
def test_sprite_holds_every_frame_in_order(n):
    frames = np.stack([np.full((16, 24, 3), 10 + i * 15, np.uint8) for i in range(n)])
    sheet = video.sprite(frames)
    head, data = sheet["src"].split(",")
    assert head == "data:image/webp;base64"
    image = np.asarray(Image.open(io.BytesIO(base64.b64decode(data))))
    cols = sheet["cols"]
    assert (sheet["n"], sheet["w"], sheet["h"]) == (n, 24, 16) and image.shape[1] == cols * 24
    for i in range(n):
        assert int(image[i // cols * 16 + 8, i % cols * 24 + 12, 1]) == pytest.approx(10 + i * 15, abs=5)
