"""Which clips a model takes, and how far priming reaches into it."""

from __future__ import annotations

from ..config import SynthesisConfig
from ..errors import ConfigError
from .spec import ModelSpec

Shape = tuple[int, int, int]
"""(T, H, W)."""


def clip_shape(config: SynthesisConfig, spec: ModelSpec) -> Shape:
    """(T, H, W) of the run's clip. Raises `ConfigError` where the model can't take it."""
    frames, size = config.frames or spec.frames, config.size or spec.size
    for name, value, own in (("frames", frames, spec.frames), ("size", size, spec.size)):
        if name in spec.fixed and value != own:
            raise ConfigError(f"“{name}” is {value}; “{spec.key}” takes {own} only: its weights were made for that.")
    if frames < spec.fewest or frames % spec.tubelet:
        multiples = f"multiples of {spec.tubelet}, " if spec.tubelet > 1 else ""
        raise ConfigError(
            f"“frames” is {frames}; “{spec.key}” needs {multiples}{spec.fewest} or more (its own: {spec.frames})."
        )
    if size != spec.size and (size < 2 * spec.size_step or size % spec.size_step):
        raise ConfigError(
            f"“size” is {size}; “{spec.key}” takes multiples of {spec.size_step} from {2 * spec.size_step} on "
            f"(its own: {spec.size})."
        )
    return frames, size, size


def growth(shape: Shape, spec: ModelSpec, sizes: int) -> list[Shape]:
    """The shapes that a clip grows through up to (T, H, W), in equal steps: with two sizes, about half and whole; with three,
    3/7, 5/7 and whole; with k, (2j + k − 2) / (3k − 2) of the size for j = 1 … k. Each as the model can take it; fewer where
    two would be the same."""
    if "size" in spec.fixed:
        return [shape]
    shares = ((2 * j + sizes - 2) / (3 * sizes - 2) for j in range(1, sizes))
    rounded = (max(2, round(share * shape[1] / spec.size_step)) * spec.size_step for share in shares)
    return [*((shape[0], size, size) for size in dict.fromkeys(rounded) if size < shape[1]), shape]


def primed_taps(taps: int, share: int) -> int:
    """How many of so many taps are primed at a share in percent: ⌊share · L / 100⌋."""
    return share * taps // 100


def layer_weights(taps: int, lambda_1: float, lambda_L: float, share: int = 100) -> list[float]:
    """λ_l for the first ⌊share · L / 100⌋ of L taps: from λ_1 at the first tap in equal steps to λ_L at the last of *all*.

    A shortened list keeps its λ_l. `share` in percent.
    """
    slope = (lambda_L - lambda_1) / (taps - 1) if taps > 1 else 0.0
    return [lambda_1 + slope * index for index in range(primed_taps(taps, share))]
