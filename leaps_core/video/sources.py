"""Opening what strangers send, and decoding it frame by frame: films through PyAV, pictures through Pillow.

The demuxer is chosen by the file's extension (FFmpeg's own guess may open sockets), no other file or address can be
reached, and size, length, pixels and time of decoding are bounded.
"""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from ..errors import VideoError

MAX_BYTES = 200_000_000
MAX_SIDES = (4096, 2304)
"""Largest long and short side of a video, in px."""
MAX_STILL_PIXELS = 64_000_000
"""Largest still picture: those of phones have 12 to 50 million pixels."""
MAX_DECODED_PIXELS = 12e9
"""Most pixels decoded for one clip: 20 s of 4096x2304 at 60 frames/s is 11.3e9."""
BACKGROUND = 128
"""Grey (0..255) that shows through transparent pixels: about the mean that classifiers subtract."""
DEMUXERS = {".mp4": "mov", ".m4v": "mov", ".mov": "mov", ".webm": "matroska", ".mkv": "matroska", ".avi": "avi"}
PICTURES = (".gif", ".webp", ".png", ".jpg", ".jpeg")
THUMBNAIL_RATE = 2.0
"""Frames/s up to which one of several videos in a file is taken for a thumbnail."""
EXTENSIONS = (*DEMUXERS, *PICTURES)
"""What can be read."""
MOVING = (".mp4", ".mov", ".webm", ".mkv", ".avi", ".gif")
"""What the page asks for where it wants a video."""


@dataclass(frozen=True)
class Frame:
    """A decoded frame: time in s since the first one, (width, height) as shown, and how to draw it.

    `draw(square)` calls `square(image, aspect=...)`, gives its result upright and may be slow.
    """

    time: float
    size: tuple[int, int]
    draw: Callable[[Callable[..., np.ndarray]], np.ndarray]


@dataclass(frozen=True)
class Scan:
    """duration (s) and fps of a source, the end (s) of the part that was scanned and really is there, the
    number of all frames if known, and whether something is missing."""

    duration: float
    fps: float
    end: float
    count: int | None
    damaged: bool


@contextmanager
def open_source(path: str | os.PathLike[str], deadline: float) -> Iterator[Film | Pictures]:
    """The file, open, as what it is. Raises `VideoError` where it can't be read, or isn't of a known type."""
    path = Path(path)
    name = path.name
    kind = path.suffix.lower()
    if not os.access(path.parent, os.X_OK) and path.parent.is_dir():
        raise VideoError(f"“{name}” can't be read: its folder is closed. Check the folder's permissions.")
    kinds = " ".join(extension[1:] for extension in EXTENSIONS)
    if path.is_dir():
        raise VideoError(f"“{name}” is a folder. Choose a video file ({kinds}).")
    if not path.is_file():
        raise VideoError(f"There is no file “{name}”. Choose a video file ({kinds}).")
    if kind not in EXTENSIONS:
        raise VideoError(f"“{name}” is of no known type. Choose a video file ({kinds}).")
    size = path.stat().st_size
    if size == 0:
        raise VideoError(f"“{name}” is empty (0 bytes). Copy or export it again.")
    if size > MAX_BYTES:
        raise VideoError(
            f"“{name}” has {size / 1e6:.0f} MB, at most {MAX_BYTES / 1e6:.0f} MB are read. Cut out the part that you need."
        )
    try:
        file = open(path, "rb")
    except OSError as error:
        raise VideoError(f"“{name}” can't be read: {error.strerror}. Check its permissions.") from error
    with file:
        source: Film | Pictures = (
            Film(file, name, DEMUXERS[kind], deadline) if kind in DEMUXERS else Pictures(file, name, deadline)
        )
        with source.container:
            yield source


class _Source:
    """What films and pictures share: a name for errors, and a limit to how much is decoded."""

    still = False
    """Whether it is a single picture, which may be larger."""

    def __init__(self, name: str, deadline: float) -> None:
        self.name, self.deadline, self.pixels, self.damaged = name, deadline, 0, False

    def _spend(self, width: int, height: int) -> None:
        """Count one frame; refuse one that is too large, and too many of them."""
        if self.still and width * height > MAX_STILL_PIXELS:
            raise VideoError(
                f"“{self.name}” has {width} × {height} px, at most {MAX_STILL_PIXELS / 1e6:.0f} million are read. "
                "Save it smaller."
            )
        if not self.still and (max(width, height) > MAX_SIDES[0] or min(width, height) > MAX_SIDES[1]):
            raise VideoError(
                f"“{self.name}” has {width} × {height} px, at most {MAX_SIDES[0]} × "
                f"{MAX_SIDES[1]} px are read. Export it smaller."
            )
        self.pixels += width * height
        if self.pixels > MAX_DECODED_PIXELS or time.monotonic() > self.deadline:
            raise VideoError(f"“{self.name}” takes too long to decode. Cut out the part that you need, or export it smaller.")


