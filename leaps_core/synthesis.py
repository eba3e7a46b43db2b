"""The loop: one generator in which all optimisation happens.

`synthesize(config, control)` yields a `Step` after each step of the optimiser. Whoever consumes it (page, command
line, study, test) sees the same steps and can steer them through `Control`.
"""

from __future__ import annotations

import copy
import math
import threading
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from . import metrics, models, video
from .canvas import Canvas, make_canvas
from .config import LIVE, SynthesisConfig, bundled_seed
from .errors import ConfigError, LeapsError, RunError
from .models.adapter import VideoModel
from .objective import Objective, Targets, distant_mean
from .puppets import render_clip
from .transforms import transform

SNAPSHOTS = 60
"""A run keeps all steps up to so many, else so many, evenly spread."""
GMAC_MS = 50.0
"""Milliseconds that a billion multiply-adds of a forward pass take with its backward pass, on two cores: a rough figure."""
SURENESS_STEPS = 10
"""The model's probability of the action is averaged over about so many steps: its sureness."""
HARDENING = 4
"""The hardness of a view is the sureness to this power: at 0.5 a sixteenth of the noise and of the colours' change, at 0.9 two
thirds. A model that can't see through noise gets little of it, a sure one nearly all."""
IDLE = 5e8
"""Bytes of a process that has loaded PyTorch and nothing else."""
VIEW_MS = 25.0
"""Milliseconds of what a step does besides at 16×112²: canvas, view and optimiser."""
OBSERVED = 1.6
"""How much longer all of it takes within a run, where every layer is looked at, than alone; of the bundled demos' times."""


class Control:
    """Steers a running synthesis from another thread: pause, stop, and new values of the live settings.

    `changes` replays earlier changes: each {"step", "field", "value"} acts before the step of that number.
    """

    def __init__(self, changes: Iterable[dict[str, Any]] = ()) -> None:
        self._condition = threading.Condition()
        self._state = "running"
        self._pending: dict[str, Any] = {}
        self._replayed = sorted(changes, key=lambda change: change["step"])
        self._applied: list[dict[str, Any]] = []
        self._checkpoint: dict[str, Any] | None = None

    @property
    def state(self) -> str:
        """ "running", "paused" or "stopped"."""
        return self._state

    @property
    def changes(self) -> list[dict[str, Any]]:
        """Every change so far: {"step": before which step, "field", "value"}."""
        return list(self._applied)

    def set(self, **fields: Any) -> None:
        """Change live settings from the next step on. Raises `ConfigError` for others, and for values out of range."""
        for name in fields:
            if name not in LIVE:
                raise ConfigError(f"“{name}” can't change while a run is going on. These can: {', '.join(LIVE)}.")
        SynthesisConfig(model="any", action="any", **fields)
        with self._condition:
            self._pending.update(fields)

    def pause(self) -> None:
        """Hold before the next step."""
        self._become("paused")

    def resume(self) -> None:
        """Go on after a pause."""
        self._become("running")

    def stop(self) -> None:
        """End after the current step; the clip so far is the result."""
        self._become("stopped")

    def checkpoint(self) -> dict[str, Any]:
        """All that it takes to go on later: tensors and numbers only. Raises `RunError` before the first step."""
        if self._checkpoint is None:
            raise RunError("There is nothing to go on from yet: the run has made no step.")
        return self._checkpoint

    def _become(self, state: str) -> None:
        with self._condition:
            if self._state != "stopped":
                self._state = state
                self._condition.notify_all()

    def _wait(self) -> float:
        """Block while paused; the seconds spent so."""
        start = time.perf_counter()
        with self._condition:
            while self._state == "paused":
                self._condition.wait()
        return time.perf_counter() - start

    def _skip(self, done: int) -> None:
        """Count replayed changes up to step `done` as applied: a checkpoint already holds them."""
        with self._condition:
            self._applied += [change for change in self._replayed if change["step"] <= done]
            self._replayed = [change for change in self._replayed if change["step"] > done]

    def _take(self, step: int) -> dict[str, Any]:
        """The changes that act before `step`, replayed ones first."""
        with self._condition:
            due: dict[str, Any] = {}
            while self._replayed and self._replayed[0]["step"] <= step:
                change = self._replayed.pop(0)
                due[change["field"]] = change["value"]
            due.update(self._pending)
            self._pending.clear()
            self._applied += [{"step": step, "field": name, "value": value} for name, value in due.items()]
            return due


