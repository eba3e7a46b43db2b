"""Reading and writing clips, on files that the tests write themselves."""

from __future__ import annotations

import base64
import errno
import io
import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
import torch
from PIL import Image

from leaps_core import video
from leaps_core.errors import LeapsError, VideoError

RED, GREEN, BLUE, YELLOW, GREY = (220, 30, 30), (30, 220, 30), (30, 30, 220), (220, 220, 30), (128, 128, 128)


def quarters(height: int = 64, width: int = 64) -> np.ndarray:
    """Red, green / blue, yellow."""
    image = np.empty((height, width, 3), np.uint8)
    y, x = height // 2, width // 2
    image[:y, :x], image[:y, x:], image[y:, :x], image[y:, x:] = RED, GREEN, BLUE, YELLOW
    return image


def corners(image: np.ndarray) -> list[np.ndarray]:
    h, w = image.shape[:2]
    return [image[y, x] for y in (h // 4, 3 * h // 4) for x in (w // 4, 3 * w // 4)]


def assert_colours(image: np.ndarray, *colours: tuple[int, int, int], tolerance: int = 8) -> None:
    np.testing.assert_allclose(np.array(corners(image), int), np.array(colours, int), atol=tolerance)


def levels(n: int, size: int = 64, step: int = 4) -> list[np.ndarray]:
    """Frame i is of brightness i * step."""
    return [np.full((size, size, 3), i * step, np.uint8) for i in range(n)]


def film(
    path: Path,
    images: list[np.ndarray],
    codec: str = "libx264",
    pixels: str = "yuv420p",
    *,
    rate: int = 10,
    pts: list[int] | None = None,
    rotation: tuple | None = None,
    container: dict | None = None,
    codec_options: dict | None = None,
    sound: float = 0.0,
    **context: object,
) -> Path:
    """Write a video; pts in 1/1000 s; sound: s of silence."""
    with av.open(path, "w", options=container or {}) as file:
        stream = file.add_stream(codec, rate=rate, options=codec_options or {})
        stream.height, stream.width, stream.pix_fmt = *images[0].shape[:2], pixels
        for name, value in context.items():
            setattr(stream.codec_context, name, value)
        if pts:
            stream.codec_context.time_base = Fraction(1, 1000)
        if rotation:
            stream.set_display_rotation(*rotation)
        track = file.add_stream("aac", rate=48000, layout="mono") if sound else None
        for i, image in enumerate(images):
            frame = av.VideoFrame.from_ndarray(image, "rgba" if image.shape[2] == 4 else "rgb24")
            if pixels != "rgba":
                frame = frame.reformat(format=pixels)
            if pts:
                frame.pts, frame.time_base = pts[i], Fraction(1, 1000)
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
        if track:
            hush(file, track, sound)
    return path


def hush(file: av.container.OutputContainer, track: av.AudioStream, seconds: float) -> None:
    for i in range(int(seconds * 48000 / 1024)):
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        frame.sample_rate, frame.pts = 48000, i * 1024
        file.mux(track.encode(frame))
    file.mux(track.encode(None))


def brightness(clip: video.Video) -> list[int]:
    return clip.frames[:, 4, 4, 1].tolist()


# ---------------------------------------------------------------- reading: which frames


@pytest.mark.parametrize("name", ["a.mp4", "a.m4v", "a.mov", "a.mkv", "a.webm", "a.avi"])
def test_formats_are_read_evenly(tmp_path, name):
    codec = {"a.webm": "libvpx-vp9", "a.avi": "mpeg4"}.get(name, "libx264")
    clip = video.read(film(tmp_path / name, levels(40), codec), 4, 32)
    assert clip.frames.shape == (4, 32, 32, 3) and clip.frames.dtype == np.uint8
    np.testing.assert_allclose(brightness(clip), [20, 60, 100, 140], atol=5)  # the middles of four parts
    assert (clip.duration, clip.fps, clip.start, clip.notices) == (pytest.approx(4, abs=0.11), 10, 0, ())


def test_as_many_frames_as_there_are_gives_each_once(tmp_path):
    clip = video.read(film(tmp_path / "a.mp4", levels(8, step=20)), 8, 16)
    np.testing.assert_allclose(brightness(clip), np.arange(8) * 20, atol=4)
    assert not clip.notices


def test_variable_frame_rate_goes_by_time(tmp_path):
    """Ten frames in the first 0.1 s, then one per second: by index, the quick ones would fill the clip."""
    pts = [*range(0, 100, 10), *range(1000, 8000, 1000)]
    path = film(tmp_path / "a.mkv", levels(len(pts), step=10), pts=pts)
    clip = video.read(path, 4, 16, start=0.0, span=6.0)  # at 0.75, 2.25, 3.75 and 5.25 s
    np.testing.assert_allclose(brightness(clip), [90, 110, 120, 140], atol=4)


def test_start_and_span_choose_the_part(tmp_path):
    path = film(tmp_path / "a.mp4", levels(60), gop_size=10)
    clip = video.read(path, 2, 16, start=3.0, span=1.0)
    np.testing.assert_allclose(brightness(clip), [32 * 4, 37 * 4], atol=4)
    assert clip.start == 3.0 and clip.duration == pytest.approx(6)
    np.testing.assert_allclose(brightness(video.read(path, 3, 16, start=3.0)), [140, 180, 220], atol=4)


def test_start_is_sought_not_decoded_up_to(tmp_path, monkeypatch):
    path = film(tmp_path / "a.mp4", levels(60, size=32), gop_size=10)
    monkeypatch.setattr(video, "MAX_DECODED_PIXELS", 25 * 32 * 32)
    assert brightness(video.read(path, 1, 16, start=5.0, span=0.5))[0] == pytest.approx(52 * 4, abs=4)
    with pytest.raises(VideoError, match="too long to decode"):
        video.read(path, 1, 16, start=0.0)


def test_long_videos_are_cut_with_a_notice(tmp_path):
    path = film(tmp_path / "a.mp4", levels(30, step=8), rate=1, gop_size=5)
    clip = video.read(path, 2, 16)
    np.testing.assert_allclose(brightness(clip), [5 * 8, 15 * 8], atol=4)
    assert len(clip.notices) == 1
    assert "30.0 s long" in clip.notices[0] and "0.0 s to 20.0 s" in clip.notices[0]
    assert "10.0 s to 30.0 s" not in str(video.read(path, 2, 16, start=10).notices)
    assert "5.0 s to 25.0 s" in video.read(path, 2, 16, start=5).notices[0]
    assert "0.0 s to 20.0 s" in video.read(path, 2, 16, span=25).notices[0]
    assert video.read(path, 2, 16, start=5, span=4).notices == ()


@pytest.mark.parametrize(
    ("name", "codec", "options"),
    [("a.webm", "libvpx-vp9", {"live": "1"}), ("a.mp4", "libx264", {"movflags": "frag_keyframe+empty_moov"})],
)
def test_without_a_duration_in_the_header(tmp_path, name, codec, options):
    path = film(tmp_path / name, levels(40), codec, container=options, gop_size=10)
    np.testing.assert_allclose(brightness(video.read(path, 4, 16)), [20, 60, 100, 140], atol=5)
    np.testing.assert_allclose(brightness(video.read(path, 1, 16, start=2.0, span=1.0)), [100], atol=5)
    assert video.probe(path).duration == pytest.approx(4, abs=0.01)


def test_a_single_frame_is_repeated(tmp_path):
    Image.fromarray(quarters()).save(tmp_path / "b.png")
    for path in film(tmp_path / "a.mp4", [quarters()]), tmp_path / "b.png":
        clip = video.read(path, 5, 32)
        assert (clip.frames == clip.frames[0]).all() and len(clip.frames) == 5
        assert_colours(clip.frames[0], RED, GREEN, BLUE, YELLOW)
        assert len(clip.notices) == 1 and "single picture" in clip.notices[0]


def test_too_few_frames_are_resampled(tmp_path):
    clip = video.read(film(tmp_path / "a.mp4", levels(3, step=50)), 6, 16)
    np.testing.assert_allclose(brightness(clip), [0, 0, 50, 50, 100, 100], atol=4)
    assert len(clip.notices) == 1 and "only 3 frames" in clip.notices[0]


@pytest.mark.parametrize("name", ["a.mp4", "a.webm", "a.avi"])
def test_cut_off_files_give_what_is_left(tmp_path, name):
    noise = np.random.default_rng(0).integers(0, 10, (60, 64, 64, 3), dtype=np.uint8)
    images = list(np.stack(levels(60)) + noise)
    codec = {"a.webm": "libvpx-vp9", "a.avi": "mpeg4"}.get(name, "libx264")
    options = {"movflags": "faststart"} if name == "a.mp4" else {}
    path = film(tmp_path / name, images, codec, container=options, gop_size=10)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * 0.7)])
    clip = video.read(path, 4, 16)
    assert any("damaged" in notice for notice in clip.notices)
    seen = brightness(clip)
    assert len(set(seen)) == 4 and seen == sorted(seen) and seen[-1] < 60 * 4 * 0.8


