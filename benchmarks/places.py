"""Where new clips land on a map, beside umap-learn's own transform: `python -m benchmarks.places [BANK]`

A UMAP of the bank (default: the bundled one of the 3-D ResNet) is fitted by umap-learn, which then transforms 200 new puppets;
the library places the same clips without it. Prints how far apart the two are, in shares of the map's diagonal, beside how far
umap-learn's transform is from itself with another seed, and the time of each; then how fast a bank of 20,000 made-up clips with
2,048 numbers each is opened with its map, and a point placed in it.
"""

from __future__ import annotations

import argparse
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from leaps_core import banks, maps, models, paths, video
from leaps_core.maps import metrics
from leaps_core.puppets import ACTIONS, render_clip

COUNT, SEED = 200, 70_000
"""New clips, and the first of their seeds: no bank has them."""


def held_out(key: str) -> np.ndarray:
    """Embeddings (COUNT, D) of new puppets, of all actions in turn."""
    network = models.load(key)
    return np.concatenate(
        [network.embed(network.fit(video.to_tensor(render_clip(ACTIONS[i % len(ACTIONS)], SEED + i)))) for i in range(COUNT)]
    )


def compare(bank: banks.Bank, points: np.ndarray, metric: maps.Metric) -> tuple[str, str]:
    """The row of a metric, and a sentence on times and neighbours."""
    import umap

    recipe = maps.Recipe("umap", metric)
    vectors = maps.prepare(bank.embeddings, metric)
    fitted: Any = umap.UMAP(
        n_neighbors=recipe.neighbours, min_dist=recipe.min_dist, metric=metric, random_state=recipe.seed, n_jobs=1
    ).fit(vectors)
    theirs, seconds = [], []
    for seed in (42, 43):
        fitted.transform_seed = seed
        begun = time.perf_counter()
        theirs.append(fitted.transform(maps.prepare(points, metric)))
        seconds.append(time.perf_counter() - begun)
    positions = np.asarray(fitted.embedding_, np.float32)
    atlas = maps.Atlas(bank, maps.Map(recipe, np.arange(len(bank)), positions))
    atlas.project(points[:1])
    begun = time.perf_counter()
    ours = np.concatenate([atlas.project(point[None]) for point in points])
    once = 1e3 * (time.perf_counter() - begun) / len(points)
    diagonal = np.linalg.norm(positions.max(0) - positions.min(0))
    apart, itself = (np.quantile(np.linalg.norm(a - b, axis=1) / diagonal, [0.5, 0.9]) for a, b in ((ours, theirs[0]), theirs))
    wanted = np.array([ACTIONS[i % len(ACTIONS)] for i in range(len(points))])
    share = [
        (bank.labels[metrics.nearest(found.astype(np.float32), positions, 5)[0]] == wanted[:, None]).mean()
        for found in (ours, theirs[0])
    ]
    return (
        f"| {metric} | {apart[0]:.2%} | {apart[1]:.2%} | {itself[0]:.2%}, {itself[1]:.2%} |",
        f"{metric}: of the five nearest dots {share[0]:.1%} have the clip's class (umap-learn: {share[1]:.1%}); placing a "
        f"clip takes {once:.1f} ms, umap-learn's first transform of all {seconds[0]:.1f} s",
    )


def large(folder: Path, count: int = 20_000, dims: int = 2048) -> str:
    """A sentence on a large bank's times."""
    rng = np.random.default_rng(0)
    facts = {"model": "made up", "weights": "0" * 16, "world": "puppets", "layer": "none", "puppets": False}
    bank = banks.assemble(
        folder / "large.parquet",
        facts,
        count,
        lambda numbers: (
            {
                "label": [f"class {i % 100}" for i in numbers],
                "source": [f"{i}.mp4" for i in numbers],
                "embedding": rng.random((len(numbers), dims), np.float32),
            },
            [],
        ),
    )
    recipe = maps.Recipe()
    maps.store(maps.Map(recipe, np.arange(count), rng.normal(0, 1, (count, 2)).astype(np.float32)), bank)
    begun = time.perf_counter()
    opened = banks.Bank.open(bank.path)
    layout = maps.stored(opened, recipe)
    opening = time.perf_counter() - begun
    assert layout is not None
    atlas, took = maps.Atlas(opened, layout), []
    for _ in range(10):
        begun = time.perf_counter()
        atlas.project(rng.random((1, dims), np.float32))
        took.append(time.perf_counter() - begun)
    return (
        f"{count:,} clips × {dims:,} numbers: opened with the map in {opening:.2f} s, a first point placed in "
        f"{took[0]:.2f} s, each other in {1e3 * np.median(took[1:]):.0f} ms"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bank", nargs="?", type=paths.given, default=banks.bundled("puppet_r50"))
    bank = banks.Bank.open(parser.parse_args().bank)
    points = held_out(bank.facts["model"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rows = [compare(bank, points, metric) for metric in ("cosine", "euclidean")]
    print(
        "| metric | median | 90 % of clips below | umap-learn against itself with another seed: median, 90 % |\n"
        "| --- | --- | --- | --- |"
    )
    print("\n".join([*(row for row, _ in rows), "", *(said for _, said in rows)]))
    with tempfile.TemporaryDirectory() as folder:
        print(large(Path(folder)))


if __name__ == "__main__":
    main()
