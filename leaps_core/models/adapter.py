"""`VideoModel`: any network with its record, taking clips in [0, 1] and giving logits, and all that the loss needs
from one forward pass."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from .. import video
from ..errors import LeapsError, ModelError
from .spec import ModelSpec

BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)


@dataclass
class Observation:
    """What one forward pass shows of a batch of clips.

    `features`: per tap, its mean over space and time, (B, C_l). `temporal`: the last tap that still has a time axis,
    averaged over space, (B, C, T'). `statistics`: per batch-norm layer in execution order, mean and biased variance
    (B, C) of its input. `embedding`: (B, D).
    """

    logits: Tensor
    features: list[Tensor] = field(default_factory=list)
    temporal: Tensor | None = None
    statistics: list[tuple[Tensor, Tensor]] = field(default_factory=list)
    running: list[tuple[Tensor, Tensor]] = field(default_factory=list)
    embedding: Tensor | None = None


class VideoModel(nn.Module):
    """A frozen network that takes clips (B, 3, T, H, W), RGB in [0, 1], normalises them, and gives logits (B, K)."""

    mean: Tensor
    std: Tensor

    def __init__(self, spec: ModelSpec, network: nn.Module) -> None:
        """Load `spec.weights` into the network, if given. Raises `ModelError` for weights that don't fit, or taps
        that don't exist."""
        super().__init__()
        self.spec, self.network = spec, network
        self.register_buffer("mean", torch.tensor(spec.mean).view(1, 3, 1, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(spec.std).view(1, 3, 1, 1, 1), persistent=False)
        if spec.weights is not None:
            _load_weights(spec, network)
        self.requires_grad_(False).eval()
        self.taps = [name for name, _ in network.named_modules() if re.fullmatch(spec.taps, name)]
        if not self.taps:
            raise ModelError(f"“{spec.key}”: no module's name matches the taps {spec.taps!r}.")
        if spec.embedding_layer not in dict(network.named_modules()):
            raise ModelError(f"“{spec.key}”: there is no layer {spec.embedding_layer!r} for embeddings.")

    def forward(self, clip: Tensor) -> Tensor:
        """Logits (B, K) of clips (B, 3, T, H, W) in [0, 1]."""
        return self.network(self.normalise(clip))

    def normalise(self, clip: Tensor) -> Tensor:
        """(clip − mean) / std, per channel."""
        return (clip - self.mean) / self.std

    def fit(self, clip: Tensor) -> Tensor:
        """The clip resized to the network's own length and size."""
        return video.resize(clip, (self.spec.frames, self.spec.size, self.spec.size))

    def fork(self) -> VideoModel:
        """A copy with modules (and hooks) of its own that shares all tensors."""
        shared = {id(tensor): tensor for tensor in (*self.parameters(), *self.buffers())}
        return copy.deepcopy(self, shared)

    def observe(self, clip: Tensor, *, features: bool = True, statistics: bool = False) -> Observation:
        """One forward pass, and what it shows; hooks live only as long as the pass."""
        t = clip.shape[2]
        with self._watch(features, statistics) as (taps, norms):
            logits = self(clip)
        seen = Observation(logits)
        for layer, value in norms:
            axes = tuple(range(2, value.ndim))
            seen.statistics.append((value.mean(axes), value.var(axes, unbiased=False)))
            seen.running.append((layer.running_mean, layer.running_var))
        for name, value in taps.items():
            grid = self._grid(value, t)  # (B, C, T', places)
            if name in self.taps:
                seen.features.append(grid.mean((2, 3)))
                if grid.shape[2] > 1:
                    seen.temporal = grid.mean(3)
            if name == self.spec.embedding_layer:
                seen.embedding = grid.mean((2, 3))
        return seen

    def _grid(self, value: Tensor, t: int) -> Tensor:
        """A tap's output as (B, C, T', places), whatever its layout; class tokens are left out."""
        if self.spec.layout == "channels_first":
            return value.flatten(3)
        tokens, t = value[:, 1:], t // self.spec.tubelet
        if self.spec.layout == "space_major":
            return tokens.unflatten(1, (-1, t)).permute(0, 3, 2, 1)
        return tokens.unflatten(1, (t, -1)).permute(0, 3, 1, 2)

    @contextmanager
    def _watch(self, features: bool, statistics: bool) -> Iterator[tuple[dict[str, Tensor], list[tuple[Any, Tensor]]]]:
        """Collect outputs of taps by name, and inputs of batch-norm layers in execution order. A tap that runs twice
        counts once, with its last output."""
        taps: dict[str, Tensor] = {}
        norms: list[tuple[Any, Tensor]] = []
        handles = []
        wanted = {*self.taps, self.spec.embedding_layer} if features else set()
        try:
            for name, module in self.network.named_modules():
                if name in wanted:
                    handles.append(module.register_forward_hook(_keep(taps, name)))
                if statistics and isinstance(module, BATCH_NORMS):
                    handles.append(module.register_forward_pre_hook(lambda layer, args: norms.append((layer, args[0]))))
            yield taps, norms
        finally:
            for handle in handles:
                handle.remove()


def pick_device(name: str) -> torch.device:
    """cuda, then mps, then cpu for "auto". Raises `LeapsError` for a device that isn't there."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu")
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not there[name]:
        raise LeapsError(f"This machine has no {name} device. Use device=auto or device=cpu.")
    return torch.device(name)


def _keep(taps: dict[str, Tensor], name: str):  # type: ignore[no-untyped-def]
    def hook(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor | tuple[Tensor, ...]) -> None:
        taps.pop(name, None)
        taps[name] = output[0] if isinstance(output, tuple) else output

    return hook


def _load_weights(spec: ModelSpec, network: nn.Module) -> None:
    assert spec.weights is not None
    try:
        network.load_state_dict({name: value.float() if value.is_floating_point() else value
                                 for name, value in load_file(spec.weights).items()}, strict=True)
    except FileNotFoundError:
        raise ModelError(f"“{spec.key}”: its weights {spec.weights.name} are missing.") from None
    except (RuntimeError, SafetensorError, OSError) as error:
        raise ModelError(f"“{spec.key}”: {spec.weights.name} doesn't hold its weights: {str(error).splitlines()[0]}") from error
