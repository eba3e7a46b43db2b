"""What a step costs, beside the paper's loop and beside the least that it can cost: `python -m benchmarks.step [CASE ...]`

Three take turns, so that a busy moment of the machine hits all:

- *paper*: the loop as it was published, by its description. Raw pixels; weights that collect gradients; the network runs
  twice a step; a hook on each norm layer takes statistics and the differences of all pairs of frames at each place; float32,
  contiguous.
- *ours*: a step of a run as it is recorded, at full size, by the recommended settings: views, terms, optimiser, snapshots,
  judge.
- *floor*: a bare forward pass, and a backward one to the pixels, of the same frozen networks, in the fastest number format
  and memory layout of this machine; nothing else. A second table has each of these formats, and, beside them, the same passes
  as a run has them: with batch norms folded and the first convolution by blocks (`leaps_core/models/formats.py`).

Networks whose weights are not here get random ones; they cost as much. Each case is measured in a process of its own.
`--parts` also says where ours spends its time, `--memory` how much each way takes.
"""

from __future__ import annotations

import argparse
import gc
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

import psutil
import torch
from torch import Tensor, nn

from leaps_core import machine, models, runs, video
from leaps_core.inversion.networks import Networks
from leaps_core.inversion.objective import cross_entropy, jaccard_distance
from leaps_core.inversion.plan import Plan, make_plan
from leaps_core.inversion.schedule import snapshot_steps
from leaps_core.inversion.state import State
from leaps_core.inversion.terms import TERMS, evaluate
from leaps_core.inversion.transforms import transform
from leaps_core.models import weights
from leaps_core.models.adapter import VideoModel, first
from leaps_core.models.formats import LAST
from leaps_core.models.shapes import layer_weights
from leaps_core.models.spec import ModelSpec

from .zoo import processor

ROOT = Path(__file__).parents[1]
PUPPETS = ("puppet_csn", "puppet_r50", "puppet_r2plus1d", "puppet_x3d", "puppet_mvit", "puppet_r50_clean")
CASES = {
    **{key: (key, 16, 112) for key in PUPPETS},
    "i3d": ("i3d", 16, 224),
    "i3d-128": ("i3d", 16, 128),
    "x3d_xs": ("x3d_xs", 4, 160),
    "x3d_m": ("x3d_m", 16, 224),
    "slow_r50": ("slow_r50", 8, 224),
    "swin_t": ("swin_t", 16, 224),
}
"""By name: the model, its frames and pixels."""
WAYS = ("paper", "ours", "floor")
FORMATS = ("float32", "float32, channels last", "bfloat16", "bfloat16, channels last")
OURS = "as in a run"
"""The passes of a run, beside those formats."""


def plan_of(case: str, device: str) -> Plan:
    """A run of the case at full size, by the settings recommended for its model."""
    key, frames, size = CASES[case]
    record = models.spec(key)
    if models.state(record) == "download":
        torch.manual_seed(0)
        key = f"random_{record.key}"
        models.register(replace(record, key=key, sources=()), lambda: models.network(record.key))
    action = "juggling balls"
    return make_plan(models.configure(key, action, {"coarse": 0.0, "frames": frames, "size": size, "device": device})).primed()


# the three ways


