"""What a run will take: time and memory, from the models' records and what earlier runs took."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from ..config import SynthesisConfig
from ..models import Cast, ModelSpec
from ..models.shapes import Shape, growth
from .pace import pace
from .schedule import snapshot_steps, spread

GMAC_MS = 50.0
"""Milliseconds that a billion multiply-adds of a forward pass take with its backward pass, on two cores: a rough figure."""
IDLE = 5e8
"""Bytes of a process that has loaded PyTorch and nothing else."""
VIEW_MS = 25.0
"""Milliseconds of what a step does besides at 16×112²: canvas, view and optimiser."""
OBSERVED = 1.25
"""How much longer all of it takes within a run, where every layer is looked at, than alone; of the bundled demos' times."""
FIXED = 28.0
"""What doesn't shrink with the clip is so much of a step as this is of the model's side, in pixels, and a quarter at most:
measured on the bundled networks (112²) and on I3D (an eighth at 224²)."""


@dataclass(frozen=True)
class Estimate:
    """What a run will take: seconds in all, steps per second, and bytes of memory."""

    seconds: float
    steps_per_second: float
    memory: float


def estimate(config: SynthesisConfig, cast: Cast, shape: Shape) -> Estimate:
    """What a run will take: what is reckoned from the models' records, at the pace of this machine."""
    reckoned = reckon(config, cast, shape)
    seconds = reckoned.seconds * pace(config)
    return replace(reckoned, seconds=seconds, steps_per_second=config.steps / seconds)


def reckon(config: SynthesisConfig, cast: Cast, shape: Shape) -> Estimate:
    """What a run would take where the models' records were measured.

    The step times were measured on two cores; that of a model without one is taken to be proportional to its multiply-adds.
    At other sizes, all but a share of it (`FIXED`) scales with the pixel count.
    """
    t, h, w = shape
    verified = len(spread(t, config.frames_verified, 0))
    seen = {spec: verified if spec == cast.frame_verifier else t for spec in cast.optimised}
    often = {cast.verifier: 1 / config.verify_every} | {cast.model: 1.0}  # a model that verifies itself looks at each step
    pixel = sum(
        often.get(spec, 1.0) * _pass_ms(spec) * frames / t / (spec.frames * spec.size**2) for spec, frames in seen.items()
    )
    pixel = OBSERVED * config.views * (pixel + VIEW_MS / (16 * 112**2))  # ms, of a step at the full size
    fixed = min(0.25, FIXED / cast.model.size)
    own = fixed * cast.model.frames * cast.model.size**2
    pixels = sum(steps * (own + (1 - fixed) * math.prod(size)) for steps, size in stages(config, cast.model, shape))
    looks = len(snapshot_steps(config.steps)) * _pass_ms(cast.judge) / 3 if cast.judge else 0.0  # they have no backward pass
    seconds = (pixels * pixel + looks) / 1e3
    memory = IDLE + sum(config.views * _activations(spec, n * h * w) + 4.0 * (spec.params or 0) for spec, n in seen.items())
    return Estimate(seconds, config.steps / seconds, memory)


def stages(config: SynthesisConfig, spec: ModelSpec, shape: Shape) -> list[tuple[int, Shape]]:
    """How many steps are made at which (T, H, W), from coarse to fine. The coarse steps are shared out equally among the
    smaller sizes."""
    *small, whole = growth(shape, spec, config.sizes)
    # a stimulus to begin at would lose what is fine of it in a smaller clip
    coarse = round(config.coarse * config.steps) if small and config.begin_at == "noise" else 0
    shared = [coarse // len(small) + (i < coarse % len(small)) for i in range(len(small))]
    return [*((steps, size) for steps, size in zip(shared, small, strict=True) if steps), (config.steps - coarse, whole)]


def _pass_ms(spec: ModelSpec) -> float:
    """Milliseconds of a forward and backward pass of one clip at the model's own size, on two cores."""
    return spec.step_ms or (spec.gmacs or 20.0) * GMAC_MS


def _activations(spec: ModelSpec, pixels: int) -> float:
    """Bytes that a forward pass of so many pixels keeps for its backward pass."""
    if spec.memory is None:
        return 4.5e8 * pixels / (16 * 112**2)
    return max(0.0, spec.memory * 2**30 - IDLE - 4.0 * (spec.params or 0)) * pixels / (spec.frames * spec.size**2)
