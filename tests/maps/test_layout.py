"""Maps of banks: UMAP and PCA, kept beside the bank."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from leaps_core import banks, maps, paths
from leaps_core.errors import BankError
from leaps_core.maps import layout
from tests.conftest import ROOT
from tests.maps.helpers import CLASSES, clusters, make_bank


@pytest.mark.parametrize("metric", maps.METRICS)
@pytest.mark.parametrize("dims", [2, 3])
def test_pca_is_exact(bank: banks.Bank, metric: maps.Metric, dims: int) -> None:
    fitted = maps.load_or_fit(bank, maps.Recipe("pca", metric, dims))
    prepared = maps.prepare(bank.embeddings, metric).astype(float)
    centred = prepared - prepared.mean(0)
    _, values, axes = np.linalg.svd(centred, full_matrices=False)
    assert np.allclose(np.abs(fitted.positions), np.abs(centred @ axes[:dims].T), atol=1e-3)
    assert fitted.explained is not None and np.allclose(fitted.explained, (values**2 / (values**2).sum())[:dims], atol=1e-4)
    assert np.allclose(maps.Atlas(bank, fitted).project(bank.embeddings[5:9]), fitted.positions[5:9], atol=1e-4)


def test_a_umap_leaves_pytorch_its_number_of_threads() -> None:
    code = (  # numba sets another number when its own threads begin, once in a process
        "import numpy as np, torch; from leaps_core import maps; from leaps_core.maps import layout; "
        "print(torch.get_num_threads()); layout.lay_out(np.random.default_rng(0).random((30, 8)), maps.Recipe(neighbours=5)); "
        "print(torch.get_num_threads())"
    )
    few = {**os.environ, "OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "2"}
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=few, cwd=ROOT, check=True).stdout
    assert said.split() == ["1", "1"]


def test_the_wide_direction_of_a_umap_lies_also_in_one_that_was_kept_earlier(bank: banks.Bank) -> None:
    recipe = maps.Recipe()
    fitted = maps.load_or_fit(bank, recipe)
    width, height = np.ptp(fitted.positions, 0)
    assert width >= height
    maps.store(replace(fitted, positions=fitted.positions[:, ::-1]), bank)
    found = maps.stored(bank, recipe)
    assert found is not None and np.array_equal(found.positions, fitted.positions)


def test_maps_are_kept_beside_their_bank_and_known_by_its_digest(bank: banks.Bank) -> None:
    recipe = maps.Recipe("pca")
    assert maps.stored(bank, recipe) is None
    fitted = maps.load_or_fit(bank, recipe)
    kept = bank.path.with_name("bank.pca-cosine-2d.npz")
    found = maps.stored(bank, recipe)
    assert found is not None and np.array_equal(found.positions, fitted.positions) and kept.exists()
    assert maps.stored(bank, maps.Recipe("pca", seed=1)) is None
    other = banks.Bank(bank.path, bank.facts | {"digest": "another"})
    assert maps.stored(other, recipe) is None, "a bank that was built again needs a new map"
    kept.write_bytes(kept.read_bytes()[:100])
    assert maps.stored(bank, recipe) is None, "a damaged map is fitted anew"


def test_a_shipped_banks_map_goes_to_the_persons_own_folder(
    bank: banks.Bank, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "BANKS", bank.path.parent)
    maps.load_or_fit(bank, maps.Recipe("pca"))
    assert not bank.path.with_name("bank.pca-cosine-2d.npz").exists()
    assert len(list((tmp_path / "home" / "maps").iterdir())) == 1 and maps.stored(bank, maps.Recipe("pca")) is not None


def test_of_a_large_bank_a_sample_is_mapped(bank: banks.Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "MOST", 50)
    fitted = maps.load_or_fit(bank, maps.Recipe("pca"))
    assert len(fitted.numbers) == len(fitted.positions) == 50
    atlas = maps.Atlas(bank, fitted)
    assert np.allclose(atlas.project(bank.rows(fitted.numbers[:3])), fitted.positions[:3], atol=1e-4)
    assert set(atlas.nearest(bank.rows([0]), 10)[0][0]) <= set(fitted.numbers)


def test_what_cant_be_is_told(tmp_path: Path) -> None:
    few = make_bank(tmp_path / "few.parquet", clusters(12, 0))
    with pytest.raises(BankError, match="has 12 clips; umap needs more than 15"):
        maps.fit(few, maps.Recipe())
    with pytest.raises(BankError, match="no map by tsne"):
        maps.Recipe("tsne")  # type: ignore[arg-type]
    for odd in ({"neighbours": 1}, {"neighbours": -3}, {"seed": -1}, {"seed": 2**32}):
        with pytest.raises(BankError, match=r"no map of .* Expected: 2 neighbours or more, a seed from 0"):
            maps.Recipe(**odd)


@pytest.mark.parametrize(("count", "dims", "fits"), [(3, 2, False), (4, 2, True), (4, 3, False), (5, 3, True)])
def test_a_map_of_a_handful_of_clips_is_made_or_refused(tmp_path: Path, count: int, dims: int, fits: bool) -> None:
    few, recipe = make_bank(tmp_path / "few.parquet", clusters(count, 0)), maps.Recipe(neighbours=2, dims=dims)
    if fits:
        assert np.isfinite(maps.fit(few, recipe).positions).all()
    else:
        with pytest.raises(BankError, match=rf"has {count} clips; umap needs more than {count}\. Add clips\.$"):
            maps.fit(few, recipe)


@pytest.mark.parametrize("method", maps.METHODS)
def test_vectors_can_be_laid_out_without_a_bank(method: maps.Method) -> None:
    vectors = clusters(240, 0)
    found = maps.lay_out(vectors, maps.Recipe(method))
    assert found.shape == (240, 2) and np.isfinite(found).all()
    centres = np.stack([found[number::CLASSES].mean(0) for number in range(CLASSES)])
    nearest = np.linalg.norm(found[:, None] - centres, axis=2).argmin(1)
    assert (nearest == np.arange(240) % CLASSES).mean() > 0.9, "classes lie apart"


@pytest.mark.parametrize(
    "changed",
    [
        {"numbers": np.arange(240) + 10**9},
        {"numbers": np.arange(240) - 30},
        {"numbers": np.zeros((240, 2), int)},
        {"numbers": np.array(["x"] * 240)},
        {"places": np.full((240, 2), np.nan)},
        {"places": np.zeros((3, 2))},
        {"places": np.zeros((240, 3))},
        {"axes": np.zeros((7, 9), np.float32)},
        {"centre": np.array(["x"] * 32)},
    ],
)
def test_a_kept_map_that_cant_be_is_fitted_anew(bank: banks.Bank, changed: dict[str, np.ndarray]) -> None:
    recipe = maps.Recipe("pca")
    right = maps.load_or_fit(bank, recipe)
    kept = bank.path.with_name("bank.pca-cosine-2d.npz")
    with np.load(kept) as saved:
        arrays = dict(saved)
    assert len(right.numbers) == 240 and set(changed) < set(arrays)
    np.savez(kept, **(arrays | changed))
    assert maps.stored(bank, recipe) is None
    assert np.array_equal(maps.load_or_fit(bank, recipe).positions, right.positions)
    np.savez(kept, **arrays)
    assert maps.stored(bank, recipe) is not None
