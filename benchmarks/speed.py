"""Steps per second, beside a naive loop: `python -m benchmarks.speed`

For each bundled model with its default verifier, on 16×112×112: steps per second at full size, and over a default run
(coarse to fine, judge at snapshots). The baseline, timed in the same run, writes the paper's loop down as it stands:
pixels at full size, weights that collect gradients, the stimulus passed through the model at every step.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import time

import torch

from leaps_core import models, video
from leaps_core.config import SynthesisConfig
from leaps_core.inversion.loop import synthesize
from leaps_core.inversion.objective import coherence, cross_entropy, diversity, priming
from leaps_core.models.shapes import layer_weights
from leaps_core.puppets import render_clip

ACTION = "juggling balls"


def ours(key: str, steps: int, **settings: object) -> float:
    """Steps per second of the library, the first three steps left out."""
    seconds = [
        step.seconds
        for step in synthesize(SynthesisConfig(**{"model": key, "action": ACTION, "steps": steps, "judge": "none", **settings}))
    ]
    return (len(seconds) - 3) / (seconds[-1] - seconds[2])


def whole_run(key: str) -> tuple[float, float]:
    """Steps per second and seconds of a default run, everything included."""
    start = time.perf_counter()
    steps = sum(1 for _ in synthesize(SynthesisConfig(model=key, action=ACTION)))
    return steps / (time.perf_counter() - start), time.perf_counter() - start


def naive(key: str, steps: int) -> float:
    """Steps per second of the paper's loop, written down plainly."""
    cast = models.resolve(SynthesisConfig(model=key, action=ACTION))
    assert cast.verifier is not None
    model, verifier = models.load(key), models.load(cast.verifier.key)
    for network in (model, verifier):
        network.requires_grad_(True)
    stimulus = video.to_tensor(render_clip(ACTION, 0))
    x = torch.rand_like(stimulus).requires_grad_(True)
    optimizer = torch.optim.Adam([x], 0.1)
    start = 0.0
    for i in range(steps):
        if i == 1:
            start = time.perf_counter()
        seen, target = model.observe(x), model.observe(stimulus)
        checked = verifier.observe(x, features=False, statistics=True)
        weights = layer_weights(len(seen.features), 1.0, 0.2)
        loss = cross_entropy(seen.logits, cast.class_index) + priming(
            seen.features, [f.detach() for f in target.features], weights
        )
        loss = loss + 0.005 * (coherence(seen.temporal, 1.0) + diversity(checked.statistics, checked.running))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return (steps - 1) / (time.perf_counter() - start)


def import_seconds(statement: str) -> float:
    """Seconds that a statement takes in a fresh interpreter, the best of three."""
    code = f"import time; t = time.perf_counter(); {statement}; print(time.perf_counter() - t)"
    return min(
        float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout) for _ in range(3)
    )


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=20, help="timed steps at full size")
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    machine = platform.processor() or platform.machine()
    print(f"{machine}, {os.cpu_count()} cores, {args.threads} threads, torch {torch.__version__}\n")
    print(f"`import leaps_core`: {import_seconds('import leaps_core'):.2f} s\n")
    print("| model | verifier | full size, steps/s | default run, steps/s | default run, s | naive, steps/s | full / naive |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for spec in models.specs():
        if spec.role == "judge" or spec.world != "puppets":
            continue
        verifier = models.resolve(SynthesisConfig(model=spec.key, action=ACTION)).verifier
        full, plain = ours(spec.key, args.steps, coarse=0.0), naive(spec.key, args.steps)
        average, seconds = whole_run(spec.key)
        print(
            f"| {spec.key} | {verifier.key if verifier else 'none'} | {full:.1f} | {average:.1f} | {seconds:.0f} "
            f"| {plain:.1f} | {full / plain:.2f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
