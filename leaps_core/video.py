"""Files to clips and clips to files.

`read` turns any usual video into a few small square frames; `write_mp4`, `write_webp` and `sprite` show a
clip again; `to_tensor`, `to_frames` and `resample` convert between frames and what networks take.

Frames are uint8 arrays (T, H, W, 3), RGB. Files come from strangers: the demuxer is chosen by the file's
extension (FFmpeg's own guess may open sockets), no other file or address can be reached, and size, length,
pixels and time of decoding are bounded. PyAV, Pillow, OpenCV and PyTorch are imported where they are used, as
importing them is slow.
"""

from __future__ import annotations

import base64
import io
import math
import os
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

import numpy as np

from .errors import VideoError

if TYPE_CHECKING:
    import torch

MAX_SECONDS = 20.0
"""Longest part of a video that is used at once, in s."""
MAX_BYTES = 200_000_000
MAX_SIDES = (4096, 2304)
"""Largest long and short side of a video, in px."""
MAX_DECODED_PIXELS = 12e9
"""Most pixels decoded for one clip: 20 s of 4096x2304 at 60 frames/s is 11.3e9."""
MAX_WORK_SECONDS = 60.0
"""Longest time spent on decoding one clip, in s."""
BACKGROUND = 128
"""Grey (0..255) that shows through transparent pixels: about the mean that classifiers subtract."""

DEMUXERS = {".mp4": "mov", ".m4v": "mov", ".mov": "mov", ".webm": "matroska", ".mkv": "matroska", ".avi": "avi"}
PICTURES = (".gif", ".webp", ".png", ".jpg", ".jpeg")
EXTENSIONS = (*DEMUXERS, *PICTURES)

_EPSILON = 1e-6  # s; time stamps are multiples of 1e-5 s or more


@dataclass(frozen=True)
class Video:
    """A clip that was read from a file."""

    frames: np.ndarray
    """uint8 (T, H, W, 3), RGB."""
    duration: float
    """Length of the whole source, in s (0 for a still picture)."""
    fps: float
    """Mean frame rate of the source, in frames/s (0 for a still picture)."""
    start: float
    """Where in the source the clip starts, in s."""
    notices: tuple[str, ...]
    """Sentences for the person: what had to be left out or made up."""


@dataclass(frozen=True)
class Info:
    """What a file holds."""

    duration: float
    """s; 0 for a still picture."""
    fps: float
    """Frames/s; 0 for a still picture."""
    width: int
    """px, as shown: upright and with square pixels."""
    height: int
    """px, as shown."""
    frames: int | None
    """Number of frames, where it is known without decoding."""


