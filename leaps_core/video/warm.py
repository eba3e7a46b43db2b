"""All that decoding imports, imported at once: a process that decodes is forked from one that has this, and may then open one
file at a time, the video."""

import av.subtitles.stream  # noqa: F401  (all else of PyAV is imported with it)
import cv2
from PIL import ExifTags, Image, ImageOps, ImageSequence, TiffImagePlugin  # noqa: F401

Image.init()  # the readers of all kinds of pictures
cv2.setNumThreads(1)