def test_garbage_in_the_middle_is_survived(tmp_path):
    noise = np.random.default_rng(0).integers(0, 10, (60, 64, 64, 3), dtype=np.uint8)
    path = film(tmp_path / "a.mkv", list(np.stack(levels(60)) + noise), gop_size=10)
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 1500] = np.random.default_rng(1).bytes(1500)
    path.write_bytes(data)
    clip = video.read(path, 4, 16)
    assert clip.frames.shape == (4, 16, 16, 3) and any("damaged" in notice for notice in clip.notices)
    assert brightness(clip)[0] < brightness(clip)[1]


# ---------------------------------------------------------------- reading: what a frame looks like


@pytest.mark.parametrize(
    ("rotation", "colours"),
    [  # degrees counterclockwise, mirrored?
        ((0,), (RED, GREEN, BLUE, YELLOW)),
        ((90,), (GREEN, YELLOW, RED, BLUE)),
        ((180,), (YELLOW, BLUE, GREEN, RED)),
        ((270,), (BLUE, RED, YELLOW, GREEN)),
        ((0, True), (GREEN, RED, YELLOW, BLUE)),
        ((0, False, True), (BLUE, YELLOW, RED, GREEN)),
    ],
)
def test_rotation_and_mirroring(tmp_path, rotation, colours):
    path = film(tmp_path / "a.mp4", [quarters(64, 96)] * 4, rotation=rotation)
    assert_colours(video.read(path, 2, 32).frames[1], *colours)
    info = video.probe(path)
    assert (info.width, info.height) == ((64, 96) if rotation[0] in (90, 270) else (96, 64))


