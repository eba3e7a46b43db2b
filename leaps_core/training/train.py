"""Train the bundled models on the puppet world: `python -m leaps_core.training.train [KEY ...]`.

Robust training is what makes inversions readable: each batch is seen with Gaussian noise, colour, blur and shifts, and, in
stages with an adversary, once more moved up the gradient of its loss (one or two normalised steps in an L2 ball; Engstrom
et al. 2019).
Everything follows from the network's seed. Weights go to assets/models as safetensors, with what was measured of
the training in the file's metadata.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from .. import paths
from ..errors import exit_code
from ..models import bundled
from ..models.spec import MEAN as CHANNEL_MEANS
from ..models.spec import STD as CHANNEL_STDS
from . import data
from .recipes import RECIPES, Recipe

MEAN, STD = CHANNEL_MEANS[0], CHANNEL_STDS[0]  # the same for each channel


@dataclass(frozen=True)
class TrainingStage:
    """A stretch of training: clips of `frames` × `size`², `count` of them in all, each with an adversarial twin of
    `attack` steps (0: without), under noise of a strength in [0, 1]."""

    frames: int
    size: int
    count: int
    attack: int
    noise: float = 1.0


def stages(recipe: Recipe, phase: int, scale: float) -> list[TrainingStage]:
    """The schedule of a phase (1, 2, ...); a share of it where `scale` < 1, neither noise nor adversary for clean twins."""
    robust = bundled.RECORDS[recipe.key].robust
    return [
        TrainingStage(frames, size, max(32, round(count * scale)), attack * robust, noise * robust)
        for frames, size, count, attack, noise in recipe.phases[phase - 1]
    ]


def train(
    recipe: Recipe, folder: Path, scale: float = 1.0, view: str = "clip", done: int = 0, weights: Path | None = None
) -> tuple[nn.Module, dict[str, str]]:
    """Train one network and measure it on held-out seeds.

    `view` is what the network sees of each clip: "clip", "frame" (one random frame, repeated) or "shuffled"
    (frames in random order); the latter two show how much of the world is motion.
    `done` phases are taken from the file `weights`, or from `partial(weights)` where a training was broken off: that
    one is written after each phase.
    Returns the network in eval mode and what was measured, for the weights' metadata.
    """
    torch.manual_seed(recipe.seed)
    record = bundled.RECORDS[recipe.key]
    network = bundled.BUILDERS[recipe.key]().apply(_reset)
    if record.batch_norm:
        network = network.to(memory_format=torch.channels_last_3d)
    if weights is not None and done:
        network.load_state_dict(load_file(partial(weights) if partial(weights).exists() else weights))
    for phase in range(done + 1, len(recipe.phases) + 1):
        _phase(network, recipe, phase, folder, scale, view)
        if weights is not None:
            save(network, partial(weights), {})
    _settle(network, folder, scale, view)
    measured = {
        "accuracy": evaluate(network, folder, scale, view),
        "step_ms": round(step_time(network), 1),
        "params": sum(weight.numel() for weight in network.parameters()),
        "seed": recipe.seed,
        "robust": record.robust,
    }
    print(f"{recipe.key} view={view}: {measured}", flush=True)
    return network, {name: str(value) for name, value in measured.items()}


def partial(weights: Path) -> Path:
    """Where an unfinished training is kept; the registry only looks for the weights themselves."""
    return weights.with_suffix(".partial")


def save(network: nn.Module, path: Path, measured: dict[str, str]) -> None:
    """Write weights as safetensors, with what was measured in the file's metadata."""
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: value.contiguous() for name, value in network.state_dict().items()}, path, metadata=measured)


def _reset(module: nn.Module) -> None:
    """PyTorch's own first weights. Those of the builders (branches that start at zero, heads close to it) suit long
    schedules; with them, a network of this size had learned less from 9,600 clips than without them from 4,800
    (docs/models.md)."""
    if isinstance(module, nn.Linear | nn.Conv3d | nn.BatchNorm3d | nn.LayerNorm | nn.GroupNorm):
        module.reset_parameters()