@dataclass(frozen=True)
class Step:
    """What a run shows after each step.

    `losses` are raw, `weighted` as they enter the loss (they sum to it). `probabilities` are of the action, by
    "model" and "verifier" of the transformed clip, and by "judge" of the clip itself, at snapshots only (None: not
    known). `clip` (1, 3, T, H, W) in [0, 1] is untransformed; it is smaller while the run is coarse. `embedding` (D,)
    is the model's. `seconds` since the start, without pauses. `final` is set on the last step only: figures of the
    final, untransformed clip.
    """

    index: int
    total: int
    losses: dict[str, float]
    weighted: dict[str, float]
    probabilities: dict[str, float | None]
    top5: tuple[tuple[str, float], ...]
    clip: Tensor
    embedding: np.ndarray
    seconds: float
    snapshot: bool
    notices: tuple[str, ...] = ()
    final: dict[str, Any] | None = None

    @property
    def frames(self) -> np.ndarray:
        """The clip as uint8 (T, H, W, 3)."""
        return video.to_frames(self.clip)


def synthesize(
    config: SynthesisConfig,
    control: Control | None = None,
    *,
    stimulus: np.ndarray | None = None,
    checkpoint: dict[str, Any] | None = None,
) -> Iterator[Step]:
    """Synthesize a clip of `config.action` by inverting `config.model`, step by step.

    `stimulus`: uint8 (N, T, H, W, 3), instead of what `config.stimuli` names. `checkpoint`: of an earlier run with
    this config (its `steps` may be larger), to go on from. A stop yields the latest step once more, with `final` set.

    Raises `LeapsError` before the first step for whatever in the config can't be.
    """
    control = control or Control()
    cast = models.choose(config)
    models.ready(cast)
    shape = clip_shape(config, cast.model)
    notices = list(cast.notices)
    if stimulus is None:
        stimulus, found = stimulus_clips(config, cast.model)
        notices += found
    if not len(stimulus):
        notices.append("Unprimed: no stimulus, so nothing but the model's own idea of the action guides the clip.")
    return _loop(config, control, cast, shape, stimulus, checkpoint, tuple(notices))


@dataclass
class _Stage:
    """The part of a run at one resolution: its constants, and the optimiser that starts with it."""

    shape: tuple[int, int, int]
    objective: Objective
    optimizer: torch.optim.Adam = field(repr=False)