def read(
    path: str | os.PathLike[str],
    frames: int,
    size: int,
    *,
    start: float = 0.0,
    span: float | None = None,
    fit: Literal["crop", "stretch"] = "crop",
) -> Video:
    """Read `frames` frames of size x size px, evenly spread over [start, start + span] by their time stamps.

    Each is the frame that is on screen in the middle of one of `frames` equal parts of the span. It is shown
    upright and with square pixels, over mid grey where transparent, and shrunk by area averaging.

    path: a video of a type in `EXTENSIONS`.
    start, span: s; span None: to the end. At most `MAX_SECONDS` are used.
    fit: "crop" shrinks the short side to `size` and keeps the centre, "stretch" keeps all, distorted.

    Raises `VideoError`: missing, empty or foreign file, no video in it, nothing decodes, over `MAX_BYTES`,
    `MAX_SIDES` or the decoding limits, or start, span, frames, size or fit out of range.
    """
    name = Path(path).name
    if frames < 1 or size < 1:
        raise VideoError(f"A clip of {frames} frames of {size} px was asked for. Ask for 1 or more of both.")
    if fit not in ("crop", "stretch"):
        raise VideoError(f"There is no fit “{fit}”. Use crop or stretch.")
    if not (math.isfinite(start) and start >= 0):
        raise VideoError(f"The start is {start} s. Choose a start of 0 s or more.")
    if span is not None and not (math.isfinite(span) and span > 0):
        raise VideoError(f"The span is {span} s. Choose a span above 0 s.")
    deadline = time.monotonic() + MAX_WORK_SECONDS
    with _open(path, deadline) as source:
        scan = source.scan(start, start + MAX_SECONDS)
    duration = scan.duration
    if start > 0 and start >= duration:
        raise VideoError(f"The start is {start:g} s, but “{name}” ends at {duration:.1f} s. Choose an earlier start.")
    limit = min(MAX_SECONDS if span is None else span, MAX_SECONDS)
    stop = max(start, min(start + limit, scan.end))
    notices = []
    if duration - start > limit and (span is None or span > limit):
        notices.append(
            f"“{name}” is {duration:.1f} s long: only {start:.1f} s to {stop:.1f} s are used. "
            "Choose another start to use another part."
        )

    def pick() -> _Picks:
        targets = start + (np.arange(frames) + 0.5) / frames * (stop - start)
        with _open(path, deadline) as source:
            return _pick(source, start, targets, partial(_square, size=size, fit=fit))

    picks = pick()
    damaged = picks.damaged or scan.damaged
    if picks.damaged and start < picks.end < stop - _EPSILON:
        stop = picks.end  # spread over what there is, not over what there was
        picks = pick()
    if not picks.frames:
        raise VideoError(f"No frame of “{name}” can be decoded: the file is damaged. Export it again as an MP4 file.")
    if damaged:
        notices.append(f"“{name}” is damaged: only what can be decoded is used.")
    if picks.distinct == 1 and frames > 1:
        notices.append(f"“{name}” shows a single picture here: it is repeated {frames} times.")
    elif picks.distinct < frames:
        notices.append(f"“{name}” has only {picks.distinct} frames here: some are repeated to make {frames}.")
    return Video(np.stack(picks.frames), duration, scan.fps, start, tuple(notices))


def probe(path: str | os.PathLike[str]) -> Info:
    """What a file holds, by its header, its packets' time stamps and its first frame. Raises `VideoError`."""
    deadline = time.monotonic() + MAX_WORK_SECONDS
    with _open(path, deadline) as source:
        scan = source.scan(0.0, 0.0)
    with _open(path, deadline) as source:
        frame = next(source.frames(0.0), None)
        if frame is None:
            raise VideoError(
                f"No frame of “{Path(path).name}” can be decoded: the file is damaged. Export it again as an MP4 file."
            )
        return Info(scan.duration, scan.fps, *frame.size, scan.count)


def write_mp4(frames: np.ndarray, path: str | os.PathLike[str], fps: float = 8, crf: int = 17) -> None:
    """Write frames, uint8 (T, H, W, 3), as an H.264 video that browsers play; fps: frames/s, crf: 0 (lossless) to 51.

    Odd sides grow by one px, as H.264 wants them even. The file appears only when it is complete.
    Raises `VideoError` if it can't be written (no space, no folder, not allowed) and `ValueError` for wrong
    frames or fps.
    """
    import av

    _check(frames, fps)
    frames = np.pad(frames, ((0, 0), (0, frames.shape[1] % 2), (0, frames.shape[2] % 2), (0, 0)), mode="edge")
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream(
            "libx264", rate=Fraction(fps).limit_denominator(1001), options={"crf": str(crf), "preset": "veryfast"}
        )
        stream.height, stream.width, stream.pix_fmt = *frames.shape[1:3], "yuv420p"
        stream.thread_count = 2
        context = stream.codec_context
        # BT.709: players guess where a file doesn't say.
        context.colorspace = context.color_primaries = context.color_trc = 1
        context.color_range = 1
        for frame in frames:
            picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), "rgb24")
            container.mux(stream.encode(picture.reformat(format="yuv420p", dst_colorspace="ITU709")))
        container.mux(stream.encode(None))
    _save(file.getvalue(), Path(path))


def write_webp(frames: np.ndarray, path: str | os.PathLike[str], fps: float = 8, quality: int = 80) -> None:
    """Write frames, uint8 (T, H, W, 3), as an endlessly repeated animation; fps: frames/s, quality: 0..100.

    The file appears only when it is complete. Raises as `write_mp4` does.
    """
    from PIL import Image

    _check(frames, fps)
    first, *others = map(Image.fromarray, frames)
    file = io.BytesIO()
    first.save(file, "WEBP", save_all=True, append_images=others, duration=round(1000 / fps), loop=0, quality=quality, method=4)
    _save(file.getvalue(), Path(path))


