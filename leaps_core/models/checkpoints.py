"""Reading weights as they are published: containers, names and class orders of other people's files.

A file is read without running anything in it (safetensors, or `torch.load(weights_only=True)`), its tensors are renamed
by rules that are data, and every one of them must find its place: nothing missing, nothing left over.
"""

from __future__ import annotations

import argparse
import json
import pickle
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from ..errors import ModelError
from .registry import labels
from .shards import shards
from .spec import ModelSpec
from .worlds import listed

CONTAINERS = (
    *("model_state", "state_dict", "model_state_dict", "model", "module", "network", "net", "weights", "params", "checkpoint"),
    *("state_dict_ema", "model_ema", "ema_state_dict", "ema", "averaged_model"),
)
"""Keys under which training frameworks put a network's tensors, beside an optimiser's and other things; those of averaged
weights last."""
HARMLESS: list[Any] = [
    argparse.Namespace,
    np.dtype,
    *{type(np.dtype(kind)) for kind in "?bBhHiIlLqQefd"},
    *((np.float64(0).__reduce__()[0], f"{module}.multiarray.scalar") for module in ("numpy._core", "numpy.core")),
]
"""What training programs save beside tensors: their arguments, and NumPy's numbers. Reading these runs nothing."""
REBUILT = re.compile(r"(^|\.)(num_batches_tracked|relative_position_index|n_averaged)$")
"""Counters and index tables, which a network makes itself: never read, never missed."""
Rules = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Format:
    """How a publisher writes a network. `rules`: regular expressions and what replaces them in each name, one after the
    other. `sign`: a name that only this format has, where files of another would pass too. `drop`: names (as published)
    of parts that no classifier runs. `order`: the labels file with the class of each row of the `head`, where it is not
    the world's. `head`: prefix of the classifier's tensors, after renaming."""

    rules: Rules = ()
    sign: str | None = None
    drop: str | None = None
    order: str | None = None
    head: str = ""


