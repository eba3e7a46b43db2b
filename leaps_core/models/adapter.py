"""`VideoModel`: any network with its record, taking clips in [0, 1] and giving logits, and all that the loss needs
from one forward pass."""

from __future__ import annotations

import copy
import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from .. import video
from ..errors import LeapsError, ModelError
from ..paths import PROGRAM
from . import checkpoints
from .moments import Moments, OverPlaces
from .registry import labels
from .spec import ModelSpec


def is_batch_norm(module: nn.Module) -> bool:
    """Whether it keeps a running mean and variance of what goes into it, whatever its class, and shows what does: TorchScript
    doesn't."""
    return not isinstance(module, torch.jit.ScriptModule) and all(
        isinstance(getattr(module, f"running_{name}", None), Tensor) for name in ("mean", "var")
    )


PROBABILITIES = (
    "“{}” gives probabilities, not logits: its last step is a softmax or sigmoid. Leave it out: it hides how sure the model is."
)
"""What a person should know of such a network; {} is its key."""


NEARLY_ONE = {"float32": 1e-3, "bfloat16": 1e-2}
"""How far the sum of a softmax's numbers may be from 1, by their format."""


def are_probabilities(outputs: Tensor, precision: str = "float32") -> bool:
    """Whether numbers (B, K) are what a softmax gives that computes so: none below 0, each row summing to 1."""
    apart = (outputs.sum(1) - 1).abs()
    return outputs.shape[1] > 1 and bool((outputs >= 0).all() and (apart < NEARLY_ONE[precision]).all())


@dataclass
class Observation:
    """What one forward pass shows of a batch of clips.

    `features`: per tap, its mean over space and time, (B, C_l). `temporal`: the last tap that still has a time axis,
    averaged over space, (B, C, T'). `statistics`: per batch-norm layer in execution order, mean and biased variance
    (B, C) of its input (over all frames, where the network looks at each by itself). `embedding`: (B, D).
    """

    logits: Tensor
    features: list[Tensor] = field(default_factory=list)
    temporal: Tensor | None = None
    statistics: list[tuple[Tensor, Tensor]] = field(default_factory=list)
    running: list[tuple[Tensor, Tensor]] = field(default_factory=list)
    embedding: Tensor | None = None

    def split(self, many: Sequence[int]) -> list[Observation]:
        """The same for so many clips of the batch each, one after the other."""
        if len(many) == 1:
            return [self]
        ends = list(accumulate(many))
        return [self._some(slice(end - count, end)) for count, end in zip(many, ends, strict=True)]

    def _some(self, which: slice) -> Observation:
        return Observation(
            self.logits[which],
            [feature[which] for feature in self.features],
            None if self.temporal is None else self.temporal[which],
            [(mean[which], variance[which]) for mean, variance in self.statistics],
            self.running,
            None if self.embedding is None else self.embedding[which],
        )


