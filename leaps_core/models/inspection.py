"""What a model is made of: its taps, their shapes, how far priming reaches, and which other modules could be tapped."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from ..config import FIELDS, SynthesisConfig
from ..errors import ModelError
from .adapter import PROBABILITIES, VideoModel, first, is_batch_norm
from .presets import untried
from .registry import labels, network
from .shapes import Shape, clip_shape, layer_weights, primed_taps
from .spec import ModelSpec

Shapes = dict[str, tuple[int, ...]]
"""Of what the modules give that are called, in the order in which they end; () for what is no tensor."""


@dataclass(frozen=True)
class Tap:
    """One tapped layer: its output's shape, its channels and timesteps, and its priming weight λ_l."""

    name: str
    shape: tuple[int, ...]
    channels: int
    timesteps: int
    weight: float


@dataclass(frozen=True)
class Inspection:
    """`taps` in execution order. `embedding`: channels of the embedding layer, 0 where there is none. `modules`: how many
    are called, 0 for a network that doesn't show them. `notices`: what a person should know."""

    clip: Shape
    parameters: int
    taps: tuple[Tap, ...]
    embedding: int
    batch_norms: int
    modules: int
    notices: tuple[str, ...]

    def primed(self, share: int) -> int:
        """How many taps are primed at a share in percent: ⌊share · L / 100⌋."""
        return primed_taps(len(self.taps), share)


def inspect(spec: ModelSpec, frames: int = 0, size: int = 0) -> Inspection:
    """What the taps of a model give for a clip of so many frames of this size (0: its own), without computing any values:
    it takes neither weights nor time, but for an exported network, which is run. Raises `ConfigError` for a clip that the
    model can't take, `ModelError` for taps that aren't called or don't have the record's layout."""
    clip, model, shapes, probabilities = _run(spec, frames, size)
    model.check_called(shapes)
    names = [name for name in shapes if name in model.taps]
    weights = layer_weights(len(names), FIELDS["lambda_1"].default, FIELDS["lambda_L"].default)
    return Inspection(
        clip,
        sum(weight.numel() for weight in model.parameters()),
        tuple(
            Tap(name, shapes[name], *_grid(model, name, shapes[name], clip), weight)
            for name, weight in zip(names, weights, strict=True)
        ),
        _grid(model, spec.embedding_layer, shapes[spec.embedding_layer], clip)[0] if spec.embedding_layer else 0,
        sum(map(is_batch_norm, model.modules())),
        len(shapes),
        tuple(filter(None, (spec.caution, PROBABILITIES.format(spec.key) if probabilities else "", untried(spec)))),
    )


def layers(spec: ModelSpec, frames: int = 0, size: int = 0) -> Shapes:
    """All modules that are called, whatever the record says of taps: their names, and the shapes of what they give. Empty
    for a network that doesn't show its modules."""
    return _run(replace(spec, taps="", embedding_layer=""), frames, size)[2]


class _Softmax(TorchDispatchMode):
    """Keeps what the latest softmax or sigmoid gave, whoever called it; on "meta", where there are no values to tell it by."""

    given: Any = None

    def __torch_dispatch__(self, operation: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = operation(*args, **(kwargs or {}))
        cast = operation is torch.ops.aten._to_copy.default and args[0] is self.given
        if cast or operation in (torch.ops.aten._softmax.default, torch.ops.aten.sigmoid.default):
            self.given = result
        return result


def _run(spec: ModelSpec, frames: int, size: int) -> tuple[Shape, VideoModel, Shapes, bool]:
    """One pass, on the device "meta" if the network can be built there: the clip's shape, the model, its modules' shapes, and
    whether its last step was a softmax."""
    config = SynthesisConfig(model=spec.key, action=labels(spec.world)[0], frames=frames, size=size)
    clip = clip_shape(config, spec)
    try:
        with torch.device("meta"):
            built = network(spec.key)
    except ModelError:  # some builders look at values, which are nowhere on "meta"
        built = network(spec.key)
    device = next((weight.device for weight in built.parameters()), torch.device("meta"))
    model = VideoModel(replace(spec, weights=None), built).to(device)
    shapes: Shapes = {}

    def note(name: str, module: torch.nn.Module, inputs: object, output: object) -> None:
        value = first(output)
        shapes.pop(name, None)
        shapes[name] = tuple(value.shape) if isinstance(value, torch.Tensor) else ()

    for name, module in built.named_modules():
        if name and not isinstance(module, torch.jit.ScriptModule):  # those take no hooks
            module.register_forward_hook(partial(note, name))
    with torch.no_grad(), device, _Softmax() as softmax:
        logits = model(torch.zeros(1, 3, *clip))
    return clip, model, shapes, logits is softmax.given


def _grid(model: VideoModel, name: str, shape: tuple[int, ...], clip: Shape) -> tuple[int, int]:
    """A tap's channels and timesteps."""
    channels, timesteps = model.grid(name, torch.empty(shape, device="meta") if shape else None, clip[0]).shape[1:3]
    return channels, timesteps