def circle_box(image: np.ndarray) -> tuple[int, int]:
    bright = image[..., 1] > 128
    return int(bright.any(0).sum()), int(bright.any(1).sum())


@pytest.mark.parametrize("rotation", [None, (90,)])
def test_pixels_that_are_not_square(tmp_path, rotation):
    """A square of 40 x 40 shown px is stored 20 px wide when pixels are twice as wide as high."""
    image = np.zeros((96, 64, 3), np.uint8)
    image[28:68, 22:42] = 255
    path = film(tmp_path / "a.mp4", [image] * 2, rotation=rotation, sample_aspect_ratio=Fraction(2, 1))
    width, height = circle_box(video.read(path, 1, 96).frames[0])
    assert abs(width - 40) <= 2 and abs(height - 40) <= 2
    info = video.probe(path)
    assert (info.width, info.height) == ((96, 128) if rotation else (128, 96))


@pytest.mark.parametrize(("height", "width"), [(64, 128), (128, 64), (63, 127)])
def test_crop_keeps_the_centre_and_stretch_keeps_all(tmp_path, height, width):
    image = np.zeros((height, width, 3), np.uint8)
    image[:] = RED
    top, left = (height - min(height, width)) // 2, (width - min(height, width)) // 2
    image[top : height - top, left : width - left] = GREEN
    path = film(tmp_path / "a.mkv", [image] * 2, "ffv1", "bgr0")
    assert_colours(video.read(path, 1, 32).frames[0][1:-1, 1:-1], *[GREEN] * 4)
    whole = video.read(path, 1, 32, fit="stretch").frames[0]
    edge = whole[16, 2] if width > height else whole[2, 16]
    np.testing.assert_allclose(edge, RED, atol=8)
    np.testing.assert_allclose(whole[16, 16], GREEN, atol=8)


