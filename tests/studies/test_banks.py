"""The banks that are shipped."""

from __future__ import annotations

from pathlib import Path

from leaps_core import models
from leaps_core.studies import banks as bundle
from tests import tiny

tiny.register()


def test_shipped_banks_are_made_again_for_new_weights(tmp_path: Path) -> None:
    bank = bundle.make("tiny", tmp_path, 32)
    assert {path.name for path in tmp_path.iterdir()} == {
        "tiny.parquet",
        *(f"tiny.{method}-cosine-{dims}d.npz" for method in ("umap", "pca") for dims in (2, 3)),
    }
    before = bank.path.stat().st_mtime_ns
    assert bundle.make("tiny", tmp_path, 32).path.stat().st_mtime_ns == before
    models.register(models.spec("tiny"), lambda: tiny.TinyNet(50))
    try:
        assert bundle.make("tiny", tmp_path, 32).facts["weights"] != bank.facts["weights"]
    finally:
        tiny.register()
