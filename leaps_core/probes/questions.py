"""Counter-questions: what networks say of a clip, and of the same frames without their time."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from .. import models, video
from ..config import NETWORKS, SynthesisConfig
from ..models.adapter import VideoModel

NOBODY = ("auto", "none", "self")
"""What a setting of a network says without naming one."""
GREY = 128
"""What frames show that are taken away."""


class Answer(NamedTuple):
    """What a network says: the probability of the action, and the label that it finds best, with its own."""

    action: float
    best: str
    of_best: float


def _shuffled(clip: np.ndarray) -> np.ndarray:
    return clip[np.random.default_rng(0).permutation(len(clip))]


def _frozen(clip: np.ndarray) -> np.ndarray:
    return np.repeat(clip[len(clip) // 2][None], len(clip), 0)


def _alone(clip: np.ndarray) -> np.ndarray:
    found = np.full_like(clip, GREY)
    found[len(clip) // 2] = clip[len(clip) // 2]
    return found


QUESTIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "as it is": lambda clip: clip,
    "played backwards": lambda clip: np.ascontiguousarray(clip[::-1]),
    "shuffled": _shuffled,
    "frozen": _frozen,
    "one frame only": _alone,
}
"""What is shown to the networks, of a clip uint8 (T, H, W, 3): its frames in another order, drawn once; its middle frame all
the time; its middle frame among grey ones."""


def cast(config: SynthesisConfig) -> models.Cast:
    """Who is asked about a run's clip: the model, and the verifier and judge that the run names; where it names none, the
    verifier that the model has by itself, and the world's judge, whether they took part or not. Raises `ModelError`."""
    named = {role: getattr(config, role) for role in ("verifier", "judge") if getattr(config, role) not in NOBODY}
    return models.resolve(SynthesisConfig(model=config.model, action=config.action, frames=config.frames, **named))


def logits(network: VideoModel, clip: Tensor) -> Tensor:
    """Logits (1, K) that a network gives a clip (1, 3, T, H, W) in [0, 1], wherever that lies, at its own size."""
    return network(network.fit(clip.to(network.mean.device)))  # type: ignore[no-any-return]


@torch.no_grad()
def opinions(config: SynthesisConfig, clip: Tensor) -> dict[str, Tensor | None]:
    """Probabilities (K,) that those of `cast` give a clip (1, 3, T, H, W) in [0, 1], each at its own size; None: there is no
    such network."""
    found: dict[str, Tensor | None] = {}
    asked = cast(config).networks
    for name in NETWORKS:
        record = asked.get(name)
        found[name] = logits(models.load(record.key, config.device), clip).softmax(1)[0].cpu() if record else None
    return found


def ask(
    config: SynthesisConfig, clip: np.ndarray, tell: Callable[[int], None] = lambda passes: None
) -> dict[str, dict[str, Answer]]:
    """What the networks answer, by question and network; those that there are. tell: told after each question that
    it took a pass. Raises `LeapsError`."""
    labels = models.labels(models.spec(config.model).world)
    found: dict[str, dict[str, Answer]] = {}
    for question, change in QUESTIONS.items():
        said = opinions(config, video.to_tensor(change(clip)))
        found[question] = {
            name: Answer(float(p[labels.index(config.action)]), labels[int(p.argmax())], float(p.max()))
            for name, p in said.items()
            if p is not None
        }
        tell(1)
    return found