def test_shrinking_averages_and_growing_does_not_fail(tmp_path):
    checks = np.indices((64, 64)).sum(0) % 2 * 255
    path = film(tmp_path / "a.mkv", [np.repeat(checks[..., None], 3, 2).astype(np.uint8)] * 2, "ffv1", "bgr0")
    assert np.ptp(video.read(path, 1, 16).frames[0]) <= 1  # picking pixels would give 0 or 255
    assert abs(video.read(path, 1, 16).frames.mean() - 127.5) < 2
    assert video.read(path, 1, 100).frames.shape == (1, 100, 100, 3)


@pytest.mark.parametrize(
    ("name", "codec", "pixels", "options"),
    [
        ("a.mp4", "libx265", "yuv420p10le", {"x265-params": "log-level=none"}),
        ("a.mkv", "ffv1", "yuv422p10le", {}),
        ("a.mp4", "libx264", "yuvj420p", {}),
        ("a.avi", "mjpeg", "yuvj420p", {}),
        ("a.mkv", "libx264", "yuv444p", {}),
    ],
)
def test_colours_at_any_depth_and_range(tmp_path, name, codec, pixels, options):
    path = film(tmp_path / name, [quarters()] * 3, codec, pixels, codec_options=options)
    assert_colours(video.read(path, 2, 32).frames[0], RED, GREEN, BLUE, YELLOW)


def test_grey(tmp_path):
    path = film(tmp_path / "a.mkv", levels(4, step=60), "ffv1", "gray")
    clip = video.read(path, 4, 16)
    np.testing.assert_allclose(brightness(clip), [0, 60, 120, 180], atol=2)
    assert (clip.frames == clip.frames[..., :1]).all()


def test_untagged_hd_video_is_bt709(tmp_path):
    path = tmp_path / "a.mp4"
    with av.open(path, "w") as file:
        stream = file.add_stream("libx264", rate=5)
        stream.width, stream.height, stream.pix_fmt = 720, 720, "yuv420p"
        frame = av.VideoFrame.from_ndarray(quarters(720, 720), "rgb24").reformat(format="yuv420p", dst_colorspace="ITU709")
        frame.colorspace = 2
        file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    assert_colours(video.read(path, 1, 32).frames[0], RED, GREEN, BLUE, YELLOW)


def see_through() -> np.ndarray:
    """The quarters; the right half is transparent."""
    image = np.dstack([quarters(), np.full((64, 64), 255, np.uint8)])
    image[:, 32:, 3] = 0
    return image


@pytest.mark.parametrize(
    ("name", "codec", "pixels"),
    [
        ("a.mov", "png", "rgba"),
        ("a.mov", "qtrle", "argb"),
        ("a.webm", "libvpx-vp9", "yuva420p"),
        ("a.webm", "libvpx", "yuva420p"),
    ],
)
def test_transparent_videos_are_over_grey(tmp_path, name, codec, pixels):
    options = {"auto-alt-ref": "0"} if codec == "libvpx" else {}
    path = film(tmp_path / name, [see_through()] * 3, codec, pixels, codec_options=options)
    assert_colours(video.read(path, 2, 32).frames[1], RED, GREY, BLUE, GREY)