def _loop(
    config: SynthesisConfig,
    control: Control,
    cast: models.Cast,
    shape: tuple[int, int, int],
    stimulus: np.ndarray,
    checkpoint: dict[str, Any] | None,
    notices: tuple[str, ...],
) -> Iterator[Step]:
    model = models.load(cast.model.key, config.device)
    verifier = models.load(cast.verifier.key, config.device) if cast.verifier else None
    judge = models.load(cast.judge.key, config.device) if cast.judge else None
    names = models.labels(cast.model.world)
    if len(stimulus) and not config.priming_share * len(model.taps) // 100:
        notices += (f"Unprimed: {config.priming_share} % of {len(model.taps)} layers is none.",)
    generator = torch.Generator().manual_seed(config.seed)
    coarse_steps = round(config.coarse * config.steps) if coarse_shape(shape, cast.model) != shape else 0
    snapshots = snapshot_steps(config.steps)
    live, done, seconds, sureness = config, 0, 0.0, 0.0

    small = coarse_shape(shape, cast.model) if coarse_steps else shape
    canvas = make_canvas(config, small, model.mean.flatten(), model.std.flatten(), generator)
    stage = _stage(config, canvas, small, model, verifier, cast, stimulus)
    if checkpoint is not None:
        done, seconds, live, sureness = _restore(checkpoint, config, canvas, generator)
        control._skip(done)
        stage = _stage(live, canvas, tuple(canvas().shape[2:]), model, verifier, cast, stimulus)  # type: ignore[arg-type]
        stage.optimizer.load_state_dict(checkpoint["optimizer"])
        if done >= config.steps:
            raise RunError(f"The run has made all of its {done} steps. To go on, ask for more than {done} steps.")

    clock, clip, step = time.perf_counter() - seconds, canvas(), None
    while done < config.steps:
        clock += control._wait()
        if control.state == "stopped" and step is not None:
            break
        if done >= coarse_steps and stage.shape != shape:
            canvas.grow(shape)
            stage, clip = _stage(live, canvas, shape, model, verifier, cast, stimulus), canvas()
        changes = control._take(done + 1)
        if changes:
            live = live.but(**changes)
            canvas.set_speed(live.motion_speed)
            clip = canvas()
        for group in stage.optimizer.param_groups:
            group["lr"] = learning_rate(live, done)

        # look at a random view of the clip, a harder one the surer the model is, and move the canvas
        view = transform(clip, live, generator, hardness=sureness**HARDENING)
        seen = model.observe(view)
        checked = verifier.observe(view, features=False, statistics=True) if verifier else None
        losses, weights = stage.objective(
            live, clip, model.normalise(clip), seen.logits, seen.features, seen.temporal, checked.statistics if checked else []
        )
        weighted = {name: weights[name] * loss for name, loss in losses.items()}
        total = torch.stack(list(weighted.values())).sum()
        stage.optimizer.zero_grad()
        total.backward()
        if not math.isfinite(total.item()):
            raise LeapsError(
                f"The loss became {total.item()} at step {done + 1}. Lower the learning rate or the weights "
                "of the regularizers, and start again."
            )
        stage.optimizer.step()
        canvas.project()
        clip, done = canvas(), done + 1

        probabilities = seen.logits.detach().softmax(1)[0]
        probability = probabilities[cast.action].item()
        sureness += (probability - sureness) / SURENESS_STEPS
        control._checkpoint = _checkpoint(done, time.perf_counter() - clock, live, sureness, canvas, stage, generator)
        best = probabilities.topk(min(5, len(names)))
        step = Step(
            index=done,
            total=config.steps,
            clip=clip.detach(),
            snapshot=done in snapshots,
            losses={name: loss.item() for name, loss in losses.items()},
            weighted={name: loss.item() for name, loss in weighted.items()},
            probabilities={
                "model": probability,
                "verifier": _probability(checked.logits, cast.action) if checked else None,
                "judge": _judged(judge, clip, cast.action) if done in snapshots else None,
            },
            top5=tuple((names[i], p) for p, i in zip(best.values.tolist(), best.indices.tolist(), strict=True)),
            embedding=seen.embedding.detach()[0].cpu().numpy() if seen.embedding is not None else np.zeros(0),
            seconds=time.perf_counter() - clock,
            notices=notices if done == 1 else (),
        )
        if done < config.steps:
            yield step
    if step is not None:
        final = score(step.clip, cast.action, names, model, verifier, judge)
        yield replace(
            step,
            snapshot=True,
            probabilities=step.probabilities | {"judge": final["judge"]},
            final=final | {"seconds": step.seconds, "steps_per_second": step.index / step.seconds},
        )


def clip_shape(config: SynthesisConfig, spec: models.ModelSpec) -> tuple[int, int, int]:
    """(T, H, W) of the run's clip. Raises `ConfigError` where the model can't take it."""
    frames, size = config.frames or spec.frames, config.size or spec.size
    for name, value, own in (("frames", frames, spec.frames), ("size", size, spec.size)):
        if name in spec.fixed and value != own:
            raise ConfigError(f"“{name}” is {value}; “{spec.key}” takes {own} only: its weights were made for that.")
    if frames < spec.min_frames or frames % spec.tubelet:
        multiples = f"multiples of {spec.tubelet}, " if spec.tubelet > 1 else ""
        raise ConfigError(
            f"“frames” is {frames}; “{spec.key}” needs {multiples}{spec.min_frames} or more (its own: {spec.frames})."
        )
    if size != spec.size and (size < 2 * spec.size_step or size % spec.size_step):
        raise ConfigError(
            f"“size” is {size}; “{spec.key}” takes multiples of {spec.size_step} from {2 * spec.size_step} on "
            f"(its own: {spec.size})."
        )
    return frames, size, size