def paper(plan: Plan) -> Iterator[Tensor]:
    """The published loop; yields after each step."""
    device = machine.pick_device(plan.config.device)
    model = _plain(plan.cast.model, device)
    model.requires_grad_(True)
    network, seen = model.network, {}
    norms = [module for module in network.modules() if "norm" in type(module).__name__.lower()]

    def look(layer: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        z = inputs[0]
        if isinstance(layer, nn.LayerNorm):  # (B, ..., C)
            z = z.movedim(-1, 1)
        axes = tuple(range(2, z.ndim))
        found = [z.mean(axes), z.var(axes, correction=0)] if axes else []
        if z.ndim == 5 and z.shape[2] > 1:  # (B, C, T, H, W): all pairs of frames, at each place
            found.append((z.unsqueeze(3) - z.unsqueeze(2)).abs().mean()[None])
        seen[layer] = found

    for norm in norms:
        norm.register_forward_pre_hook(look)
    taps: dict[str, Tensor] = {}
    for name in model.taps:
        network.get_submodule(name).register_forward_hook(
            lambda module, given, out, name=name: taps.__setitem__(
                name, model.grid(name, first(out), plan.shape[0]).mean((2, 3))
            )
        )
    x = torch.rand((1, 3, *plan.shape), device=device)
    with torch.no_grad():
        network(x)
    targets = {name: value.detach() for name, value in taps.items()}
    lambdas = dict(zip(model.taps, layer_weights(len(model.taps), 1.0, 0.2), strict=True))
    canvas = torch.randn((1, 3, *plan.shape), device=device, requires_grad=True)
    optimizer = torch.optim.Adam([canvas], 0.6, (0.5, 0.9))
    while True:
        view = torch.roll(canvas, (7, -5), (3, 4))
        logits = network(view)
        primed = torch.stack([w * jaccard_distance(taps[name], targets[name]).mean() for name, w in lambdas.items()]).mean()
        network(view)  # the verifier's part, played by the model itself
        regular = [part for found in seen.values() for part in found]
        loss = cross_entropy(logits, plan.cast.class_index) + primed + 5e-3 * canvas.norm()
        loss = loss + 5e-3 * torch.stack([part.norm() for part in regular]).sum() if regular else loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        yield loss


def ours(plan: Plan) -> Iterator[Tensor]:
    """A run that is recorded; yields after each step."""
    with tempfile.TemporaryDirectory() as folder:
        for _, step in runs.perform(plan, folder=Path(folder) / "run"):
            yield step.clip


def formats(plan: Plan) -> dict[str, Callable[[], Tensor]]:
    """One forward pass of the networks that look at each step, and one backward to the clip, in each format that they can."""
    networks = Networks.load(plan)
    found: dict[str, Callable[[], Tensor]] = {}
    for low in (False, True):
        for last in (False, True):
            with suppress(RuntimeError, TypeError):  # a layer that can't
                once = bare(networks, plan, low, last)
                once()
                found[f"{'bfloat16' if low else 'float32'}{', channels last' * last}"] = once
            gc.collect()
    x = torch.rand((plan.config.views, 3, *plan.shape), device=networks.model.mean.device, requires_grad=True)
    return {**found, OURS: lambda: torch.autograd.grad(passed(networks, plan, x), x)[0]}


def bare(networks: Networks, plan: Plan, low: bool, last: bool) -> Callable[[], Tensor]:
    """That of networks as PyTorch has them. low: in bfloat16; last: channels last in memory."""
    passes = [(_formatted(one, low, last), frames) for one, frames in _looking(networks, plan)]
    x = torch.rand((plan.config.views, 3, *plan.shape), device=networks.model.mean.device)
    if last:
        x = x.to(memory_format=torch.channels_last_3d)
    x.requires_grad_(True)

    def once() -> Tensor:
        with torch.autocast(x.device.type, torch.bfloat16, enabled=low):
            outputs = torch.stack([network(x[:, :, :frames]).sum().float() for network, frames in passes])
        return torch.autograd.grad(outputs.sum(), x)[0]

    return once


def _looking(networks: Networks, plan: Plan) -> list[tuple[VideoModel, int]]:
    """The networks that look at each step, and at how many frames."""
    told = [(networks.model, plan.shape[0])]
    if networks.verifier is not None and not networks.verifies_itself:
        told.append((networks.verifier, plan.shape[0]))
    if networks.frame_verifier is not None:
        told.append((networks.frame_verifier, plan.config.frames_verified or plan.shape[0]))
    return told


def passed(networks: Networks, plan: Plan, x: Tensor, features: bool = False, statistics: bool = False) -> Tensor:
    """Those networks' forward passes as a run has them. features: the model's taps, for priming where there is a
    stimulus, and for coherence; statistics: what R_feat compares."""
    total, primed = torch.zeros((), device=x.device), plan.stimulus is not None and len(plan.stimulus) > 0
    for number, (one, frames) in enumerate(_looking(networks, plan)):
        asked = statistics and (number > 0 or networks.verifies_itself)
        seen = one.observe(x[:, :, :frames], features=features and number == 0, statistics=asked)
        used = [seen.logits, *(part for both in seen.statistics for part in both), *(seen.features if primed else ())]
        used += [seen.temporal] if seen.temporal is not None else []
        total = total + torch.stack([part.float().sum() for part in used]).sum()
    return total


def _plain(spec: ModelSpec, device: torch.device) -> VideoModel:
    """A network as PyTorch has it, which nothing was laid out in."""
    return VideoModel(spec, models.network(spec.key), weights.path(spec)).to(device)


def _formatted(model: VideoModel, low: bool, last: bool) -> nn.Module:
    network = _plain(model.spec, model.mean.device).network
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Conv3d | nn.Linear):
            for weight in module.parameters(recurse=False):
                new = weight.data.to(torch.bfloat16) if low else weight.data
                weight.data = new.contiguous(memory_format=LAST[new.ndim]) if last and new.ndim > 3 else new
    return network