def test_half_transparent_is_mixed(tmp_path):
    image = see_through()
    image[..., 3] = 128
    Image.fromarray(image).save(tmp_path / "a.png")
    mixed = [tuple((np.array(c) + 128) // 2) for c in (RED, GREEN, BLUE, YELLOW)]
    assert_colours(video.read(tmp_path / "a.png", 1, 32).frames[0], *mixed, tolerance=2)


@pytest.mark.parametrize("kind", ["gif", "webp", "png"])
def test_animated_pictures(tmp_path, kind):
    """Shown 100, 100 and 600 ms: by time, the third fills three quarters of the clip."""
    path = tmp_path / f"a.{kind}"
    first, *others = [Image.fromarray(image).convert("RGBA") for image in levels(3, step=100)]
    first.save(
        path,
        save_all=True,
        append_images=others,
        duration=[100, 100, 600],
        loop=0,
        **({"lossless": True} if kind == "webp" else {}),
    )
    clip = video.read(path, 8, 16)
    np.testing.assert_allclose(brightness(clip), [0, 100] + [200] * 6, atol=2)
    assert clip.duration == pytest.approx(0.8) and "only 3 frames" in clip.notices[0]
    info = video.probe(path)
    assert (info.frames, info.width, info.height) == (3, 64, 64) and info.fps == pytest.approx(3.75)
    np.testing.assert_allclose(brightness(video.read(path, 1, 16, start=0.1, span=0.1)), [100], atol=2)


def test_transparent_gif(tmp_path):
    image = Image.fromarray(see_through())
    image.save(tmp_path / "a.gif", save_all=True, append_images=[image.rotate(180)], duration=100, disposal=2)
    clip = video.read(tmp_path / "a.gif", 2, 32)
    assert_colours(clip.frames[0], RED, GREY, BLUE, GREY)
    assert_colours(clip.frames[1], GREY, BLUE, GREY, RED)


def test_phone_pictures_are_upright(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # shown after a quarter turn clockwise
    Image.fromarray(quarters(64, 96)).save(tmp_path / "a.jpg", exif=exif, quality=95)
    assert_colours(video.read(tmp_path / "a.jpg", 1, 32).frames[0], BLUE, RED, YELLOW, GREEN)
    info = video.probe(tmp_path / "a.jpg")
    assert (info.width, info.height, info.duration, info.fps) == (64, 96, 0, 0)


def test_sound_and_cover_art_are_passed_over(tmp_path):
    path = film(tmp_path / "sound.mp4", levels(20, step=10), sound=4.0)
    # Of the 2 s of pictures, not of the 4 s of sound:
    np.testing.assert_allclose(brightness(video.read(path, 2, 16)), [50, 150], atol=4)
    for name, has_film in (("film.mp4", True), ("song.mp4", False)):
        with av.open(tmp_path / name, "w") as file:
            stream = file.add_stream("libx264", rate=10) if has_film else None
            art, track = file.add_stream("png", rate=1), file.add_stream("aac", rate=48000, layout="mono")
            if stream:
                stream.width = stream.height = 64
            art.width = art.height = 64
            art.pix_fmt, art.disposition = "rgb24", av.stream.Disposition.attached_pic
            file.mux(art.encode(av.VideoFrame.from_ndarray(quarters(), "rgb24")))
            if stream:
                for image in levels(20, step=10):
                    frame = av.VideoFrame.from_ndarray(image, "rgb24")
                    file.mux(stream.encode(frame.reformat(format="yuv420p")))
                file.mux(stream.encode(None))
            hush(file, track, 1.0)
    np.testing.assert_allclose(brightness(video.read(tmp_path / "film.mp4", 2, 16)), [50, 150], atol=4)
    refused(tmp_path / "song.mp4", "no video in “song.mp4”")


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is read from /proc")
def test_4k_uses_little_memory(tmp_path):
    path = tmp_path / "a.mp4"
    frame = av.VideoFrame.from_ndarray(quarters(2160, 3840), "rgb24").reformat(format="yuv420p")
    with av.open(path, "w") as file:
        stream = file.add_stream("libx264", rate=30, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = 3840, 2160, "yuv420p"
        for i in range(24):
            frame.pts = i
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    code = (
        "import av, cv2, gc, re, sys; from leaps_core import video; from PIL import Image\n"
        "gc.disable()  # frames must go as soon as they are not needed\n"
        "peak = lambda: int(re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1])\n"
        "before = peak(); video.read(sys.argv[1], 16, 112); print((peak() - before) // 1024)"
    )
    result = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True, timeout=240)
    assert int(result.stdout) < 256  # MiB; all 24 decoded frames are 285, the 16 that are used 380 as RGB


# ---------------------------------------------------------------- reading: probe


def test_probe(tmp_path):
    info = video.probe(film(tmp_path / "a.mp4", [quarters(62, 98)] * 15, rate=30))
    assert info == video.Info(0.5, 30.0, 98, 62, 15)


# ---------------------------------------------------------------- reading: refusals


def refused(path: Path, words: str, **options: object) -> None:
    with pytest.raises(LeapsError, match=words) as caught:
        video.read(path, 4, 16, **options)
    assert str(path.parent) not in str(caught.value)
    if not options:
        with pytest.raises(LeapsError, match=words):
            video.probe(path)


def test_files_that_are_no_videos_are_refused(tmp_path):
    refused(tmp_path / "none.mp4", "There is no file “none.mp4”")
    (tmp_path / "folder.mp4").mkdir()
    refused(tmp_path / "folder.mp4", "“folder.mp4” is a folder")
    (tmp_path / "empty.mp4").touch()
    refused(tmp_path / "empty.mp4", "empty")
    (tmp_path / "a.txt").write_text("hello")
    refused(tmp_path / "a.txt", r"no known type.*mp4 .*webm")
    for kind in ("mp4", "webm", "avi", "gif", "png"):
        (tmp_path / f"text.{kind}").write_text("This is no video. " * 100)
        refused(tmp_path / f"text.{kind}", f"“text.{kind}”")


def test_sound_alone_is_refused(tmp_path):
    with av.open(tmp_path / "a.mp4", "w") as file:
        hush(file, file.add_stream("aac", rate=48000, layout="mono"), 0.5)
    refused(tmp_path / "a.mp4", "no video in “a.mp4”")


def test_cut_off_before_the_first_frame(tmp_path):
    images = [np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)] * 3
    film(tmp_path / "a.mp4", images, container={"movflags": "faststart"})
    film(tmp_path / "b.webm", images, "libvpx-vp9")
    film(tmp_path / "c.mp4", images)
    for name, marker in (("a.mp4", b"mdat"), ("b.webm", b"\x1f\x43\xb6\x75"), ("c.mp4", b"mdat")):
        data = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(data[: data.index(marker) + 4])
        refused(tmp_path / name, f"“{name}”")


def test_too_large_pictures_are_refused(tmp_path):
    for name, shape in (("wide.mp4", (16, 4112)), ("high.mp4", (4112, 16)), ("both.mp4", (2320, 2320))):
        film(tmp_path / name, [np.zeros((*shape, 3), np.uint8)], codec_options={"preset": "ultrafast"})
        refused(tmp_path / name, "4096 × 2304")
    portrait = film(tmp_path / "portrait.mp4", [np.zeros((4096, 64, 3), np.uint8)])
    assert video.read(portrait, 1, 16).frames.shape == (1, 16, 16, 3)
    Image.new("L", (5000, 5000)).save(tmp_path / "a.png")
    refused(tmp_path / "a.png", "5000 × 5000 px")
    Image.new("1", (14000, 14000)).save(tmp_path / "bomb.png")
    refused(tmp_path / "bomb.png", "too large")


def test_too_large_files_are_refused(tmp_path):
    with open(tmp_path / "a.mp4", "wb") as file:
        file.truncate(video.MAX_BYTES + 1_000_000)  # sparse: takes no space
    refused(tmp_path / "a.mp4", "has 201 MB, at most 200 MB")


def test_files_up_to_the_limit_are_read(tmp_path):
    path = film(tmp_path / "a.mp4", levels(20, step=10))
    with open(path, "ab") as file:
        file.write((video.MAX_BYTES - path.stat().st_size).to_bytes(4, "big") + b"free")
        file.truncate(video.MAX_BYTES)
    np.testing.assert_allclose(brightness(video.read(path, 2, 16)), [50, 150], atol=4)


def test_decoding_is_bounded(tmp_path, monkeypatch):
    path = film(tmp_path / "a.mp4", levels(20))
    monkeypatch.setattr(video, "MAX_WORK_SECONDS", -1.0)
    refused(path, "too long to decode")
    monkeypatch.undo()
    monkeypatch.setattr(video, "MAX_DECODED_PIXELS", 10 * 64 * 64)
    refused(path, "too long to decode", span=2.0)


def test_other_files_and_addresses_are_out_of_reach(tmp_path, monkeypatch):
    opened = av.open
    film(tmp_path / "secret.mp4", levels(5))
    texts = {
        "concat": "ffconcat version 1.0\nfile secret.mp4\n",
        "list": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nsecret.mp4\n#EXT-X-ENDLIST\n",
        "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n"
        "a=rtpmap:96 H264/90000\n",
    }
    asked = []
    monkeypatch.setattr(av, "open", lambda *args, **options: asked.append(options["format"]) or opened(*args, **options))
    for name, text in texts.items():
        for kind in ("mp4", "mkv", "avi"):
            (tmp_path / f"{name}.{kind}").write_text(text)
            refused(tmp_path / f"{name}.{kind}", "can't be read")
    # left to guess the format, libav would follow the lists, and wait for the SDP's sender at a socket
    assert set(asked) == {"mov", "matroska", "avi"}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"start": 9.0}, r"start is 9 s, but “a.mp4” ends at 0.5 s"),
        ({"start": 0.5}, "ends at"),
        ({"start": -1.0}, "start is -1.0 s"),
        ({"start": float("nan")}, "start is nan"),
        ({"start": float("inf")}, "start is inf"),
        ({"span": 0.0}, "span is 0.0 s"),
        ({"span": float("nan")}, "span"),
        ({"fit": "bend"}, "fit “bend”"),
    ],
)
def test_parameters_out_of_range_are_refused(tmp_path, options, words):
    refused(film(tmp_path / "a.mp4", levels(5)), words, **options)


