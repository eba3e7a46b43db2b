"""All that the networks say of a finished clip: what of a closer look needs them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import partial

import numpy as np

from .. import files, models, video
from ..runs import Run
from . import gradient, questions
from .changes import CHANGES, survived
from .questions import Answer

FILE = "look.npz"
"""Where a run that is shipped keeps it, for machines that lack its networks."""
GRID = 56
"""Cells of a frame's side in which a shipped run keeps where the model looks."""
MOST = 2**24
"""Bytes that it may take."""
PASSES = gradient.PASSES * gradient.SAMPLES + len(questions.QUESTIONS) + len(CHANGES)
"""So many passes through the model an opinion takes."""


@dataclass(frozen=True)
class Opinion:
    """`weights`: how much each pixel, or cell, matters to the model, float32 (T, H, W). `answers` to the counter-questions, by
    question and network. `survived`: whether the model still names the action, by everyday change."""

    weights: np.ndarray
    answers: dict[str, dict[str, Answer]]
    survived: dict[str, bool]


def ask(run: Run, tell: files.Progress = lambda done, total: None) -> Opinion:
    """Ask them: some two dozen passes through the model, and a few through verifier and judge; `tell` is told how many of the
    `PASSES` are done. Raises `LeapsError`."""
    config, clip, done = run.config, run.clip, 0
    cast = questions.cast(config)
    models.require_weights(cast)
    network = models.load(config.model, config.device)
    even = clip[:, : clip.shape[1] // 2 * 2, : clip.shape[2] // 2 * 2]  # as H.264 wants it

    def passed(passes: int) -> None:
        nonlocal done
        done += passes
        tell(done, PASSES)

    return Opinion(
        gradient.sensitivity(config.model, cast.class_index, clip, config.device, passed),
        questions.ask(config, clip, passed),
        survived(partial(questions.logits, network), video.to_tensor(even), cast.class_index, passed),
    )


def keep(run: Run) -> None:
    """Ask, and keep it beside the run. Raises `LeapsError`, `OSError`."""
    import cv2

    found = ask(run)
    small = [cv2.resize(frame, (GRID, GRID), interpolation=cv2.INTER_AREA) for frame in found.weights]
    said = {"answers": found.answers, "survived": found.survived}
    files.write_arrays(run.folder / FILE, weights=np.float16(small / found.weights.max()), said=np.array(json.dumps(said)))


def kept(run: Run) -> Opinion | None:
    """What was kept beside a run that is shipped; None: nothing."""
    path = run.folder / FILE
    if not run.demo or not path.exists():
        return None
    with files.arrays(path, MOST) as found:
        weights, said = found["weights"].astype(np.float32), json.loads(str(found["said"]))
    answers = {question: {name: Answer(*told) for name, told in row.items()} for question, row in said["answers"].items()}
    return Opinion(weights, answers, said["survived"])
