"""A small network that learns from scratch what a teacher thinks of some clips, and is measured on real ones."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from .. import models, video
from ..models import bundled
from ..puppets import render_clip
from ..runs import Run
from ..training.train import MEAN, STD, augment

KEY = "puppet_r50"
"""Whose architecture students have, with its 16 outputs; their weights are random."""
FRAMES, SIZE = 8, 64
"""What students see of a clip: small, so that they learn in a minute."""
STEPS, BATCH, RATE = 300, 16, 3e-3
HELD_OUT = 20
"""Real clips of each action on which a student is measured."""
REAL_SEED, HELD_OUT_SEED = 5_000_000, 9_000_000
"""First seeds of real clips to learn from, and of those to be measured on. The teacher learned from neither."""
STRENGTH = 0.3
"""How strongly clips are changed while a student learns (see `training.train.augment`)."""


def learn(model: str, arm: str, actions: Sequence[str], folders: Sequence[str], seed: int) -> dict[str, Any]:
    """Train a student on as many clips as there are run folders: theirs ("synthesized"), "real" ones, or "noise". Returns its
    `accuracy` on `held_out` real clips, how many `clips` it learned from, and its final `loss`.

    Its targets are the teacher's probabilities of the actions, each clip seen at full size: min KL(teacher ‖ student), as in
    DeepInversion.
    """
    torch.manual_seed(seed)
    clips = _clips(arm, actions, folders, seed)
    targets = _opinions(model, actions, clips)
    small = torch.cat([_small(clip) for clip in clips])
    network = bundled.BUILDERS[KEY]()
    optimizer = torch.optim.AdamW(network.parameters(), RATE, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, STEPS)
    network.train()
    loss = torch.zeros(())
    for _ in range(STEPS):
        chosen = torch.randint(len(small), (min(BATCH, len(small)),))
        seen = network((augment(small[chosen], STRENGTH) - MEAN) / STD)[:, : len(actions)]
        loss = F.kl_div(seen.log_softmax(1), targets[chosen], reduction="batchmean")
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    network.eval()
    hits = _measure(network, actions)
    return {"accuracy": float(np.mean(hits)), "held_out": len(hits), "clips": len(clips), "loss": loss.item()}


def _clips(arm: str, actions: Sequence[str], folders: Sequence[str], seed: int) -> list[np.ndarray]:
    """What a student learns from, uint8 (T, H, W, 3) each."""
    if arm == "synthesized":
        return [Run.open(Path(folder)).clip for folder in folders]
    if arm == "real":
        return [render_clip(actions[i % len(actions)], REAL_SEED + i) for i in range(len(folders))]
    rng = np.random.default_rng(seed)
    return [rng.integers(0, 256, (16, 112, 112, 3), np.uint8) for _ in folders]


@torch.no_grad()
def _opinions(model: str, actions: Sequence[str], clips: Sequence[np.ndarray]) -> Tensor:
    """The teacher's probabilities (N, actions) of the actions alone."""
    teacher, labels = models.load(model), models.labels(models.spec(model).world)
    own = [labels.index(action) for action in actions]
    seen = [teacher(teacher.fit(video.to_tensor(clip).to(teacher.mean.device)))[:, own].cpu() for clip in clips]
    return torch.cat(seen).softmax(1)


def _small(clip: np.ndarray) -> Tensor:
    return video.to_tensor(video.resample(clip, FRAMES, SIZE))


@torch.no_grad()
def _measure(network: torch.nn.Module, actions: Sequence[str]) -> list[bool]:
    """Whether each of some real clips is named rightly."""
    hits = []
    for index, action in enumerate(actions):
        real = torch.cat([_small(render_clip(action, HELD_OUT_SEED + i)) for i in range(HELD_OUT)])
        seen = network((real - MEAN) / STD)[:, : len(actions)].argmax(1)
        hits += (seen == index).tolist()
    return hits
