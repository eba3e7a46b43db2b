"""Maps of banks: UMAP and PCA, kept beside the bank, and where new points come to lie."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from leaps_core import banks, maps
from leaps_core.cli import main
from leaps_core.errors import BankError

CLASSES, EACH, DIM = 4, 60, 32


def clusters(count: int, seed: int) -> np.ndarray:
    """Made-up embeddings (count, DIM) of CLASSES classes in turn, all positive."""
    centres = np.random.default_rng(99).random((CLASSES, DIM)) * 4
    return np.abs(centres[np.arange(count) % CLASSES] + np.random.default_rng(seed).normal(0, 0.4, (count, DIM)))


def make_bank(path: Path, vectors: np.ndarray) -> banks.Bank:
    facts = {"model": "tiny", "weights": "0" * 16, "world": "puppets", "layer": "block2", "puppets": False}
    numbers = range(len(vectors))
    columns = {
        "label": [f"class {i % CLASSES}" for i in numbers],
        "source": [f"{i}.mp4" for i in numbers],
        "embedding": vectors,
    }
    return banks.assemble(
        path,
        facts,
        len(vectors),
        lambda numbers: ({name: values[numbers.start : numbers.stop] for name, values in columns.items()}, []),
    )


@pytest.fixture
def bank(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> banks.Bank:
    monkeypatch.setenv("LEAPS_HOME", str(tmp_path / "home"))
    return make_bank(tmp_path / "bank.parquet", clusters(CLASSES * EACH, 0))


@pytest.mark.parametrize("metric", maps.METRICS)
@pytest.mark.parametrize("dims", [2, 3])
def test_pca_is_exact(bank: banks.Bank, metric: maps.Metric, dims: int) -> None:
    chart = maps.chart(bank, maps.Recipe("pca", metric, dims))
    prepared = maps.prepare(bank.embeddings, metric).astype(float)
    centred = prepared - prepared.mean(0)
    _, values, axes = np.linalg.svd(centred, full_matrices=False)
    assert np.allclose(np.abs(chart.places), np.abs(centred @ axes[:dims].T), atol=1e-3)
    assert chart.explained is not None and np.allclose(chart.explained, (values**2 / (values**2).sum())[:dims], atol=1e-4)
    assert np.allclose(maps.Atlas(bank, chart).place(bank.embeddings[5:9]), chart.places[5:9], atol=1e-4)


@pytest.mark.parametrize("metric", maps.METRICS)
def test_new_points_land_where_umap_would_put_them(bank: banks.Bank, metric: maps.Metric) -> None:
    import umap

    told: list[float] = []
    chart = maps.chart(bank, maps.Recipe("umap", metric), told.append)
    assert told and told == sorted(told) and 0 <= told[0] < told[-1] <= 1
    again = maps.fit(bank, maps.Recipe("umap", metric))
    assert np.array_equal(chart.places, again.places), "the same seed gives the same map"

    own = umap.UMAP(metric=metric, random_state=0, n_jobs=1).fit(maps.prepare(bank.embeddings, metric))
    assert np.allclose(own.embedding_, chart.places)
    new = clusters(80, 1)
    theirs, mine = own.transform(maps.prepare(new, metric)), maps.Atlas(bank, chart).place(new)
    diagonal = np.linalg.norm(np.ptp(chart.places, axis=0))
    assert np.median(np.linalg.norm(theirs - mine, axis=1)) < 0.03 * diagonal


def test_memberships_are_those_of_umap() -> None:
    from umap.umap_ import compute_membership_strengths, smooth_knn_dist

    distances = np.sort(np.random.default_rng(0).random((50, 15)).astype(np.float32), 1)
    sigmas, rhos = smooth_knn_dist(distances, 15.0, local_connectivity=0.0)
    rows, _, strengths, _ = compute_membership_strengths(
        np.tile(np.arange(15, dtype=np.int32), (50, 1)), distances, sigmas, rhos, bipartite=True
    )
    theirs = strengths.reshape(50, 15)
    assert np.allclose(maps._memberships(distances), theirs / theirs.sum(1, keepdims=True), atol=1e-3)


def test_a_clip_of_the_map_lies_where_it_lies(bank: banks.Bank) -> None:
    chart = maps.chart(bank, maps.Recipe("umap", "euclidean"))
    atlas = maps.Atlas(bank, chart)
    assert np.allclose(atlas.place(bank.embeddings[[3, 50]]), chart.places[[3, 50]])
    numbers, distances = atlas.nearest(bank.embeddings[[3]], 4)
    assert numbers[0, 0] == 3 and distances[0, 0] == 0 and set(bank.labels[numbers[0]]) == {"class 3"}


def test_a_large_bank_opens_with_its_map_and_takes_points(tmp_path: Path) -> None:
    """20,000 clips × 2,048 numbers; `benchmarks.places` says how fast."""
    vectors = np.random.default_rng(0).random((20_000, 2048), np.float32)
    bank, recipe = make_bank(tmp_path / "large.parquet", vectors), maps.Recipe()
    places = np.random.default_rng(0).random((20_000, 2)).astype(np.float32)
    maps.store(maps.Map(recipe, np.arange(20_000), places), bank)
    opened = banks.Bank.open(bank.path)
    chart = maps.stored(opened, recipe)
    assert chart is not None and len(opened.labels) == 20_000
    atlas, new = maps.Atlas(opened, chart), vectors[[7, 19_999]]
    placed = atlas.place(new)
    assert placed.shape == (2, 2) and ((placed > 0) & (placed < 1)).all()
    assert atlas.nearest(new, 1)[0].tolist() == [[7], [19_999]]


def test_maps_are_kept_beside_their_bank_and_known_by_its_digest(bank: banks.Bank) -> None:
    recipe = maps.Recipe("pca")
    assert maps.stored(bank, recipe) is None
    chart = maps.chart(bank, recipe)
    kept = bank.path.with_name("bank.pca-cosine-2d.npz")
    found = maps.stored(bank, recipe)
    assert found is not None and np.array_equal(found.places, chart.places) and kept.exists()
    assert maps.stored(bank, maps.Recipe("pca", seed=1)) is None
    other = banks.Bank(bank.path, bank.facts | {"digest": "another"})
    assert maps.stored(other, recipe) is None, "a bank that was built again needs a new map"
    kept.write_bytes(kept.read_bytes()[:100])
    assert maps.stored(bank, recipe) is None, "a damaged map is fitted anew"


def test_a_shipped_banks_map_goes_to_the_persons_own_folder(
    bank: banks.Bank, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(maps, "BANKS", bank.path.parent)
    maps.chart(bank, maps.Recipe("pca"))
    assert not bank.path.with_name("bank.pca-cosine-2d.npz").exists()
    assert len(list((tmp_path / "home" / "maps").iterdir())) == 1 and maps.stored(bank, maps.Recipe("pca")) is not None


def test_of_a_large_bank_a_sample_is_mapped(bank: banks.Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maps, "MOST", 50)
    chart = maps.chart(bank, maps.Recipe("pca"))
    assert len(chart.numbers) == len(chart.places) == 50
    atlas = maps.Atlas(bank, chart)
    assert np.allclose(atlas.place(bank.rows(chart.numbers[:3])), chart.places[:3], atol=1e-4)
    assert set(atlas.nearest(bank.rows([0]), 10)[0][0]) <= set(chart.numbers)


def test_what_cant_be_is_told(tmp_path: Path, bank: banks.Bank) -> None:
    few = make_bank(tmp_path / "few.parquet", clusters(12, 0))
    with pytest.raises(BankError, match="has 12 clips; umap needs more than 15"):
        maps.fit(few, maps.Recipe())
    with pytest.raises(BankError, match="no map by tsne"):
        maps.Recipe("tsne")  # type: ignore[arg-type]
    atlas = maps.Atlas(bank, maps.chart(bank, maps.Recipe("pca")))
    with pytest.raises(BankError, match="embeddings have 32 numbers"):
        atlas.place(np.zeros((1, 7)))
    with pytest.raises(BankError, match="500 neighbours"):
        atlas.nearest(bank.embeddings[:1], 500)


def test_what_else_lies_on_a_map_has_rows_of_its_own(bank: banks.Bank, tmp_path: Path) -> None:
    atlas = maps.Atlas(bank, maps.chart(bank, maps.Recipe("pca")))
    maps.write_csv(atlas, tmp_path / "map.csv", [("step", 40, "class 1", "a-run", [0.5, -2.0])])
    lines = (tmp_path / "map.csv").read_text("utf-8").splitlines()
    assert len(lines) == 242 and lines[-1] == "step,40,class 1,a-run,0.5,-2"


def test_map_on_the_command_line(bank: banks.Bank, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["map", str(bank.path), "--method", "pca", "--dims", "3", "--csv", str(tmp_path / "map.csv")]) == 0
    lines = (tmp_path / "map.csv").read_text("utf-8").splitlines()
    assert lines[0] == "kind,number,label,source,x,y,z" and lines[8].startswith("real,7,class 3,7.mp4,") and len(lines) == 241
    assert "240 of 240 clips" in capsys.readouterr().err
    assert main(["map", str(tmp_path / "none.parquet")]) == 2