def sprite(frames: np.ndarray, quality: int = 85) -> dict[str, str | int]:
    """All frames, uint8 (T, H, W, 3), in one sheet, row by row, for the page's player; quality: 0..100.

    Returns what `sheet` does. Raises `ValueError` for wrong frames.
    """
    from PIL import Image

    _check(frames, 1)
    n, h, w, _ = frames.shape
    cols = _columns(n)
    rows = math.ceil(n / cols)
    cells = np.zeros((rows * cols, h, w, 3), np.uint8)
    cells[:n] = frames
    picture = cells.reshape(rows, cols, h, w, 3).swapaxes(1, 2).reshape(rows * h, cols * w, 3)
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "WEBP", quality=quality, method=0)
    return sheet("data:image/webp;base64," + base64.b64encode(file.getvalue()).decode(), n, w, h)


def sheet(address: str, n: int, w: int, h: int) -> dict[str, str | int]:
    """A sheet that `sprite` made, as the player wants it: `src` (a data address), `n` frames in `cols` columns, of
    `w` x `h` px each."""
    return {"src": address, "n": n, "cols": _columns(n), "w": w, "h": h}


def _columns(n: int) -> int:
    return math.ceil(math.sqrt(n))


def to_tensor(frames: np.ndarray) -> torch.Tensor:
    """Frames, uint8 (T, H, W, 3), as a clip: float32 (1, 3, T, H, W) in [0, 1]. Raises `ValueError`."""
    import torch

    _check(frames, 1)
    return torch.tensor(frames).permute(3, 0, 1, 2)[None].float().div(255)


def to_frames(clip: torch.Tensor) -> np.ndarray:
    """A clip, (1, 3, T, H, W) or (3, T, H, W) in [0, 1], as frames: uint8 (T, H, W, 3), rounded and clipped.

    NumPy does it, because the page asks for it while a run is going on: a thread that lets PyTorch compute gets a team of
    OpenMP threads of its own, and as soon as there are more of them than cores, all sleep after each operation instead of
    waiting for the next, which took a run a tenth of its steps. Raises `ValueError` for another shape.
    """
    shape = tuple(clip.shape)
    if clip.ndim == 5 and len(clip) == 1:
        clip = clip[0]
    if clip.ndim != 4 or len(clip) != 3:
        raise ValueError(f"a clip is (1, 3, T, H, W) or (3, T, H, W), not {shape}")
    levels = clip.detach().cpu().numpy().astype(np.float32).clip(0, 1)
    return np.ascontiguousarray((levels * 255).round().astype(np.uint8).transpose(1, 2, 3, 0))


def resize(clip: torch.Tensor, shape: tuple[int, ...]) -> torch.Tensor:
    """A clip (B, 3, T, H, W) at another (T, H, W), linearly in time and space; itself where it has that already."""
    import torch.nn.functional as F

    if tuple(clip.shape[2:]) == shape:
        return clip
    return F.interpolate(clip, size=shape, mode="trilinear", align_corners=False)


def resample(frames: np.ndarray, n: int, size: int) -> np.ndarray:
    """Frames, uint8 (T, H, W, 3), as uint8 (n, size, size, 3): nearest in time; in space the mean over an
    area where they shrink and linear where they grow. Raises `ValueError` for wrong frames, n or size."""
    _check(frames, 1)
    if n < 1 or size < 1:
        raise ValueError(f"n and size must be 1 or more, not {n} and {size}")
    nearest = ((np.arange(n) + 0.5) * len(frames) / n).astype(int)
    return np.stack([_square(frames[i], size, "stretch") for i in nearest])


def _check(frames: np.ndarray, fps: float) -> None:
    if frames.dtype != np.uint8 or frames.ndim != 4 or frames.shape[3] != 3 or 0 in frames.shape:
        raise ValueError(f"frames must be uint8 (T, H, W, 3), not {frames.dtype} {frames.shape}")
    if not (math.isfinite(fps) and fps > 0):
        raise ValueError(f"fps must be above 0, not {fps}")


