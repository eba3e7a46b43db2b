"""Films and pictures that the tests write themselves, and what is seen in them."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from leaps_core import video
from leaps_core.errors import LeapsError

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


def see_through() -> np.ndarray:
    """The quarters; the right half is transparent."""
    image = np.dstack([quarters(), np.full((64, 64), 255, np.uint8)])
    image[:, 32:, 3] = 0
    return image


def refused(path: Path, words: str, **options: object) -> None:
    with pytest.raises(LeapsError, match=words) as caught:
        video.read(path, 4, 16, **options)
    assert str(path.parent) not in str(caught.value)
    if not options:
        with pytest.raises(LeapsError, match=words):
            video.probe(path)