def coarse_shape(shape: tuple[int, int, int], spec: models.ModelSpec) -> tuple[int, int, int]:
    """About half of (T, H, W) in space, as the model can take it; the same shape where there is no smaller one."""
    size = max(2 * spec.size_step, round(shape[1] / 2 / spec.size_step) * spec.size_step)
    return (shape[0], size, size) if size < shape[1] and "size" not in spec.fixed else shape


def learning_rate(config: SynthesisConfig, done: int) -> float:
    """The rate of the step after `done` ones: a linear rise over `warmup` steps, then half a cosine down to `floor`."""
    peak, floor = config.learning_rate, min(config.floor, config.learning_rate)
    warmup = min(config.warmup, config.steps // 2)
    if done < warmup:
        return peak * (done + 1) / (warmup + 1)
    share = (done - warmup) / max(1, config.steps - warmup)
    return floor + (peak - floor) * 0.5 * (1 + math.cos(math.pi * share))


def snapshot_steps(steps: int) -> frozenset[int]:
    """Which steps are snapshots: all up to `SNAPSHOTS`, else so many, evenly spread, the last one included."""
    if steps <= SNAPSHOTS:
        return frozenset(range(1, steps + 1))
    return frozenset(int(i) for i in np.linspace(1, steps, SNAPSHOTS).round())


def stimulus_clips(config: SynthesisConfig, spec: models.ModelSpec) -> tuple[np.ndarray, tuple[str, ...]]:
    """Read `config.stimuli` as uint8 (N, T, H, W, 3), and what there is to say about them. Raises `LeapsError`."""
    frames, size, _ = clip_shape(config, spec)
    clips, notices = [], []
    for stimulus in config.stimuli:
        seed = bundled_seed(stimulus)
        if seed is not None:
            if spec.world != "puppets":
                notices.append(f"There are no bundled clips of the world {spec.world}.")
                continue
            clips.append(render_clip(config.action, seed, frames, size))
        else:
            span = spec.span(frames)
            read = video.read(stimulus, frames, size, start=config.stimulus_start, span=span)
            clips.append(read.frames)
            notices += read.notices
            if span and read.duration - config.stimulus_start > span:
                notices.append(
                    f"“{spec.key}” was trained on frames {spec.stride}/30 s apart: {span:.1f} s of "
                    f"“{Path(stimulus).name}” are used. Choose another start to use another part."
                )
    return np.stack(clips) if clips else np.zeros((0, frames, size, size, 3), np.uint8), tuple(notices)


def score(
    clip: Tensor, action: int, names: tuple[str, ...], model: VideoModel, verifier: VideoModel | None, judge: VideoModel | None
) -> dict[str, Any]:
    """Probability of the action and top-1 label by each network, of the untransformed clip, and its amount of motion.

    The judge sees it at its own length and size.
    """
    figures: dict[str, Any] = {}
    for part, network in (("model", model), ("verifier", verifier), ("judge", judge)):
        p = None
        if network is not None:
            with torch.no_grad():
                p = network(network.fit(clip) if network is judge else clip).softmax(1)[0]
        figures[part] = None if p is None else p[action].item()
        figures[f"{part}_top1"] = None if p is None else names[int(p.argmax())]
    return figures | {"motion": metrics.motion(video.to_frames(clip))}


def estimate(config: SynthesisConfig) -> dict[str, float]:
    """What a run will take, from the models' records: "seconds", "steps_per_second" and "memory" (bytes).

    The step times were measured on two cores; that of a model without one is taken to be proportional to its multiply-adds.
    Other sizes scale with the pixel count.
    """
    cast = models.choose(config)
    t, h, w = clip_shape(config, cast.model)
    taking_part = [spec for spec in (cast.model, cast.verifier) if spec]
    step = sum(_pass_ms(spec) * t * h * w / (spec.frames * spec.size**2) for spec in taking_part)
    step = OBSERVED * (step + VIEW_MS * t * h * w / (16 * 112**2))
    small = coarse_shape((t, h, w), cast.model)
    share = config.coarse * (1 - small[1] * small[2] / (h * w))
    looks = len(snapshot_steps(config.steps)) * _pass_ms(cast.judge) / 3 if cast.judge else 0.0  # they have no backward pass
    seconds = (config.steps * step * (1 - share) + looks) / 1e3
    memory = IDLE + sum(_activations(spec, t * h * w) + 4.0 * (spec.params or 0) for spec in taking_part)
    return {"seconds": seconds, "steps_per_second": config.steps / seconds, "memory": memory}


def _pass_ms(spec: models.ModelSpec) -> float:
    """Milliseconds of a forward and backward pass of one clip at the model's own size, on two cores."""
    return spec.step_ms or (spec.gmacs or 20.0) * GMAC_MS


def _activations(spec: models.ModelSpec, pixels: int) -> float:
    """Bytes that a forward pass of so many pixels keeps for its backward pass."""
    if spec.memory is None:
        return 4.5e8 * pixels / (16 * 112**2)
    return max(0.0, spec.memory * 2**30 - IDLE - 4.0 * (spec.params or 0)) * pixels / (spec.frames * spec.size**2)


def _stage(
    config: SynthesisConfig,
    canvas: Canvas,
    shape: tuple[int, int, int],
    model: VideoModel,
    verifier: VideoModel | None,
    cast: models.Cast,
    stimulus: np.ndarray,
) -> _Stage:
    """All that is constant at one resolution, computed once: the stimuli's features and margin, the verifier's
    statistics. Adam starts anew."""
    targets = Targets(cast.action)
    with torch.no_grad():
        if len(stimulus):
            seen = [
                model.observe(video.to_tensor(video.resample(clip, shape[0], shape[1])).to(model.mean.device))
                for clip in stimulus
            ]
            targets.features = [torch.stack(tap).mean(0) for tap in zip(*(one.features for one in seen), strict=True)]
            margins = [distant_mean(one.temporal) for one in seen if one.temporal is not None]
            targets.margin = torch.stack(margins).mean() if margins else 1.0
        if config.margin is not None:
            targets.margin = config.margin
        if verifier is not None:
            targets.running = verifier.observe(canvas(), features=False, statistics=True).running
    optimizer = torch.optim.Adam([canvas.values], config.learning_rate, (config.beta_1, config.beta_2))
    return _Stage(shape, Objective(targets), optimizer)


def _probability(logits: Tensor, action: int) -> float:
    return logits.detach().softmax(1)[0, action].item()


@torch.no_grad()
def _judged(judge: VideoModel | None, clip: Tensor, action: int) -> float | None:
    return None if judge is None else _probability(judge(judge.fit(clip)), action)


def _checkpoint(
    done: int, seconds: float, live: SynthesisConfig, sureness: float, canvas: Canvas, stage: _Stage, generator: torch.Generator
) -> dict[str, Any]:
    # copies, so that an interrupt in the middle of the next step still finds this one whole
    return {
        "done": done,
        "seconds": seconds,
        "live": {name: getattr(live, name) for name in LIVE},
        "sureness": sureness,
        "shape": list(stage.shape),
        "values": canvas.values.detach().clone(),
        "optimizer": copy.deepcopy(stage.optimizer.state_dict()),
        "generator": generator.get_state(),
    }


def _restore(
    checkpoint: dict[str, Any], config: SynthesisConfig, canvas: Canvas, generator: torch.Generator
) -> tuple[int, float, SynthesisConfig, float]:
    """Put a checkpoint's picture and random state back; (steps done, seconds, live settings, sureness)."""
    live = config.but(**checkpoint["live"])
    canvas.set_speed(live.motion_speed)
    canvas.grow(tuple(checkpoint["shape"]))
    canvas.values.data = checkpoint["values"].clone().to(canvas.values.device)
    generator.set_state(checkpoint["generator"])
    sureness = checkpoint.get("sureness", 1.0)  # earlier versions kept none: their views were always as hard
    return int(checkpoint["done"]), float(checkpoint["seconds"]), live, float(sureness)