def _save(data: bytes, path: Path) -> None:
    """All or nothing: `path` is replaced only when all of `data` is on the disk."""
    part = path.with_name(f".{uuid.uuid4().hex}.part")
    try:
        with open(part, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())  # some disks say only now that they are full
        os.replace(part, path)
    except OSError as error:
        raise VideoError(
            f"“{path.name}” can't be written: {error.strerror}. Make space or choose another folder, then save again."
        ) from error
    finally:
        part.unlink(missing_ok=True)


def _square(image: np.ndarray, size: int, fit: str, aspect: float = 1.0) -> np.ndarray:
    """uint8 (H, W, 3) as (size, size, 3); aspect: width of a pixel by its height."""
    import cv2

    height, width = image.shape[:2]
    if fit == "crop":
        side = min(width * aspect, height)
        left, top = round((width - side / aspect) / 2), round((height - side) / 2)
        image = image[top : max(top + 1, height - top), left : max(left + 1, width - left)]
    height, width = image.shape[:2]
    # Two steps, as OpenCV averages over areas only where both sides shrink.
    small = cv2.resize(image, (min(size, width), min(size, height)), interpolation=cv2.INTER_AREA)
    return cv2.resize(small, (size, size), interpolation=cv2.INTER_LINEAR)


def _orient(image: np.ndarray, matrix: np.ndarray | None) -> np.ndarray:
    """Turn and mirror an image (H, W, 3) by a display matrix, int32 (9,), to the next right angle."""
    if matrix is None:
        return image
    a, b, _, c, d = (int(x) for x in matrix[:5])  # a pixel at (x, y) is shown at (a x + c y, b x + d y)
    if abs(b) > abs(a):
        image, a, d = image.swapaxes(0, 1), c, b
    return image[:: -1 if d < 0 else 1, :: -1 if a < 0 else 1]


@dataclass(frozen=True)
class _Frame:
    """A decoded frame: time in s since the first one, (width, height) as shown, and how to draw it.

    `draw(square)` calls `square(image, aspect=...)`, gives its result upright and may be slow.
    """

    time: float
    size: tuple[int, int]
    draw: Callable[[Callable[..., np.ndarray]], np.ndarray]


@dataclass(frozen=True)
class _Scan:
    """duration (s) and fps of a source, the end (s) of the part that was scanned and really is there, the
    number of all frames if known, and whether something is missing."""

    duration: float
    fps: float
    end: float
    count: int | None
    damaged: bool


@dataclass(frozen=True)
class _Picks:
    frames: list[np.ndarray]
    distinct: int
    end: float
    damaged: bool


def _pick(source: _Film | _Pictures, start: float, targets: np.ndarray, square: Callable[..., np.ndarray]) -> _Picks:
    """The frames that are on screen at the times `targets` (s, ascending); only these are drawn and kept."""
    picked: list[np.ndarray] = []
    distinct, current, drawn, end = 0, None, None, start
    for frame in source.frames(start):
        while current and len(picked) < len(targets) and targets[len(picked)] < frame.time - _EPSILON:
            if drawn is None:
                distinct, drawn = distinct + 1, current.draw(square)
            picked.append(drawn)
        if len(picked) == len(targets):
            return _Picks(picked, distinct, frame.time, source.damaged)
        end = frame.time + (frame.time - current.time if current else 0.0)
        current, drawn = frame, None
    if current and len(picked) < len(targets):
        picked += [current.draw(square)] * (len(targets) - len(picked))
        distinct += 1
    return _Picks(picked, distinct, end, source.damaged)


@contextmanager
def _open(path: str | os.PathLike[str], deadline: float) -> Iterator[_Film | _Pictures]:
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
        source: _Film | _Pictures = (
            _Film(file, name, DEMUXERS[kind], deadline) if kind in DEMUXERS else _Pictures(file, name, deadline)
        )
        with source.container:
            yield source