_MVIT: Rules = (
    (r"^patch_embed\.proj\.", "conv_proj."),
    (r"^cls_token$", "pos_encoding.class_token"),
    (r"\.attn\.pool_([qkv])\.", r".attn.pool_\1.pool."),
    (r"\.attn\.norm_([qkv])\.", r".attn.pool_\1.norm_act.0."),
    (r"\.attn\.proj\.", ".attn.project.0."),
    (r"\.mlp\.fc1\.", ".mlp.0."),
    (r"\.mlp\.fc2\.", ".mlp.3."),
    (r"^(blocks\.\d+)\.proj\.", r"\1.project."),
    (r"^head\.projection\.", "head.1."),
    (r"^", "network."),
)
_VIDEO_SWIN: Rules = (
    (r"^backbone\.", ""),
    (r"^cls_head\.fc_cls\.", "head."),
    (r"\.mlp\.fc1\.", ".mlp.0."),
    (r"\.mlp\.fc2\.", ".mlp.3."),
    *((rf"^layers\.{stage}\.blocks\.", f"features.{2 * stage}.") for stage in range(4)),
    *((rf"^layers\.{stage}\.downsample\.", f"features.{2 * stage + 1}.") for stage in range(3)),
)
_TIMESFORMER: Rules = (
    (r"^model\.", ""),
    (r"^head\.", "classifier."),
    (r"^patch_embed\.proj\.", "embeddings.patch_embeddings.projection."),
    (r"^cls_token$", "embeddings.cls_token"),
    (r"^pos_embed$", "embeddings.position_embeddings"),
    (r"^time_embed$", "embeddings.time_embeddings"),
    (r"^norm\.", "layernorm."),
    (r"^blocks\.", "encoder.layer."),
    (r"\.temporal_norm1\.", ".temporal_layernorm."),
    (r"\.temporal_attn\.qkv\.", ".temporal_attention.attention.qkv."),
    (r"\.temporal_attn\.proj\.", ".temporal_attention.output.dense."),
    (r"\.temporal_fc\.", ".temporal_dense."),
    (r"\.norm1\.", ".layernorm_before."),
    (r"\.norm2\.", ".layernorm_after."),
    (r"\.attn\.qkv\.", ".attention.attention.qkv."),
    (r"\.attn\.proj\.", ".attention.output.dense."),
    (r"\.mlp\.fc1\.", ".intermediate.dense."),
    (r"\.mlp\.fc2\.", ".output.dense."),
    (r"^(embeddings|encoder|layernorm)\.", r"timesformer.\1."),
    (r"^", "network."),
)
_CSN: Rules = (
    (r"^backbone\.conv1\.conv\.", "blocks.0.conv."),
    (r"^backbone\.conv1\.bn\.", "blocks.0.norm."),
    (r"^backbone\.layer(\d)\.", r"blocks.\1.res_blocks."),
    (r"\.downsample\.conv\.", ".branch1_conv."),
    (r"\.downsample\.bn\.", ".branch1_norm."),
    (r"\.conv2\.0\.", ".conv2."),
    *((rf"\.conv{number}\.conv\.", f".branch2.conv_{letter}.") for number, letter in ((1, "a"), (2, "b"), (3, "c"))),
    *((rf"\.conv{number}\.bn\.", f".branch2.norm_{letter}.") for number, letter in ((1, "a"), (2, "b"), (3, "c"))),
    (r"^cls_head\.fc_cls\.", "blocks.5.proj."),
)
_VIVIT: Rules = (
    (r"\.encoder\.layer\.", ".layers."),
    (r"\.attention\.attention\.(query|key|value)\.", r".attention.\1_proj."),
    (r"\.query_proj\.", ".q_proj."),
    (r"\.key_proj\.", ".k_proj."),
    (r"\.value_proj\.", ".v_proj."),
    (r"\.attention\.output\.dense\.", ".attention.o_proj."),
    (r"\.intermediate\.dense\.", ".mlp.fc1."),
    (r"\.output\.dense\.", ".mlp.fc2."),
    (r"^", "network."),
)
_VIDEOMAE: Rules = (
    (r"\.attention\.q_bias$", ".attention.query.bias"),
    (r"\.attention\.v_bias$", ".attention.value.bias"),
    (r"^", "network."),
)
_I3D: Rules = (
    (r"^(params|batch_stats)\.", ""),
    (r"\.Branch_0\.Conv3d_0a_1x1\.", ".branch_0."),
    (r"\.Branch_([12])\.Conv3d_0a_1x1\.", r".branch_\1.0."),
    (r"\.Branch_([12])\.Conv3d_0b_3x3\.", r".branch_\1.1."),
    (r"\.Branch_3\.Conv3d_0b_1x1\.", ".branch_3.1."),
    (r"\.Conv3d_0c_1x1\.", "."),
    (r"\.Conv_0\.kernel$", ".conv.weight"),
    (r"\.Conv_0\.", ".conv."),
    (r"\.BatchNorm_0\.(mean|var)$", r".norm.running_\1"),
    (r"\.BatchNorm_0\.", ".norm."),
)


def _efficientnet(depths: tuple[int, ...]) -> Rules:
    """EfficientNet's blocks are numbered through in one implementation, by stage in the other; the first one expands
    nothing, and has one convolution less."""
    places = [(stage, block) for stage, depth in enumerate(depths) for block in range(depth)]
    names = (
        ("expand_conv", "conv_pw"),
        ("bn0", "bn1"),
        ("depthwise_conv", "conv_dw"),
        ("bn1", "bn2"),
        ("project_conv", "conv_pwl"),
        ("bn2", "bn3"),
    )
    first = (("depthwise_conv", "conv_dw"), ("bn1", "bn1"), ("project_conv", "conv_pw"), ("bn2", "bn2"))
    return (
        *((rf"^_blocks\.0\._{old}\.", f"blocks.0.0.{new}.") for old, new in first),
        *(
            (rf"^_blocks\.{number}\._{old}\.", f"blocks.{stage}.{block}.{new}.")
            for number, (stage, block) in enumerate(places)
            for old, new in names
        ),
        (r"^_conv_stem\.", "conv_stem."),
        (r"^_bn0\.", "bn1."),
        (r"^_conv_head\.", "conv_head."),
        (r"^_bn1\.", "bn2."),
        (r"^_fc\.", "classifier."),
        (r"^", "network."),
    )


