"""The banks that are shipped."""

from __future__ import annotations

from pathlib import Path

from leaps_core import models
from leaps_core.shipped import banks as shipped
from tests import tiny


def test_shipped_banks_are_made_again_for_new_weights(tmp_path: Path, own_registry: None) -> None:
    bank = shipped.make("tiny", tmp_path, 32)
    assert {path.name for path in tmp_path.iterdir()} == {
        "tiny.parquet",
        *(f"tiny.{method}-cosine-{dims}d.npz" for method in ("umap", "pca") for dims in (2, 3)),
    }
    before = bank.path.stat().st_mtime_ns
    assert shipped.make("tiny", tmp_path, 32).path.stat().st_mtime_ns == before
    models.register(models.spec("tiny"), lambda: tiny.TinyNet(50))
    assert shipped.make("tiny", tmp_path, 32).facts["weights"] != bank.facts["weights"]
