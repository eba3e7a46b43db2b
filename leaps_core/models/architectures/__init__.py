"""How networks are built: by libraries, or as our own modules where no library has them. Imports torch."""

from .builders import (
    Depths,
    c3d,
    csn,
    hiera,
    mvit,
    r2plus1d,
    resnet3d,
    small_mvit,
    timesformer,
    torchvision,
    videomae,
    vivit,
    vjepa2,
    x3d,
)
from .frames import OfFrames, efficientnet_lite
from .i3d import I3D
from .rev_mvit import rev_mvit
from .uniformerv2 import uniformerv2

__all__ = [
    "I3D",
    "Depths",
    "OfFrames",
    "c3d",
    "csn",
    "efficientnet_lite",
    "hiera",
    "mvit",
    "r2plus1d",
    "resnet3d",
    "rev_mvit",
    "small_mvit",
    "timesformer",
    "torchvision",
    "uniformerv2",
    "videomae",
    "vivit",
    "vjepa2",
    "x3d",
]
