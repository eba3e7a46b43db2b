"""Reading clips: which frames of a file they are, on files that the tests write themselves."""

from __future__ import annotations

import subprocess
import sys

import av
import numpy as np
import pytest
from PIL import Image

from leaps_core import video
from leaps_core.errors import VideoError
from tests.video.helpers import BLUE, GREEN, RED, YELLOW, assert_colours, brightness, film, levels, quarters, refused


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


def test_probe(tmp_path):
    info = video.probe(film(tmp_path / "a.mp4", [quarters(62, 98)] * 15, rate=30))
    assert info == video.Info(0.5, 30.0, 98, 62, 15)


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