def _phase(network: nn.Module, recipe: Recipe, phase: int, folder: Path, scale: float, view: str) -> None:
    """One cycle of the learning rate over the stages of a phase. Noise grows during the first one."""
    torch.manual_seed(recipe.seed + 1000 * phase)
    rng = np.random.default_rng(recipe.seed + 1000 * phase)
    plan = stages(recipe, phase, scale)
    clips = _training_clips(folder, scale)
    targets = data.labels(len(clips))
    optimizers = _optimizers(network.train(), recipe)
    total, seen, start = sum(stage.count * _cost(stage) for stage in plan), 0.0, time.time()
    for stage in plan:
        batch = recipe.batch if stage.size < 112 else 16
        order = np.concatenate([rng.permutation(len(clips)) for _ in range(-(-stage.count // len(clips)))])
        for i in range(0, stage.count - batch + 1, batch):
            for group in (group for optimizer in optimizers for group in optimizer.param_groups):
                group["lr"] = group["peak"] / math.sqrt(phase) * _rate(seen / total)
            chosen = np.sort(order[i : i + batch])
            x = _fit(clips[chosen], stage, view, rng)
            grown = 1.0 if phase > 1 else min(1.0, seen / total / 0.4)  # full noise at once teaches nothing
            loss, hits = _update(network, optimizers, x, targets[chosen], stage, stage.noise * grown)
            seen += batch * _cost(stage)
            if i % 640 == 0:
                print(
                    f"{recipe.key} phase {phase} {stage.frames}×{stage.size}² {i}/{stage.count} loss {loss:.3f} "
                    f"top-1 {hits:.2f} {seen / total:.0%} {time.time() - start:.0f} s",
                    flush=True,
                )


def _training_clips(folder: Path, scale: float) -> np.ndarray:
    return data.clips(folder, data.TRAIN_SEED, max(32, round(data.TRAIN_COUNT * scale)), 16, 112)


@torch.no_grad()
def _settle(network: nn.Module, folder: Path, scale: float, view: str) -> None:
    """Batch-norm statistics of 320 real clips as they are, instead of noisy and adversarial ones: a verifier's
    statistics are what R_feat pulls an inversion to. Leaves the network in eval mode."""
    layers = [module for module in network.train().modules() if isinstance(module, nn.BatchNorm3d)]
    clips = _training_clips(folder, scale)[:320]
    for layer in layers:
        layer.reset_running_stats()
        layer.momentum = None  # a plain average
    rng = np.random.default_rng(0)
    for i in range(0, len(clips) if layers else 0, 16):
        x = _fit(clips[i : i + 16], TrainingStage(16, 112, len(clips), 0), view, rng)
        network((x - MEAN) / STD)
    network.eval()


def evaluate(network: nn.Module, folder: Path, scale: float = 1.0, view: str = "clip") -> float:
    """Top-1 share on held-out clips of 16×112² (480 at scale 1)."""
    stage = TrainingStage(16, 112, max(32, round(data.HELD_OUT_COUNT * scale)), 0)
    clips = data.clips(folder, data.HELD_OUT_SEED, stage.count, stage.frames, stage.size)
    targets, rng, hits = data.labels(len(clips)), np.random.default_rng(0), 0
    with torch.no_grad():
        for i in range(0, len(clips), 16):
            x = _fit(clips[i : i + 16], stage, view, rng)
            hits += int((network((x - MEAN) / STD).argmax(1).numpy() == targets[i : i + 16]).sum())
    return round(hits / len(clips), 4)


def step_time(network: nn.Module) -> float:
    """Milliseconds of one forward and backward pass to the input at 16×112², the best of five."""
    x, best = torch.rand(1, 3, 16, 112, 112, requires_grad=True), float("inf")
    network.requires_grad_(False)
    for _ in range(5):
        start = time.perf_counter()
        network(x).sum().backward()
        best = min(best, time.perf_counter() - start)
    return 1e3 * best


def _optimizers(network: nn.Module, recipe: Recipe) -> list[torch.optim.Optimizer]:
    """AdamW; Muon (Jordan 2024) for the matrices within an attention model's blocks, where the recipe has a rate for it."""
    parts = {
        name: weight.ndim == 2 and ".blocks." in name and "rel_pos" not in name and recipe.muon > 0
        for name, weight in network.named_parameters()
    }
    weights = dict(network.named_parameters())
    matrices, others = ([weights[name] for name in parts if parts[name] is muon] for muon in (True, False))
    optimizers: list[torch.optim.Optimizer] = [torch.optim.AdamW([{"params": others, "peak": recipe.rate}], weight_decay=0.02)]
    if matrices:
        optimizers.append(torch.optim.Muon([{"params": matrices, "peak": recipe.muon}], weight_decay=0.02))
    return optimizers


def _update(
    network: nn.Module,
    optimizers: list[torch.optim.Optimizer],
    x: Tensor,
    targets: np.ndarray,
    stage: TrainingStage,
    strength: float,
) -> tuple[float, float]:
    """One optimiser step on the augmented batch and, if asked for, on its adversarial twin."""

    def loss_of(x: Tensor) -> tuple[Tensor, Tensor]:
        logits = network(((x - MEAN) / STD).contiguous(memory_format=torch.channels_last_3d))
        return F.cross_entropy(logits, y), logits

    y = torch.from_numpy(targets)
    x = augment(x, strength) if strength else _shift(x)
    x.requires_grad_(bool(stage.attack))
    network.zero_grad()
    loss, logits = loss_of(x)
    loss.backward()
    if stage.attack:
        assert x.grad is not None
        loss_of(_attack(x.detach(), x.grad, stage.attack, lambda x: loss_of(x)[0]))[0].backward()
    nn.utils.clip_grad_norm_(network.parameters(), 5.0, error_if_nonfinite=True)
    for optimizer in optimizers:
        optimizer.step()
    return loss.item(), (logits.argmax(1) == y).float().mean().item()


def _attack(x: Tensor, gradient: Tensor, steps: int, loss_of: Callable[[Tensor], Tensor]) -> Tensor:
    """Adversarial twins of clips (B, 3, T, H, W): steps up the loss, within an L2 ball about each. `gradient` is the
    first step's."""
    # the radius grows with the square root of the pixel count, so that it means the same change to a pixel
    radius = 3.0 * math.sqrt(x[0].numel() / (3 * 8 * 64**2)) * (0.5 + 0.5 * torch.rand(len(x), 1, 1, 1, 1))
    stride = radius if steps == 1 else 1.5 * radius / steps
    change = stride * gradient / _norm(gradient)
    for _ in range(steps - 1):
        moved = (x + change).requires_grad_()
        (gradient,) = torch.autograd.grad(loss_of(moved), moved)
        change = change + stride * gradient / _norm(gradient)
        change = change * (radius / _norm(change)).clamp_max(1.0)
    return x + change


def _norm(x: Tensor) -> Tensor:
    return x.flatten(1).norm(dim=1).clamp_min(1e-12).view(-1, 1, 1, 1, 1)


def augment(x: Tensor, strength: float = 1.0) -> Tensor:
    """Shift, mirror, recolour, blur, and add noise and clouds of a random strength to each clip of (B, 3, T, H, W).

    `strength` in [0, 1] scales all but shifts and mirrors.
    """
    b = len(x)
    x = _shift(x)
    gain = torch.exp(strength * (0.2 * torch.randn(b, 3, 1, 1, 1) + 0.2 * torch.randn(b, 1, 1, 1, 1)))
    x = (x - 0.5) * gain + 0.5 + strength * 0.1 * torch.randn(b, 3, 1, 1, 1)
    grey, blurred = torch.rand(b) < 0.1 * strength, torch.rand(b) < 0.25 * strength
    x[grey] = x[grey].mean(1, keepdim=True).expand(-1, 3, -1, -1, -1)
    x[blurred] = F.avg_pool3d(x[blurred], (1, 3, 3), 1, (0, 1, 1), count_include_pad=False)
    clouded = torch.rand(b) < 0.5 * strength
    clouds = torch.randn(int(clouded.sum()), 3, 2, 4, 4) * 0.3 * torch.rand(int(clouded.sum()), 1, 1, 1, 1)
    x[clouded] += F.interpolate(clouds, size=x.shape[2:], mode="trilinear", align_corners=False)
    return x + strength * 0.4 * torch.rand(b, 1, 1, 1, 1) ** 2 * torch.randn_like(x)


def _shift(x: Tensor) -> Tensor:
    """Mirror each clip with probability ½ and roll it by up to 8 % of its size."""
    reach = round(0.08 * x.shape[-1])
    out = []
    for clip in x:
        dy, dx = (int(v) for v in torch.randint(-reach, reach + 1, (2,)))
        out.append(torch.roll(clip.flip(-1) if torch.rand(()) < 0.5 else clip, (dy, dx), (-2, -1)))
    return torch.stack(out)


def _fit(clips: np.ndarray, stage: TrainingStage, view: str, rng: np.random.Generator) -> Tensor:
    """uint8 (B, 16, 112, 112, 3) to float32 (B, 3, t, h, w) in [0, 1], as the stage and the view want it."""
    seen = np.stack([_crop(clip, stage, rng) if stage.size < clip.shape[1] else clip for clip in clips])
    x = torch.from_numpy(seen).permute(0, 4, 1, 2, 3).float().div_(255)
    if view == "frame":
        x = torch.stack([clip[:, [rng.integers(clip.shape[1])] * clip.shape[1]] for clip in x])
    elif view == "shuffled":
        x = torch.stack([clip[:, rng.permutation(clip.shape[1])] for clip in x])
    return x


def _crop(clip: np.ndarray, stage: TrainingStage, rng: np.random.Generator) -> np.ndarray:
    """A small view of a clip at a random scale and speed, so that what is learned holds at full size, too."""
    stride = rng.integers(1, len(clip) // stage.frames + 1)
    start = rng.integers(0, len(clip) - stride * (stage.frames - 1))
    side = int(rng.integers(stage.size, round(1.4 * stage.size) + 1))
    top, left = rng.integers(0, side - stage.size + 1, 2)
    frames = [
        cv2.resize(frame, (side, side), interpolation=cv2.INTER_AREA)
        for frame in clip[start : start + stride * stage.frames : stride]
    ]
    return np.stack(frames)[:, top : top + stage.size, left : left + stage.size]


def _cost(stage: TrainingStage) -> float:
    return stage.frames * stage.size**2 * (1 + stage.attack)


def _rate(done: float) -> float:
    """One cycle: linear rise over the first 5 %, then half a cosine to 1 %."""
    return done / 0.05 if done < 0.05 else 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * (done - 0.05) / 0.95))


def retime(key: str, path: Path) -> None:
    """Measure a finished network's step time and note it in its weights' metadata."""
    with safe_open(path, "pt") as file:
        measured = dict(file.metadata())
    network = bundled.BUILDERS[key]()
    network.load_state_dict(load_file(path))
    measured["step_ms"] = str(round(step_time(network.eval()), 1))
    save(network, path, measured)
    print(f"{key}: {measured['step_ms']} ms", flush=True)


def main() -> None:
    """Command line of the training."""
    parser = argparse.ArgumentParser(
        prog="python -m leaps_core.training.train", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "keys", nargs="*", choices=[*RECIPES, []], metavar="KEY", help=f"networks to train; all: {', '.join(RECIPES)}"
    )
    parser.add_argument("--data", type=paths.given, default=paths.home() / "training", help="where rendered clips are kept")
    parser.add_argument("--out", type=paths.given, default=paths.WEIGHTS, help="where weights are written")
    parser.add_argument("--scale", type=float, default=1.0, help="share of the schedule, for a quick try")
    parser.add_argument("--threads", type=int, default=1, help="threads; one per network, and two networks at once, is fastest")
    parser.add_argument(
        "--done",
        type=int,
        default=0,
        metavar="PHASES",
        help="go on from the weights in --out, which have been through that many phases",
    )
    parser.add_argument(
        "--time",
        action="store_true",
        help="only measure the finished networks' step time again, one after another, on a quiet machine",
    )
    parser.add_argument(
        "--view",
        choices=("clip", "frame", "shuffled"),
        default="clip",
        help="what the network sees; frame and shuffled measure only, nothing is saved",
    )
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    cv2.setNumThreads(1)
    for key in args.keys or RECIPES:
        path = args.out / f"{key}.safetensors" if args.view == "clip" else None
        if args.time and path:
            retime(key, path)
            continue
        network, measured = train(RECIPES[key], args.data, args.scale, args.view, args.done, path)
        if path:
            save(network, path, measured)
            partial(path).unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(exit_code(main))
