"""All studies that are lists of runs, by the names of their commands."""

from __future__ import annotations

from ..errors import RunError, did_you_mean
from . import across, counterfactual, embedding, grid, multi_stimuli, priming_share, regularizers, transfer
from .study import Study

STUDIES: dict[str, Study] = {
    study.name: study
    for study in (
        priming_share.STUDY,
        regularizers.STUDY,
        multi_stimuli.STUDY,
        counterfactual.STUDY,
        transfer.STUDY,
        grid.STUDY,
        across.STUDY,
        embedding.STUDY,
    )
}


def find(name: str) -> Study:
    """The study of this name. Raises `RunError`."""
    if name not in STUDIES:
        raise RunError(f"There is no study “{name}”.{did_you_mean(name, STUDIES)} Known: {', '.join(STUDIES)}.")
    return STUDIES[name]