class Film(_Source):
    """A video, through PyAV."""

    def __init__(self, file: BinaryIO, name: str, demuxer: str, deadline: float) -> None:
        import av

        super().__init__(name, deadline)
        self.options = {"max_pixels": str(MAX_SIDES[0] * MAX_SIDES[1])}
        try:
            self.container: Any = av.open(
                file, mode="r", format=demuxer, metadata_errors="replace", options={"protocol_whitelist": "", **self.options}
            )
        except (av.error.FFmpegError, OSError, ValueError) as error:
            raise VideoError(
                f"“{name}” can't be read as {Path(name).suffix[1:].upper()}: it is damaged, "
                "incomplete or something else. Copy it again or export it as MP4."
            ) from error
        cover = av.stream.Disposition.attached_pic
        films = [stream for stream in self.container.streams.video if not stream.disposition & cover]
        if not films:
            self.container.close()
            raise VideoError(f"There is no video in “{name}”. Choose a file with moving pictures.")
        self.stream = max(films, key=_prominence)
        if self.stream.codec_context is None:
            self.container.close()
            raise VideoError(f"“{name}” is encoded by a codec that isn't known here. Export it as MP4 (H.264).")
        self.unit = float(self.stream.time_base or 1)
        self.origin = self.stream.start_time or 0

    def _packets(self, start: float) -> Iterator[Any]:
        """The video's packets from the key frame before `start` (s) on."""
        import av

        if start > 0:
            try:
                self.container.seek(self.origin + int(start / self.unit), stream=self.stream)
            except av.error.FFmpegError:
                pass  # without an index: from the beginning
        try:
            for packet in self.container.demux(self.stream):
                self._spend(0, 0)
                yield packet
        except av.error.FFmpegError:
            self.damaged = True

    def scan(self, start: float, stop: float) -> Scan:
        """Length, from the header and from the packets' time stamps from start to stop (all if need be)."""
        stream = self.stream
        self._spend(stream.width, stream.height)
        header = self._header_duration()
        end, count, gap, last = 0.0, 0, 0.0, None
        for packet in self._packets(start):
            stamp = packet.dts if packet.pts is None else packet.pts
            if stamp is None or packet.is_discard:
                continue
            now = (stamp - self.origin) * self.unit
            if header and count and now > stop:
                break
            count += 1
            gap = max(gap, abs(now - last) if last is not None else 0.0)
            end, last = max(end, now + (packet.duration or 0) * self.unit), now
        else:
            self.damaged |= bool(header and min(header, stop) - end > max(0.5, 2 * gap))
        if not count and not (header and start >= header):
            place = f" after {start:g} s" if start else ""
            raise VideoError(f"“{self.name}” ends before its first frame{place}. Copy it again or export it as an MP4 file.")
        duration = header or end
        rate = stream.average_rate or stream.guessed_rate
        return Scan(
            duration,
            float(rate or (count / end if end else 0)),
            end,
            stream.frames or (None if header else count),
            self.damaged,
        )

    def _header_duration(self) -> float | None:
        """s, or None if it is not known for the video itself (the file's length may be that of its sound)."""
        stream = self.stream
        if stream.duration:
            return max(0.0, stream.duration * self.unit)
        try:  # Matroska
            hours, minutes, seconds = map(float, stream.metadata["DURATION"].split(":"))
            return hours * 3600 + minutes * 60 + seconds - self.origin * self.unit
        except (KeyError, ValueError):
            alone = len(self.container.streams) == 1 and self.container.duration
            return self.container.duration / 1e6 if alone else None

    def _decoder(self) -> Any:
        import av

        decoder: Any = self.stream.codec_context
        seeing = {"vp8": "libvpx", "vp9": "libvpx-vp9"}.get(decoder.name)  # FFmpeg's own ignore transparency
        if seeing and self.stream.metadata.get("alpha_mode") == "1":
            decoder = av.CodecContext.create(seeing, "r")
        decoder.options = {**decoder.options, **self.options}
        decoder.thread_count, decoder.thread_type = 2, "AUTO"
        return decoder

    def frames(self, start: float) -> Iterator[Frame]:
        """The frames from the key frame before `start` (s) on; broken ones are left out."""
        import av

        decoder = self._decoder()
        aspect = float(self.stream.sample_aspect_ratio or 1)
        matrix, first = None, True
        for packet in self._packets(start):
            try:
                decoded = decoder.decode(packet)
            except av.error.FFmpegError:
                self.damaged = True
                continue
            for frame in decoded:
                self._spend(frame.width, frame.height)
                if frame.is_corrupt or frame.pts is None:
                    self.damaged |= frame.is_corrupt
                    continue
                if first:  # not for each: a frame whose side data were read lives until cycles are collected
                    side, first = frame.side_data.get("DISPLAYMATRIX"), False
                    matrix = np.frombuffer(bytes(side), np.int32) if side is not None else None
                size = round(frame.width * aspect), frame.height
                if matrix is not None and abs(matrix[1]) > abs(matrix[0]):
                    size = size[::-1]
                yield Frame(frame.time - self.origin * self.unit, size, partial(_draw_film, frame, matrix, aspect))


