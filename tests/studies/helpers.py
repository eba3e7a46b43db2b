"""Rows of studies without runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from leaps_core.studies.report import Report
from leaps_core.studies.study import Asked, Study

CLASSES = 4


def rows_of(study: Study, asked: Asked, p: Callable[[dict[str, Any]], float]) -> list[dict[str, Any]]:
    """A row for each trial of a study; `p` says what all networks give its action, which is class 0."""
    found = []
    for trial in study.trials(asked, ()):
        share = p(trial.at)
        row = {**trial.at, "status": "done", "error": "", "run": trial.id, "loss": 1 - share, "primed": 3, "motion": 0.01}
        row |= {f"loss_{name}": 0.25 for name in ("cross_entropy", "priming", "coherence", "diversity")}
        for name in ("model", "verifier", "judge"):
            row |= {f"p_{name}": share, f"top1_{name}": share > 0.5}
            row[f"classes_{name}"] = [share, *np.full(CLASSES - 1, (1 - share) / (CLASSES - 1))]
        row |= {"before": 0.01, "change": share / 10, "changed": share / 5, "concentrated": 0.5, "when": [0.1, 0.2]}
        found.append(row)
    return found


def read(study: Study, asked: Asked, p: Callable[[dict[str, Any]], float]) -> Report:
    """What the study says of such rows."""
    return study.read(asked, rows_of(study, asked, p))
