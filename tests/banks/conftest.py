"""Banks and videos of a few clips."""

from __future__ import annotations

from pathlib import Path

import pytest

from leaps_core import banks
from tests.banks.helpers import write_videos


@pytest.fixture
def puppets(tmp_path: Path) -> banks.Bank:
    return banks.build(banks.plan_puppets(20), "tiny", tmp_path / "puppets.parquet")


@pytest.fixture
def videos(tmp_path: Path) -> Path:
    """Six readable clips of two labels, and one that isn't a video."""
    return write_videos(tmp_path)