def _prominence(stream: Any) -> tuple[bool, bool, int]:
    """What makes a stream the film: being more than a thumbnail of a frame now and then, being the default, and its size."""
    import av

    size = stream.codec_context.width * stream.codec_context.height if stream.codec_context is not None else 0
    moves = float(stream.average_rate or stream.guessed_rate or 0) > THUMBNAIL_RATE
    return moves, bool(stream.disposition & av.stream.Disposition.default), size


def _draw_film(frame: Any, matrix: np.ndarray | None, aspect: float, square: Callable[..., np.ndarray]) -> np.ndarray:
    from PIL import Image

    see_through = frame.format.has_palette or any(part.is_alpha for part in frame.format.components)
    # Untagged (2) HD video is BT.709, as players have it; FFmpeg would take it as BT.601.
    hd = frame.colorspace == 2 and not frame.format.is_rgb and frame.height >= 720
    image = frame.to_ndarray(format="rgba" if see_through else "rgb24", src_colorspace="ITU709" if hd else None)
    if see_through:
        image = _flatten(Image.fromarray(image))
    return _orient(square(image, aspect=aspect), matrix)


def _orient(image: np.ndarray, matrix: np.ndarray | None) -> np.ndarray:
    """Turn and mirror an image (H, W, 3) by a display matrix, int32 (9,), to the next right angle."""
    if matrix is None:
        return image
    a, b, _, c, d = (int(x) for x in matrix[:5])  # a pixel at (x, y) is shown at (a x + c y, b x + d y)
    if abs(b) > abs(a):
        image, a, d = image.swapaxes(0, 1), c, b
    return image[:: -1 if d < 0 else 1, :: -1 if a < 0 else 1]


class Pictures(_Source):
    """An animated or still picture, through Pillow: FFmpeg can't read animated WebP, nor seek in GIF."""

    def __init__(self, file: BinaryIO, name: str, deadline: float) -> None:
        from PIL import Image

        super().__init__(name, deadline)
        try:
            self.container = Image.open(file, formats=("GIF", "WEBP", "PNG", "JPEG"))
            image = self.container
            # behind a camera's JPEG (MPO) lies a thumbnail; a GIF has to be read to its end to tell, and may be cut off
            self.still = image.format in ("JPEG", "MPO") or (image.format != "GIF" and not getattr(image, "is_animated", False))
            # what an animated PNG shows where it can't be animated
            self.first = 1 if image.info.get("default_image") else 0
        except Exception as error:  # Pillow's readers raise whatever a broken file makes them stumble over
            raise VideoError(
                f"“{name}” can't be read as a picture: it is damaged, too large or something "
                "else. Save it again as GIF, WebP, PNG or JPEG."
            ) from error

    def _images(self) -> Iterator[tuple[float, float, Any]]:
        """Start and length (s) of each image, and the image, decoded, until the next one."""
        image, begin = self.container, 0.0
        for index in range(self.first, 1) if self.still else itertools.count(self.first):
            self._spend(*image.size)
            try:
                image.seek(index)
            except EOFError:
                return
            except Exception:  # as above
                self.damaged = True
                return
            try:
                image.load()
            except Exception:
                self.damaged = True
                return
            shown = float(image.info.get("duration") or 0) / 1000
            shown = shown if shown > 0.01 else 0.1  # as browsers do
            yield begin, shown, image
            begin = round(begin + shown, 6)

    def scan(self, start: float, stop: float) -> Scan:
        ends = [round(begin + shown, 6) for begin, shown, _ in self._images()]
        if len(ends) < 2:
            return Scan(0.0, 0.0, 0.0, len(ends), self.damaged)
        return Scan(ends[-1], len(ends) / ends[-1], ends[-1], len(ends), self.damaged)

    def frames(self, start: float) -> Iterator[Frame]:
        from PIL import ImageOps

        for begin, _, image in self._images():
            upright = ImageOps.exif_transpose(image)
            yield Frame(begin, upright.size, partial(_draw_picture, upright))


def _draw_picture(image: Any, square: Callable[..., np.ndarray]) -> np.ndarray:
    return square(_flatten(image))


def _flatten(image: Any) -> np.ndarray:
    """A Pillow image over `BACKGROUND`: uint8 (H, W, 3)."""
    from PIL import Image

    if image.mode == "RGB":
        return np.asarray(image)
    if image.mode.startswith("I"):  # grey of 16 bits, which Pillow would clip
        image = Image.fromarray((np.asarray(image).astype(np.int64) >> 8).clip(0, 255).astype(np.uint8))
    ground = Image.new("RGBA", image.size, (BACKGROUND, BACKGROUND, BACKGROUND, 255))
    return np.asarray(Image.alpha_composite(ground, image.convert("RGBA")).convert("RGB"))
