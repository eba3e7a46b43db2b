"""What the networks of a world say about a finished run's clip, as the row of a study has it."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from .. import models, video
from ..models.shapes import primed_taps
from ..probes.questions import opinions
from ..runs import Run

LAST = 10
"""The final loss is the mean of so many last steps: each looked at another view of the clip."""
CLEAR = 0.05
"""A pixel that changed by more than this has changed to the eye."""
DIGITS = 6
"""Of the probabilities that are kept."""


@torch.no_grad()
def of(run: Run) -> dict[str, Any]:
    """Scores of a run that is finished and not packed yet.

    `loss` (the mean of the last steps) and its weighted terms as `loss_NAME`; `primed` layers; `seconds`, `motion`; by model,
    verifier and judge (none where the world has none): p_NAME, the probability of the action; top1_NAME, whether it is the
    best; classes_NAME, those of all classes. They look at the clip itself, whatever took part in the run. `object_rank`, where
    the object judge was asked.
    """
    config, final, last = run.config, run.final or {}, run.metrics[-LAST:]
    terms = dict.fromkeys(name for row in last for name in row["weighted"])
    row: dict[str, Any] = {
        "loss": float(np.mean([sum(step["weighted"].values()) for step in last])),
        **{f"loss_{name}": float(np.mean([step["weighted"].get(name, 0.0) for step in last])) for name in terms},
        "primed": _primed(run),
        "seconds": final.get("seconds"),
        "motion": final.get("motion"),
        "object_rank": final.get("object_rank"),
    }
    clip = torch.from_numpy(run.tensor)[None]
    for name, p in opinions(config, clip).items():
        index = models.labels(models.spec(config.model).world).index(config.action)
        row |= {
            f"p_{name}": None if p is None else float(p[index]),
            f"top1_{name}": None if p is None else bool(p.argmax() == index),
            f"classes_{name}": None if p is None else [round(float(value), DIGITS) for value in p],
        }
    return row | (_changed(run, clip) if config.begin_at == "stimulus" else {})


def _changed(run: Run, clip: torch.Tensor) -> dict[str, Any]:
    """Of a run that began at its stimulus: `before`, what the model gave the action then; `change`, the mean of |after −
    before| over all values in [0, 1]; `changed`, the share of pixels that moved by more than `CLEAR`; `concentrated`, how much
    of the change lies in the tenth of the pixels that changed most; `when`, the mean change of each frame."""
    config, start = run.config, video.to_tensor(run.stimulus[0])
    apart = (clip - start).abs().mean(1)[0]  # (T, H, W)
    most = apart.flatten().sort(descending=True).values
    network = models.load(config.model, config.device)
    index = models.labels(models.spec(config.model).world).index(config.action)
    return {
        "before": float(network(network.fit(start.to(network.mean.device))).softmax(1)[0, index]),
        "change": float(apart.mean()),
        "changed": float((apart > CLEAR).float().mean()),
        "concentrated": float(most[: len(most) // 10].sum() / most.sum().clamp_min(1e-12)),
        "when": [float(frame.mean()) for frame in apart],
    }


def _primed(run: Run) -> int:
    """How many layers were primed."""
    taps = len(models.load(run.config.model, run.config.device).taps)
    return primed_taps(taps, run.config.priming_share) if len(run.stimulus) else 0