def test_no_frames_or_size_is_refused(tmp_path):
    path = film(tmp_path / "a.mp4", levels(5))
    for n, size in ((0, 16), (4, 0)):
        with pytest.raises(VideoError, match="1 or more"):
            video.read(path, n, size)
    Image.fromarray(quarters()).save(tmp_path / "b.png")
    refused(tmp_path / "b.png", "ends at", start=1.0)


# ---------------------------------------------------------------- writing


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


# ---------------------------------------------------------------- frames and tensors


def test_tensors_and_frames_are_inverse():
    frames = np.random.default_rng(0).integers(0, 256, (5, 6, 7, 3), dtype=np.uint8)
    tensor = video.to_tensor(frames)
    assert tensor.shape == (1, 3, 5, 6, 7) and tensor.dtype == torch.float32
    assert tensor[0, 2, 4, 3, 1] == pytest.approx(frames[4, 3, 1, 2] / 255)
    for back in (video.to_frames(tensor), video.to_frames(tensor[0].requires_grad_().half())):
        np.testing.assert_array_equal(back, frames)


def test_frames_are_rounded_and_clipped():
    values = torch.tensor([-1.0, 0.0019, 0.0020, 0.5, 2.0])
    frames = video.to_frames(values.expand(3, 1, 1, 5))
    assert frames[0, 0, :, 0].tolist() == [0, 0, 1, 128, 255]
    for shape in ((2, 3, 4, 5, 5), (4, 3, 5, 5), (3, 5, 5)):
        with pytest.raises(ValueError, match="a clip is"):
            video.to_frames(torch.zeros(shape))


def test_resample():
    frames = np.stack(levels(4, size=8, step=50))
    assert video.resample(frames, 8, 8)[:, 0, 0, 0].tolist() == [0, 0, 50, 50, 100, 100, 150, 150]
    assert video.resample(frames, 2, 4)[:, 0, 0, 0].tolist() == [50, 150]
    np.testing.assert_array_equal(video.resample(frames, 4, 8), frames)
    assert_colours(video.resample(quarters(8, 12)[None], 1, 30)[0], RED, GREEN, BLUE, YELLOW)
    checks = np.repeat((np.indices((8, 8)).sum(0) % 2 * 254)[None, ..., None], 3, 3).astype(np.uint8)
    assert (video.resample(checks, 1, 4) == 127).all()
    for n, size in ((0, 8), (2, 0)):
        with pytest.raises(ValueError, match="1 or more"):
            video.resample(frames, n, size)


def test_importing_is_light():
    code = "import sys, leaps_core.video; print({'torch', 'av', 'cv2', 'PIL'} & set(sys.modules))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=240)
    assert result.stdout.strip() == "set()"