FORMATS = {
    "plain": Format(),
    "pytorchvideo": Format(((r"^model\.", ""),)),
    "slowfast": Format(),
    "slowfast_mvit": Format(_MVIT),
    "torchvision_mvit": Format(((r"^", "network."),)),
    "video_swin": Format(_VIDEO_SWIN),
    "timesformer": Format(_TIMESFORMER),
    "transformers": Format(((r"^", "network."),), head="network.classifier."),
    "videomae": Format(_VIDEOMAE, head="network.classifier."),
    "vivit": Format(_VIVIT, drop=r"^vivit\.pooler\.", head="network.classifier."),
    "vjepa2": Format(((r"^", "network."),), drop=r"^vjepa2\.predictor\.", head="network.classifier."),
    "mmaction_csn": Format(_CSN),
    "i3d": Format(_I3D),
    "efficientnet_lite0": Format(_efficientnet((1, 2, 2, 3, 3, 4, 1))),
    "efficientnet_lite1": Format(_efficientnet((1, 3, 3, 4, 4, 5, 1))),
    "uniformerv2": Format(order="kinetics400_uniformerv2", head="backbone.transformer.proj.2."),
    "mmaction_uniformerv2": Format(
        (
            (r"^backbone\.transformer\.norm\.", "backbone.transformer.proj.0."),
            (r"^cls_head\.fc_cls\.", "backbone.transformer.proj.2."),
        ),
        sign="cls_head.fc_cls.weight",
    ),
}
"""The formats of published checkpoints by name. A file's container is found by itself (`CONTAINERS`)."""


def read(path: Path) -> dict[str, Tensor]:
    """A file's tensors by their published names, on the CPU, in float32 if they are floats; of a shard or an index
    (*.index.json), those of all files that belong together.

    Raises `ModelError`: no such file, damaged, not a checkpoint, or with code in it that would have to be run.
    """
    found: dict[str, Tensor] = {}
    for part in shards(path):
        found |= _read(part)
    return found


def _read(path: Path) -> dict[str, Tensor]:
    """The tensors of one file."""
    try:
        found = load_file(path) if _is_safetensors(path) else _load(path)
    except FileNotFoundError:
        raise ModelError(f"The weights file {path} is missing.") from None
    except pickle.UnpicklingError as error:
        named = re.search(r"GLOBAL (\S+)", str(error))
        raise ModelError(
            f"{path.name} is refused: it holds more than tensors and plain values"
            f"{f' ({named[1]})' if named else ''}, and reading that could run code. If it is your own, save the state_dict "
            "alone: torch.save(network.state_dict(), FILE). Else get the file from its publisher."
        ) from error
    except Exception as error:  # there is no end to what torch's unpickler trips over in a damaged file
        raise ModelError(
            f"{path.name} is not a checkpoint, or damaged ({_line(error)}). Delete it, and download it again."
        ) from error
    tensors = _tensors(found)
    if not tensors:
        raise ModelError(
            f"{path.name} holds no tensors, neither bare nor under {', '.join(CONTAINERS[:4])} ... It is no checkpoint."
        )
    return {name: value.float() if value.is_floating_point() else value for name, value in tensors.items()}


def _tensors(found: Any) -> dict[str, Tensor]:
    """The tensors of what was read, which may lie in a container, and that in another."""
    if not isinstance(found, dict):
        return {}
    for key in CONTAINERS:
        if isinstance(found.get(key), dict) and (inside := _tensors(found[key])):
            return inside
    return {str(name): value for name, value in found.items() if isinstance(value, Tensor)}


def fit(spec: ModelSpec, network: nn.Module, path: Path) -> dict[str, Tensor]:
    """A file's tensors by the network's own names, in the network's shapes and the world's class order.

    The file may be in the format of any of the model's sources, or the network's own. Raises `ModelError`, which says
    what is missing, left over, or of another shape.
    """
    published, own = read(path), network.state_dict()
    wanted = {name: tuple(value.shape) for name, value in own.items() if not REBUILT.search(name)}
    formats = [FORMATS[name] for name in dict.fromkeys([*(source.format for source in spec.sources), "plain"])]
    tries = [(form, _renamed(bare, form)) for bare in _unwrapped(published) for form in formats if form.sign in (None, *bare)]
    form, tensors = min(tries, key=lambda found: len(found[1].keys() ^ wanted.keys()))
    missing, left = sorted(wanted.keys() - tensors.keys()), sorted(tensors.keys() - wanted.keys())
    if missing or left:
        raise ModelError(
            f"{path.name} doesn't hold the weights of “{spec.key}”: of {len(wanted)} tensors {len(missing)} are "
            f"missing{_some(missing)}, and {len(left)} are left over{_some(left)}. Is it another model's file?"
        )
    for key, shape in wanted.items():
        if _core(tensors[key].shape) != _core(shape):
            raise ModelError(
                f"{path.name} doesn't fit “{spec.key}”: {key} has the shape {_shape(tensors[key].shape)}, "
                f"expected {_shape(shape)}. Were other classes or another size trained?"
            )
        tensors[key] = tensors[key].reshape(shape)
    return tensors | _reordered(spec, form, tensors, path)