# measuring


def _seconds(work: Callable[[], object], plan: Plan) -> float:
    begun = time.perf_counter()
    work()
    if machine.pick_device(plan.config.device).type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - begun


def measure(case: str, rounds: int, device: str) -> str:
    """The case's rows of both tables, a line each."""
    plan = plan_of(case, device)
    bare_ones = formats(plan)
    going = {"paper": paper(plan), "ours": ours(plan)}
    work: dict[str, Callable[[], object]] = {way: lambda loop=loop: next(loop) for way, loop in going.items()} | bare_ones
    for once in work.values():
        once(), once()
    one = _seconds(work["ours"], plan)
    turns = dict.fromkeys(work, max(1, min(10, round(1.5 / one))))  # steps a turn
    if one > 0.5:
        turns["paper"] = 1
    taken: dict[str, list[float]] = {way: [] for way in work}
    for _ in range(rounds):
        for way, many in turns.items():
            taken[way].append(statistics.fmean(_seconds(work[way], plan) for _ in range(many)))
    for loop in going.values():
        loop.close()  # type: ignore[attr-defined]
    took = {way: statistics.median(found) for way, found in taken.items()}
    name = min((one for one in FORMATS if one in took), key=lambda one: took[one])
    paper_s, ours_s, floor_s = took["paper"], took["ours"], took[name]
    clip = f"{'×'.join(map(str, plan.shape[:2]))}²"
    alone = " | ".join(f"{took[one]:.3f}" if one in took else "–" for one in (*FORMATS, OURS))
    return (
        f"| {case} | {clip} | {paper_s:.3f} | {ours_s:.3f} | {floor_s:.3f} | {name} | {paper_s / ours_s:.1f} "
        f"| {ours_s / floor_s:.2f} |\n| {case} | {alone} |"
    )


def peak(case: str, way: str, device: str) -> float:
    """The peak memory of two steps in this process, GiB."""
    plan = plan_of(case, device)
    if way == "floor":
        low = machine.pick_precision("auto", device) == "bfloat16"
        once: Callable[[], object] = bare(Networks.load(plan), plan, low, True)
    else:
        loop = paper(plan) if way == "paper" else ours(plan)
        once = partial(next, loop)
    once(), once()
    if machine.pick_device(device).type == "cuda":
        return torch.cuda.max_memory_allocated() / 2**30
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def parts(case: str, device: str) -> str:
    """Milliseconds of a step by its parts, forward and backward, each alone; the row of the table."""
    plan = plan_of(case, device)
    networks = Networks.load(plan)
    state = State(plan, networks.model)
    clip = state.canvas().detach()
    targets = networks.targets(plan, clip)
    leaf = clip.clone().requires_grad_(True)

    def gradient(value: Callable[[], Tensor], of: Tensor) -> Callable[[], object]:
        return lambda: torch.autograd.grad(value(), of)

    def loss() -> Tensor:
        (glance,) = networks.glance([[leaf]], plan.config)
        look = networks.look(glance, leaf, plan.config, targets)
        return torch.stack(list(evaluate(TERMS, look.seen)[1].values())).sum()

    def snapshot() -> None:
        video.to_frames(clip)
        networks.judged(clip)

    state.canvas.values.grad = torch.rand_like(state.canvas.values)
    share = len(snapshot_steps(plan.config.steps)) / plan.config.steps
    view = gradient(lambda: transform(leaf, plan.config, state.generator).sum(), leaf)
    timed = {
        "canvas": _best(gradient(lambda: state.canvas().sum(), state.canvas.values), plan),
        "views": _best(view, plan),
        "networks alone": _best(gradient(lambda: passed(networks, plan, leaf, False, False), leaf), plan),
        "taps": _best(gradient(lambda: passed(networks, plan, leaf, True, False), leaf), plan),
        "statistics": _best(gradient(lambda: passed(networks, plan, leaf, True, True), leaf), plan),
        "terms": _best(gradient(loss, leaf), plan),
        "optimiser": _best(state.optimizer.step, plan),
        "checkpoint": _best(state.state_dict, plan),
        "snapshot, judge": share * _best(snapshot, plan),
    }
    for later, before in (("terms", "statistics"), ("statistics", "taps"), ("taps", "networks alone")):
        timed[later] -= timed[before]
    return f"| {case} | " + " | ".join(f"{1000 * took:.0f}" for took in timed.values()) + " |"


