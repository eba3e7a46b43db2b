"""Clips to files (MP4, WebP, GIF) and to sheets of frames for the page."""

from __future__ import annotations

import base64
import io
import math
import os
from fractions import Fraction
from pathlib import Path

import numpy as np

from .. import files
from ..errors import VideoError
from .convert import check_frames


def write_mp4(frames: np.ndarray, path: str | os.PathLike[str], fps: float = 8, crf: int = 17) -> None:
    """Write frames, uint8 (T, H, W, 3), as an H.264 video that browsers play; fps: frames/s, crf: 0 (lossless) to 51.

    Odd sides grow by one px, as H.264 wants them even. The file appears only when it is complete.
    Raises `VideoError` if it can't be written (no space, no folder, not allowed) and `ValueError` for wrong
    frames or fps.
    """
    import av

    check_frames(frames, fps)
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

    check_frames(frames, fps)
    first, *others = map(Image.fromarray, frames)
    file = io.BytesIO()
    first.save(file, "WEBP", save_all=True, append_images=others, duration=round(1000 / fps), loop=0, quality=quality, method=4)
    _save(file.getvalue(), Path(path))


def write_gif(frames: np.ndarray, path: str | os.PathLike[str], fps: float = 8) -> None:
    """Write frames, uint8 (T, H, W, 3), as an endlessly repeated GIF, in 256 colours a frame; fps: frames/s, to a hundredth of
    a second.

    The file appears only when it is complete. Raises as `write_mp4` does.
    """
    from PIL import Image

    check_frames(frames, fps)
    first, *others = map(Image.fromarray, frames)
    file = io.BytesIO()
    first.save(file, "GIF", save_all=True, append_images=others, duration=10 * round(100 / fps), loop=0)
    _save(file.getvalue(), Path(path))


def sprite(frames: np.ndarray, quality: int = 85) -> dict[str, str | int]:
    """All frames, uint8 (T, H, W, 3), in one sheet, row by row, for the page's player; quality: 0..100.

    Returns what `sheet` does. Raises `ValueError` for wrong frames.
    """
    from PIL import Image

    check_frames(frames)
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


def _save(data: bytes, path: Path) -> None:
    """All or nothing: `path` is replaced only when all of `data` is on the disk."""
    try:
        files.write(path, data)
    except OSError as error:
        raise VideoError(
            f"“{path.name}” can't be written: {error.strerror}. Make space or choose another folder, then save again."
        ) from error