def load(spec: ModelSpec, network: nn.Module, path: Path) -> None:
    """Put a file's weights into the network, all of them. Raises `ModelError`."""
    tensors = fit(spec, network, path)
    own = {name: value for name, value in network.state_dict().items() if REBUILT.search(name)}
    network.load_state_dict(own | tensors, strict=True)


def _unwrapped(published: dict[str, Tensor]) -> Iterator[dict[str, Tensor]]:
    """A file's tensors by their names, but those that networks make themselves; then without what torch.compile writes into
    them; then without what they all begin with, again and again, as wrappers put a name before all others (module., model.,
    _forward_module., ...)."""
    bare = {name: value for name, value in published.items() if not REBUILT.search(name)}
    yield bare
    if any("_orig_mod." in name for name in bare):
        bare = {name.replace("_orig_mod.", ""): value for name, value in bare.items()}
        yield bare
    while len({name.partition(".")[0] for name in bare}) == 1 and all("." in name for name in bare):
        bare = {name.partition(".")[2]: value for name, value in bare.items()}
        yield bare


def _renamed(published: dict[str, Tensor], form: Format) -> dict[str, Tensor]:
    found = {}
    for name, value in published.items():
        if form.drop and re.search(form.drop, name):
            continue
        for pattern, replacement in form.rules:
            name = re.sub(pattern, replacement, name)
        found[name] = value
    return found


def _reordered(spec: ModelSpec, form: Format, tensors: dict[str, Tensor], path: Path) -> dict[str, Tensor]:
    """The classifier's rows in the world's order, if the file's is another."""
    rows = listed(form.order) if form.order else _rows(path) if form.head else ()
    if not rows:
        return {}
    actions = labels(spec.world)
    places = {_plain(label): row for row, label in enumerate(rows)}
    unknown = [label for label in actions if _plain(label) not in places]
    if unknown or len(rows) != len(actions):
        raise ModelError(
            f"The classes of {path.name} are not those of the world {spec.world}: {len(rows)} instead of "
            f"{len(actions)}, without {_some(unknown)[2:] or 'any missing'}."
        )
    order = [places[_plain(label)] for label in actions]
    return {name: value[order] for name, value in tensors.items() if name.startswith(form.head)}


def _rows(path: Path) -> tuple[str, ...]:
    """The classes that a configuration beside a hub's file names."""
    try:
        names = json.loads((path.parent / "config.json").read_text("utf-8"))["id2label"]
        return tuple(names[str(row)] for row in range(len(names)))
    except (OSError, ValueError, KeyError):
        return ()


def _plain(label: str) -> str:
    return re.sub(r"[^a-z0-9]", "", label.lower())


def _is_safetensors(path: Path) -> bool:
    if path.suffix == ".safetensors":
        return True
    with path.open("rb") as file:  # a header of JSON after its length
        return file.read(9)[8:] == b"{"


def _load(path: Path) -> Any:
    """What torch.save wrote. Its unpickler would take anything else, such as a web page, for forbidden code."""
    with path.open("rb") as file:
        if not file.read(4).startswith((b"PK\x03\x04", b"\x80")):
            raise ValueError("it begins neither as a zip nor as a pickle")
    with torch.serialization.safe_globals(HARMLESS):
        return torch.load(path, map_location="cpu", weights_only=True)


def _core(shape: tuple[int, ...]) -> list[int]:
    """A shape without sides of 1: (1, 1, 96) and (96,) hold the same."""
    return [side for side in shape if side != 1]


def _shape(shape: tuple[int, ...]) -> str:
    return "×".join(map(str, shape)) or "a single number"


def _some(names: list[str]) -> str:
    return f": {', '.join(names[:3])}{' …' if len(names) > 3 else ''}" if names else ""


def _line(error: Exception) -> str:
    text = str(error).strip().splitlines()
    return text[0][:160] if text else type(error).__name__
