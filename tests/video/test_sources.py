"""Opening what strangers send: how frames look, what is passed over, and what is refused."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest
from PIL import Image

from leaps_core import video
from leaps_core.errors import VideoError
from leaps_core.video import decode, sources
from tests.video.helpers import (
    BLUE,
    GREEN,
    GREY,
    RED,
    YELLOW,
    assert_colours,
    brightness,
    film,
    hush,
    levels,
    quarters,
    refused,
    see_through,
)


def test_start_is_sought_not_decoded_up_to(tmp_path, monkeypatch):
    path = film(tmp_path / "a.mp4", levels(60, size=32), gop_size=10)
    monkeypatch.setattr(sources, "MAX_DECODED_PIXELS", 25 * 32 * 32)
    assert brightness(video.read(path, 1, 16, start=5.0, span=0.5))[0] == pytest.approx(52 * 4, abs=4)
    with pytest.raises(VideoError, match="too long to decode"):
        video.read(path, 1, 16, start=0.0)


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
    Image.new("L", (4032, 3024), 77).save(tmp_path / "phone.jpg")
    assert (video.read(tmp_path / "phone.jpg", 1, 16).frames == 77).all()
    Image.new("L", (8200, 8000)).save(tmp_path / "a.png")
    refused(tmp_path / "a.png", "8200 × 8000 px, at most 64 million")
    Image.new("P", (5000, 16)).save(tmp_path / "a.gif", save_all=True, append_images=[Image.new("P", (5000, 16), 9)])
    refused(tmp_path / "a.gif", "5000 × 16 px")
    Image.new("1", (14000, 14000)).save(tmp_path / "bomb.png")
    refused(tmp_path / "bomb.png", "too large")


def test_too_large_files_are_refused(tmp_path):
    with open(tmp_path / "a.mp4", "wb") as file:
        file.truncate(sources.MAX_BYTES + 1_000_000)  # sparse: takes no space
    refused(tmp_path / "a.mp4", "has 201 MB, at most 200 MB")


def test_files_up_to_the_limit_are_read(tmp_path):
    path = film(tmp_path / "a.mp4", levels(20, step=10))
    with open(path, "ab") as file:
        file.write((sources.MAX_BYTES - path.stat().st_size).to_bytes(4, "big") + b"free")
        file.truncate(sources.MAX_BYTES)
    np.testing.assert_allclose(brightness(video.read(path, 2, 16)), [50, 150], atol=4)


def test_decoding_is_bounded(tmp_path, monkeypatch):
    path = film(tmp_path / "a.mp4", levels(20))
    monkeypatch.setattr(decode, "MAX_WORK_SECONDS", -1.0)
    refused(path, "too long to decode")
    monkeypatch.undo()
    monkeypatch.setattr(sources, "MAX_DECODED_PIXELS", 10 * 64 * 64)
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


@pytest.mark.parametrize(("kind", "codec", "tag"), [("avi", "mpeg4", b"FMP4"), ("mp4", "libx264", b"avc1")])
def test_an_unknown_codec_is_told(tmp_path, kind, codec, tag):
    path = film(tmp_path / f"a.{kind}", levels(4), codec)
    path.write_bytes(path.read_bytes().replace(tag, b"QQQQ"))
    refused(path, "codec that isn't known here. Export it as MP4")
    with pytest.raises(VideoError, match="codec"):
        video.probe(path)


def test_of_several_videos_the_one_that_moves_is_read(tmp_path):
    with av.open(tmp_path / "a.mkv", "w") as file:
        for codec, pixels, rate in (("mjpeg", "yuvj420p", 1), ("libx264", "yuv420p", 10)):
            stream = file.add_stream(codec, rate=rate)
            stream.width, stream.height, stream.pix_fmt = 64, 64, pixels
        for stream, images in zip(file.streams, ([quarters()] * 2, levels(10, step=20)), strict=True):
            for image in images:
                file.mux(stream.encode(av.VideoFrame.from_ndarray(image, "rgb24").reformat(format=stream.pix_fmt)))
            file.mux(stream.encode(None))
    assert np.ptp(brightness(video.read(tmp_path / "a.mkv", 4, 16))) > 80


def test_a_thumbnail_behind_a_photo_is_no_film(tmp_path):
    thumbnail = Image.new("RGB", (32, 32), RED)
    Image.new("RGB", (96, 96), BLUE).save(tmp_path / "a.jpg", format="MPO", save_all=True, append_images=[thumbnail])
    clip = video.read(tmp_path / "a.jpg", 2, 16)
    assert clip.duration == 0 and np.abs(clip.frames.astype(int) - BLUE).max() < 6


@pytest.mark.parametrize("value", [0, 1000, 32768, 65535])
def test_grey_of_16_bits_is_not_clipped(tmp_path, value):
    Image.fromarray(np.full((32, 32), value, np.uint16)).save(tmp_path / "a.png")
    assert (video.read(tmp_path / "a.png", 1, 16).frames == value >> 8).all()


def test_a_gif_is_read_as_far_as_it_goes(tmp_path):
    first, *others = map(Image.fromarray, np.random.default_rng(0).integers(0, 255, (3, 16, 16, 3), np.uint8))
    first.save(tmp_path / "a.gif", save_all=True, append_images=others, duration=100)
    data, whole = (tmp_path / "a.gif").read_bytes(), video.read(tmp_path / "a.gif", 3, 16).frames
    second = [i for i in range(len(data)) if data.startswith(b"\x21\xf9\x04", i)][1]
    for bytes_of_it in (4, 11, 400):  # in its control block, its descriptor, its colours
        (tmp_path / "cut.gif").write_bytes(data[: second + bytes_of_it])
        clip = video.read(tmp_path / "cut.gif", 3, 16)
        assert (clip.frames == whole[0]).all() and "damaged" in clip.notices[0]
    for end in range(1, len(data), 7):
        (tmp_path / "cut.gif").write_bytes(data[:end])
        try:
            video.read(tmp_path / "cut.gif", 3, 16)
        except VideoError:
            pass


def test_what_an_animated_png_shows_without_animation_is_left_out(tmp_path):
    still, *moving = (Image.new("RGB", (32, 32), colour) for colour in (RED, GREEN, BLUE))
    still.save(tmp_path / "a.png", save_all=True, append_images=moving, default_image=True, duration=200)
    frames = video.read(tmp_path / "a.png", 2, 16).frames
    assert (frames[0] == GREEN).all() and (frames[1] == BLUE).all()


def test_transparency_of_other_codecs_shows_over_grey(tmp_path):
    path = film(tmp_path / "a.mkv", [see_through()] * 4, "ffv1", "yuva420p")
    path.write_bytes(path.read_bytes().replace(bytes.fromhex("54b28104"), bytes.fromhex("53c08101")))  # AlphaMode 1
    np.testing.assert_allclose(video.read(path, 1, 16).frames[0, :, 10:], 128, atol=3)