PARTS = ("canvas", "views", "networks alone", "taps", "statistics", "terms", "optimiser", "checkpoint", "snapshot, judge")


def _best(work: Callable[[], object], plan: Plan, times: int = 5) -> float:
    """The seconds of the fastest of some runs."""
    return min([_seconds(work, plan) for _ in range(times + 1)][1:])


def _in_its_own_process(*arguments: str) -> str:
    done = subprocess.run([sys.executable, "-m", "benchmarks.step", *arguments], cwd=ROOT, capture_output=True, text=True)
    return done.stdout.strip() or f"failed: {done.stderr.strip().splitlines()[-1:]}"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", metavar="CASE", help=f"of {', '.join(CASES)}; none: all")
    parser.add_argument("--rounds", type=int, default=5, help="how often each takes its turn; the median counts")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--memory", action="store_true", help="also measure the peak memory of each way")
    parser.add_argument("--parts", action="store_true", help="also measure the parts of our step")
    parser.add_argument("--one", choices=["time", "parts", *WAYS], help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.one == "time":
        print(measure(args.cases[0], args.rounds, args.device))
        return
    if args.one == "parts":
        print(parts(args.cases[0], args.device))
        return
    if args.one:
        print(f"{peak(args.cases[0], args.one, args.device):.1f}")
        return
    where = torch.cuda.get_device_name() if args.device == "cuda" else processor()
    print(
        f"{where}, {os.cpu_count()} cores, {torch.get_num_threads()} threads, {psutil.virtual_memory().total / 2**30:.0f} GiB, "
        f"PyTorch {torch.__version__}, {platform.system()}\n"
    )
    print("| case | clip | paper, s | ours, s | floor, s | fastest format | paper / ours | ours / floor |")
    print("| --- " * 8 + "|")
    rows = []
    for case in args.cases or CASES:
        found = _in_its_own_process("--one", "time", "--rounds", str(args.rounds), "--device", args.device, case)
        row, _, more = found.partition("\n")
        print(row, flush=True)
        rows.append(more)
    print(f"\nThe networks alone, forward and backward, s:\n\n| case | {' | '.join((*FORMATS, OURS))} |")
    print("| --- " * (2 + len(FORMATS)) + "|", *rows, sep="\n", flush=True)
    if args.parts:
        print(f"\nMilliseconds of our step, forward and backward:\n\n| case | {' | '.join(PARTS)} |")
        print("| --- " * (1 + len(PARTS)) + "|")
        for case in args.cases or CASES:
            print(_in_its_own_process("--one", "parts", "--device", args.device, case), flush=True)
    if args.memory:
        print("\nPeak memory of the process, GiB:\n\n| case | paper | ours | floor |\n| --- | --- | --- | --- |")
        for case in args.cases or CASES:
            peaks = [_in_its_own_process("--one", way, "--device", args.device, case) for way in WAYS]
            print(f"| {case} | {' | '.join(peaks)} |", flush=True)


if __name__ == "__main__":
    main()
