"""What a model is made of: its taps, their shapes, and how far priming reaches."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from ..config import FIELDS, SynthesisConfig
from ..objective import layer_weights
from .adapter import BATCH_NORMS, VideoModel
from .spec import ModelSpec


@dataclass(frozen=True)
class Tap:
    """One tapped layer: its output's shape, its channels and moments (places in time), and its priming weight λ_l."""

    name: str
    shape: tuple[int, ...]
    channels: int
    moments: int
    weight: float


@dataclass(frozen=True)
class Inspection:
    """`clip`: (T, H, W). `taps` in execution order. `embedding`: channels of the embedding layer."""

    clip: tuple[int, int, int]
    parameters: int
    taps: tuple[Tap, ...]
    embedding: int
    batch_norms: int

    def primed(self, share: int) -> int:
        """How many taps are primed at a share in percent: ⌊share · L / 100⌋."""
        return share * len(self.taps) // 100


def inspect(spec: ModelSpec, frames: int = 0, size: int = 0) -> Inspection:
    """What the taps of a model give for a clip of so many frames of this size (0: its own), without computing any values:
    it takes neither weights nor time. Raises `ConfigError` for a clip that the model can't take."""
    from ..synthesis import clip_shape
    from . import labels, network

    config = SynthesisConfig(model=spec.key, action=labels(spec.world)[0], frames=frames, size=size)
    clip = clip_shape(config, spec)
    with torch.device("meta"):
        model = VideoModel(replace(spec, weights=None), network(spec.key))
    shapes: dict[str, tuple[int, ...]] = {}
    seen: dict[str, tuple[int, int]] = {}
    for name in {*model.taps, spec.embedding_layer}:
        def note(module: torch.nn.Module, inputs: object, output: object, name: str = name) -> None:
            value = output[0] if isinstance(output, tuple) else output
            assert isinstance(value, torch.Tensor)
            shapes.pop(name, None)
            shapes[name] = tuple(value.shape)
            seen[name] = tuple(model._grid(value, clip[0]).shape[1:3])  # type: ignore[assignment]

        model.network.get_submodule(name).register_forward_hook(note)
    with torch.no_grad(), torch.device("meta"):
        model(torch.zeros(1, 3, *clip))
    names = [name for name in shapes if name in model.taps]
    weights = layer_weights(len(names), FIELDS["lambda_1"].default, FIELDS["lambda_L"].default)
    return Inspection(
        clip, sum(weight.numel() for weight in model.parameters()),
        tuple(Tap(name, shapes[name], *seen[name], weight) for name, weight in zip(names, weights)),
        seen[spec.embedding_layer][0], sum(isinstance(module, BATCH_NORMS) for module in model.modules()))
