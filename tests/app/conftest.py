"""A folder of runs for tests that start jobs as the page does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app import views


@pytest.fixture
def runs_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """LEAPS_HOME of one test; afterwards its jobs have ended."""
    monkeypatch.setenv("LEAPS_HOME", str(tmp_path))
    yield tmp_path
    for job in list(views.JOBS._jobs.values()):
        views.JOBS.stop(job)
        if job.worker:
            job.worker.join(60)