class VideoModel(nn.Module):
    """A frozen network that takes clips (B, 3, T, H, W), RGB in [0, 1], normalises them, and gives logits (B, K)."""

    mean: Tensor
    std: Tensor
    precision = "float32"
    channels_last = False

    def __init__(self, spec: ModelSpec, network: nn.Module, weights: Path | None = None) -> None:
        """Load `weights` (None: `spec.weights`) into the network, if given. Raises `ModelError` for weights that don't
        fit, or taps that don't exist."""
        super().__init__()
        self.spec, self.network = spec, network
        self.register_buffer("mean", torch.tensor(spec.mean).view(1, 3, 1, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(spec.std).view(1, 3, 1, 1, 1), persistent=False)
        if path := weights or spec.weights:
            checkpoints.load(spec, network, path)
        self.requires_grad_(False).eval()
        self.taps = [name for name, _ in network.named_modules() if name and re.fullmatch(spec.taps, name)]
        if not self.taps and spec.taps:
            raise ModelError(f"“{spec.key}”: no module's name matches the taps {spec.taps!r}.")
        if spec.embedding_layer and spec.embedding_layer not in dict(network.named_modules()):
            raise ModelError(f"“{spec.key}”: there is no layer {spec.embedding_layer!r} for embeddings.")

    def forward(self, clip: Tensor) -> Tensor:
        """Logits (B, K), float, of clips (B, 3, T, H, W) in [0, 1]. Raises `ModelError` where the network can't take them, or
        gives something else."""
        key, k = self.spec.key, len(labels(self.spec.world))
        try:
            seen = self.normalise(clip)
            if self.channels_last:
                seen = seen.contiguous(memory_format=torch.channels_last_3d)
            with torch.autocast(seen.device.type, torch.bfloat16) if self.rounded else nullcontext():
                logits = self.network(seen)
        except (LeapsError, torch.OutOfMemoryError):
            raise
        except Exception as error:  # it may be anybody's network
            reason = " ".join(str(error).split())
            raise ModelError(
                f"“{key}” can't take a clip of {described(clip)} (B, 3, T, H, W): {type(error).__name__}: {reason[:200]}"
            ) from error
        if isinstance(logits, Tensor) and logits.shape == (len(clip), k):
            return logits.float()
        raise ModelError(
            f"“{key}” gives {described(logits)} for {len(clip)} clips; expected logits (B, K) of {len(clip)}×{k}: a number for "
            f"each label of the world “{self.spec.world}”."
        )

    @property
    def rounded(self) -> bool:
        """Whether it computes in bfloat16."""
        return self.precision == "bfloat16"

    @property
    def shows_statistics(self) -> bool:
        """Whether it has a batch norm that can be watched, whatever its record says."""
        return any(map(is_batch_norm, self.network.modules()))

    def normalise(self, clip: Tensor) -> Tensor:
        """(clip − mean) / std, per channel."""
        return (clip - self.mean) / self.std

    def fit(self, clip: Tensor) -> Tensor:
        """The clip resized to the network's own length and size; a network of frames takes any length."""
        frames = clip.shape[2] if self.spec.of_frames else self.spec.frames
        return video.resize(clip, (frames, self.spec.size, self.spec.size))

    def fork(self) -> VideoModel:
        """A copy with modules (and hooks) of its own that shares all numbers. Its weights are frozen, whatever was done to the
        original's: weights that collect gradients would slow every later run down."""
        shared: dict[int, Any] = {id(buffer): buffer for buffer in self.buffers()}
        shared |= {id(weight): nn.Parameter(weight.data, requires_grad=False) for weight in self.parameters()}
        return copy.deepcopy(self, shared)

    def observe(self, clip: Tensor, *, features: bool = True, statistics: bool = False) -> Observation:
        """One forward pass, and what it shows; hooks live only as long as the pass.

        Raises `ModelError` if the pass doesn't run a tapped module.
        """
        # a block that runs again has to do just what it did before, but by then nobody takes statistics any more
        lean = nullcontext() if statistics else self._recomputed()
        with self._watch(clip.shape[2], features, statistics) as (taps, norms), lean:
            logits = self(clip)
        seen = Observation(logits)
        seen.statistics = unfolded(norms)
        seen.running = [(layer.running_mean, layer.running_var) for layer in norms]
        for name, (mean, temporal) in taps.items():
            if name in self.taps:
                seen.features.append(mean)
                seen.temporal = temporal if temporal.shape[2] > 1 else seen.temporal
            if name == self.spec.embedding_layer:
                seen.embedding = mean
        if features:
            self.check_called(taps)
        return seen

    def check_called(self, called: Collection[str]) -> None:
        """Raises `ModelError` if a tapped module is not among those that a pass called."""
        if silent := self.watched.difference(called):
            raise ModelError(
                f"“{self.spec.key}” never runs its module {min(silent)!r}, so it can't be a tap or give "
                "embeddings. Choose a module that is called (some are only read for their weights): "
                f"`{PROGRAM} inspect {self.spec.key} --all` lists them."
            )

    @torch.no_grad()
    def embed(self, clips: Tensor) -> np.ndarray:
        """What the network sees in clips (B, 3, T, H, W) in [0, 1]: their embeddings, float32 (B, D). Raises `ModelError`
        for a network that doesn't show its layers."""
        try:
            embedding = self.observe(clips.to(self.mean.device)).embedding
        except ModelError:
            if len(clips) == 1:
                raise
            return np.concatenate([self.embed(clip[None]) for clip in clips])  # it may take one at a time only
        if embedding is None:
            raise ModelError(f"“{self.spec.key}” has no layer for embeddings. Give its record an embedding_layer.")
        return embedding.float().cpu().numpy()

    @property
    def watched(self) -> set[str]:
        """The modules whose outputs are looked at: taps, and the one that gives embeddings."""
        return {*self.taps, self.spec.embedding_layer} - {""}

    def grid(self, name: str, value: Any, t: int) -> Tensor:
        """What the module `name` gives for a clip of t frames as (B, C, T', places). Raises `ModelError` where it doesn't have
        the record's layout."""
        try:
            grid = self._grid(value, t)
            assert grid.ndim == 4
        except (AssertionError, AttributeError, IndexError, RuntimeError) as error:
            raise ModelError(
                f"“{self.spec.key}”: its module {name!r} gives {described(value)}, which is not the layout {self.spec.layout}. "
                f"Choose another layout, or other taps: `{PROGRAM} inspect {self.spec.key} --all` lists all modules."
            ) from error
        return grid

    def _grid(self, value: Tensor, t: int) -> Tensor:
        """A tap's output as (B, C, T', places), whatever its layout; class tokens are left out."""
        layout, t = self.spec.layout, t // self.spec.tubelet
        if layout == "channels_last":
            return value.flatten(2, 3).permute(0, 3, 1, 2)
        if value.ndim == 5:  # a convolution, which the stems of token models may be
            return value.flatten(3)
        tokens = value[:, 1:] if self.spec.class_token else value
        if layout == "frames":
            return tokens.unflatten(0, (-1, t)).permute(0, 3, 1, 2)
        if layout == "windows":
            windows = (self.spec.size // self.spec.size_step) ** 2
            return tokens.unflatten(1, (-1, t, windows)).permute(0, 4, 2, 1, 3).flatten(3)
        if layout == "space_major":
            return tokens.unflatten(1, (-1, t)).permute(0, 3, 2, 1)
        return tokens.unflatten(1, (t, -1)).permute(0, 3, 1, 2)

    @contextmanager
    def _watch(
        self, t: int, features: bool, statistics: bool
    ) -> Iterator[tuple[dict[str, tuple[Tensor, Tensor]], dict[Any, tuple[Tensor, Tensor]]]]:
        """Collect, by tap, its output's mean over space and time and over space only; and by batch-norm layer its
        input's mean and variance; both in execution order. They are taken at once, because a later in-place operation may
        overwrite what a layer gave. A layer that runs twice counts once, with its last run."""
        taps: dict[str, tuple[Tensor, Tensor]] = {}
        norms: dict[Any, tuple[Tensor, Tensor]] = {}

        def see(name: str, module: nn.Module, inputs: Any, output: Any) -> None:
            grid = self.grid(name, first(output), t)
            taps.pop(name, None)
            temporal = OverPlaces.apply(grid)
            taps[name] = temporal.mean(2), temporal

        def measure(layer: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...] | None:
            norms.pop(layer, None)
            z = inputs[0].unflatten(0, (-1, t)).movedim(2, 1) if self.spec.of_frames else inputs[0]
            norms[layer] = Moments.apply(z)
            # one that is folded hands on what it got, which the next layer may overwrite, and Moments needs later
            return (inputs[0].clone(),) if is_folded(layer) else None

        handles = []
        wanted = self.watched if features else set()
        try:
            for name, module in self.network.named_modules():
                if name in wanted:
                    handles.append(module.register_forward_hook(partial(see, name)))
                if statistics and is_batch_norm(module):
                    handles.append(module.register_forward_pre_hook(measure))
            yield taps, norms
        finally:
            for handle in handles:
                handle.remove()

    @contextmanager
    def _recomputed(self) -> Iterator[None]:
        """Where the record asks for it, keep nothing of a tapped block but its input and output, and run it again in
        the backward pass: less memory, a third more time, the same gradient."""
        blocks = [self.network.get_submodule(name) for name in self.taps[1:]] if self.spec.recompute else []
        try:
            for block in blocks:
                block.forward = partial(checkpoint, block.forward, use_reentrant=False)  # type: ignore[method-assign]
            yield
        finally:
            for block in blocks:
                block.__dict__.pop("forward", None)


def unfolded(seen: dict[Any, tuple[Tensor, Tensor]]) -> list[tuple[Tensor, Tensor]]:
    """Mean and variance (B, C) of what goes into each batch norm, of those of what is handed to it; all at once."""
    if not any(map(is_folded, seen)):
        return list(seen.values())
    means, variances = (torch.cat(part, 1) for part in zip(*seen.values(), strict=True))
    sizes = [(layer, len(layer.running_mean)) for layer in seen]
    many = [c for _, c in sizes]
    shift, scale = (
        torch.cat([getattr(one, f"folded_{name}") if is_folded(one) else means.new_full((c,), plain) for one, c in sizes])
        for name, plain in (("shift", 0.0), ("scale", 1.0))
    )
    return list(zip(((means - shift) / scale).split(many, 1), (variances / scale.square()).split(many, 1), strict=True))


def is_folded(norm: nn.Module) -> bool:
    """Whether the convolution before it does what this batch norm did."""
    return hasattr(norm, "folded_scale")


def first(output: Any) -> Any:
    """What a module gives; of several things, the first."""
    return output[0] if isinstance(output, tuple | list) else output


def described(value: Any) -> str:
    """A tensor's shape, or what else it is."""
    return "×".join(map(str, value.shape)) or "a single number" if isinstance(value, Tensor) else f"a {type(value).__name__}"