class _Source:
    def __init__(self, name: str, deadline: float) -> None:
        self.name, self.deadline, self.pixels, self.damaged = name, deadline, 0, False

    def _spend(self, width: int, height: int) -> None:
        """Count one frame; refuse one that is too large, and too many of them."""
        if max(width, height) > MAX_SIDES[0] or min(width, height) > MAX_SIDES[1]:
            raise VideoError(
                f"“{self.name}” has {width} × {height} px, at most {MAX_SIDES[0]} × "
                f"{MAX_SIDES[1]} px are read. Export it smaller."
            )
        self.pixels += width * height
        if self.pixels > MAX_DECODED_PIXELS or time.monotonic() > self.deadline:
            raise VideoError(f"“{self.name}” takes too long to decode. Cut out the part that you need, or export it smaller.")


class _Film(_Source):
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
        self.stream = films[0]
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

    def scan(self, start: float, stop: float) -> _Scan:
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
        return _Scan(
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
        if self.stream.metadata.get("alpha_mode") == "1":  # FFmpeg's own VP8 and VP9 ignore it
            decoder = av.CodecContext.create({"vp8": "libvpx", "vp9": "libvpx-vp9"}[decoder.name], "r")
        decoder.options = {**decoder.options, **self.options}
        decoder.thread_count, decoder.thread_type = 2, "AUTO"
        return decoder

    def frames(self, start: float) -> Iterator[_Frame]:
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
                yield _Frame(frame.time - self.origin * self.unit, size, partial(_draw_film, frame, matrix, aspect))


def _draw_film(frame: Any, matrix: np.ndarray | None, aspect: float, square: Callable[..., np.ndarray]) -> np.ndarray:
    from PIL import Image

    see_through = frame.format.has_palette or any(part.is_alpha for part in frame.format.components)
    # Untagged (2) HD video is BT.709, as players have it; FFmpeg would take it as BT.601.
    hd = frame.colorspace == 2 and not frame.format.is_rgb and frame.height >= 720
    image = frame.to_ndarray(format="rgba" if see_through else "rgb24", src_colorspace="ITU709" if hd else None)
    if see_through:
        image = _flatten(Image.fromarray(image))
    return _orient(square(image, aspect=aspect), matrix)


class _Pictures(_Source):
    """An animated or still picture, through Pillow: FFmpeg can't read animated WebP, nor seek in GIF."""

    def __init__(self, file: BinaryIO, name: str, deadline: float) -> None:
        from PIL import Image

        super().__init__(name, deadline)
        try:
            self.container = Image.open(file, formats=("GIF", "WEBP", "PNG", "JPEG"))
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
            raise VideoError(
                f"“{name}” can't be read as a picture: it is damaged, too large or something "
                "else. Save it again as GIF, WebP, PNG or JPEG."
            ) from error

    def _images(self) -> Iterator[tuple[float, float, Any]]:
        """Start and length (s) of each image, and the image, decoded, until the next one."""
        image, begin = self.container, 0.0
        for index in range(getattr(image, "n_frames", 1)):
            self._spend(*image.size)
            try:
                image.seek(index)
                image.load()
            except (OSError, EOFError, SyntaxError, ValueError):
                self.damaged = True
                return
            shown = float(image.info.get("duration") or 0) / 1000
            shown = shown if shown > 0.01 else 0.1  # as browsers do
            yield begin, shown, image
            begin = round(begin + shown, 6)

    def scan(self, start: float, stop: float) -> _Scan:
        ends = [round(begin + shown, 6) for begin, shown, _ in self._images()]
        if len(ends) < 2:
            return _Scan(0.0, 0.0, 0.0, len(ends), self.damaged)
        return _Scan(ends[-1], len(ends) / ends[-1], ends[-1], len(ends), self.damaged)

    def frames(self, start: float) -> Iterator[_Frame]:
        from PIL import ImageOps

        for begin, _, image in self._images():
            upright = ImageOps.exif_transpose(image)
            yield _Frame(begin, upright.size, partial(_draw_picture, upright))


def _draw_picture(image: Any, square: Callable[..., np.ndarray]) -> np.ndarray:
    return square(_flatten(image))


def _flatten(image: Any) -> np.ndarray:
    """A Pillow image over `BACKGROUND`: uint8 (H, W, 3)."""
    from PIL import Image

    if image.mode == "RGB":
        return np.asarray(image)
    ground = Image.new("RGBA", image.size, (BACKGROUND, BACKGROUND, BACKGROUND, 255))
    return np.asarray(Image.alpha_composite(ground, image.convert("RGBA")).convert("RGB"))
