"""A bank of made-up embeddings, and a LEAPS_HOME of one's own."""

from __future__ import annotations

from pathlib import Path

import pytest

from leaps_core import banks
from tests.maps.helpers import CLASSES, EACH, clusters, make_bank


@pytest.fixture
def bank(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> banks.Bank:
    monkeypatch.setenv("LEAPS_HOME", str(tmp_path / "home"))
    return make_bank(tmp_path / "bank.parquet", clusters(CLASSES * EACH, 0))
