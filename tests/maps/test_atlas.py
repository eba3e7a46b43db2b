"""Where new points come to lie on a map."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from leaps_core import banks, maps
from leaps_core.errors import BankError
from leaps_core.maps.atlas import _memberships
from tests.maps.helpers import clusters, make_bank


@pytest.mark.parametrize("metric", maps.METRICS)
def test_new_points_land_where_umap_would_put_them(bank: banks.Bank, metric: maps.Metric) -> None:
    import umap

    told: list[tuple[int, int | None]] = []
    fitted = maps.load_or_fit(bank, maps.Recipe("umap", metric), lambda done, total: told.append((done, total)))
    ((total,), shares) = {total for _, total in told}, [done / (total or 1) for done, total in told]
    assert total and shares == sorted(shares) and 0 <= shares[0] < shares[-1] <= 1
    again = maps.fit(bank, maps.Recipe("umap", metric))
    assert np.array_equal(fitted.positions, again.positions), "the same seed gives the same map"

    own = umap.UMAP(metric=metric, random_state=0, n_jobs=1).fit(maps.prepare(bank.embeddings, metric))
    widest = np.argsort(-np.ptp(own.embedding_, axis=0))  # lies
    assert np.allclose(own.embedding_[:, widest], fitted.positions)
    new = clusters(80, 1)
    theirs, mine = own.transform(maps.prepare(new, metric))[:, widest], maps.Atlas(bank, fitted).project(new)
    diagonal = np.linalg.norm(np.ptp(fitted.positions, axis=0))
    assert np.median(np.linalg.norm(theirs - mine, axis=1)) < 0.03 * diagonal


def test_memberships_are_those_of_umap() -> None:
    from umap.umap_ import compute_membership_strengths, smooth_knn_dist

    distances = np.sort(np.random.default_rng(0).random((50, 15)).astype(np.float32), 1)
    sigmas, rhos = smooth_knn_dist(distances, 15.0, local_connectivity=0.0)
    rows, _, strengths, _ = compute_membership_strengths(
        np.tile(np.arange(15, dtype=np.int32), (50, 1)), distances, sigmas, rhos, bipartite=True
    )
    theirs = strengths.reshape(50, 15)
    assert np.allclose(_memberships(distances), theirs / theirs.sum(1, keepdims=True), atol=1e-3)


def test_a_clip_of_the_map_lies_where_it_lies(bank: banks.Bank) -> None:
    fitted = maps.load_or_fit(bank, maps.Recipe("umap", "euclidean"))
    atlas = maps.Atlas(bank, fitted)
    assert np.allclose(atlas.project(bank.embeddings[[3, 50]]), fitted.positions[[3, 50]])
    numbers, distances = atlas.nearest(bank.embeddings[[3]], 4)
    assert numbers[0, 0] == 3 and distances[0, 0] == 0 and set(bank.labels[numbers[0]]) == {"class 3"}


def test_a_large_bank_opens_with_its_map_and_takes_points(tmp_path: Path) -> None:
    """20,000 clips × 2,048 numbers; `benchmarks.places` says how fast."""
    vectors = np.random.default_rng(0).random((20_000, 2048), np.float32)
    bank, recipe = make_bank(tmp_path / "large.parquet", vectors), maps.Recipe()
    places = np.random.default_rng(0).random((20_000, 2)).astype(np.float32)
    maps.store(maps.Map(recipe, np.arange(20_000), places), bank)
    opened = banks.Bank.open(bank.path)
    fitted = maps.stored(opened, recipe)
    assert fitted is not None and len(opened.labels) == 20_000
    atlas, new = maps.Atlas(opened, fitted), vectors[[7, 19_999]]
    placed = atlas.project(new)
    assert placed.shape == (2, 2) and ((placed > 0) & (placed < 1)).all()
    assert atlas.nearest(new, 1)[0].tolist() == [[7], [19_999]]


def test_what_else_lies_on_a_map_has_rows_of_its_own(bank: banks.Bank, tmp_path: Path) -> None:
    atlas = maps.Atlas(bank, maps.load_or_fit(bank, maps.Recipe("pca")))
    maps.write_csv(atlas, tmp_path / "map.csv", [("step", 40, "class 1", "a-run", [0.5, -2.0])])
    lines = (tmp_path / "map.csv").read_text("utf-8").splitlines()
    assert len(lines) == 242 and lines[-1] == "step,40,class 1,a-run,0.5,-2"


def test_points_of_another_model_and_too_many_neighbours_are_told(bank: banks.Bank) -> None:
    atlas = maps.Atlas(bank, maps.load_or_fit(bank, maps.Recipe("pca")))
    with pytest.raises(BankError, match="embeddings have 32 numbers"):
        atlas.project(np.zeros((1, 7)))
    with pytest.raises(BankError, match="500 neighbours"):
        atlas.nearest(bank.embeddings[:1], 500)
