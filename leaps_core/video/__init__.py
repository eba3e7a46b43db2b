"""Files to clips and clips to files.

`read` turns any usual video into a few small square frames; `write_mp4`, `write_webp`, `write_gif` and `sprite` show a clip
again;
`to_tensor`, `to_frames`, `resize` and `resample` convert between frames and what networks take; `motion` measures one.

Frames are uint8 arrays (T, H, W, 3), RGB. PyAV, Pillow, OpenCV and PyTorch are imported where they are used, as importing
them is slow.
"""

from .apart import isolate, probe, read
from .convert import motion, resample, resize, to_frames, to_tensor
from .decode import MAX_SECONDS, Info, Video
from .encode import sheet, sprite, write_gif, write_mp4, write_webp
from .sources import EXTENSIONS, MOVING

__all__ = [
    "EXTENSIONS",
    "MAX_SECONDS",
    "MOVING",
    "Info",
    "Video",
    "isolate",
    "motion",
    "probe",
    "read",
    "resample",
    "resize",
    "sheet",
    "sprite",
    "to_frames",
    "to_tensor",
    "write_gif",
    "write_mp4",
    "write_webp",
]
