"""Maps: a bank's embeddings laid out in two or three dimensions, by UMAP or by PCA.

A map is fitted once and kept beside its bank. New points are placed on it in milliseconds, without umap-learn: exactly for
PCA, and for UMAP where its own `transform` begins (docs/map.md has how close that is to where it ends). On a UMAP map a new
point always lands among its nearest real neighbours, however far from them it is, so a place says nothing about being
*like* real clips: the figures in metrics.py do. Importing this module imports none of umap-learn, scikit-learn and torch.
"""

from __future__ import annotations

import csv
import json
import re
import uuid
import warnings
import zipfile
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from . import metrics, runs
from .banks import BANKS, Bank
from .errors import BankError

Method = Literal["umap", "pca"]
Metric = Literal["cosine", "euclidean"]
Point = tuple[str, int, str, str, Sequence[float]]
"""A row of a map's table: kind, number, label, source, place."""
METHODS: tuple[Method, ...] = get_args(Method)
METRICS: tuple[Metric, ...] = get_args(Metric)
MOST = 20_000
"""Most clips on a map; of a larger bank, a random sample is fitted and shown."""
VERSION = 1


@dataclass(frozen=True)
class Recipe:
    """How a map is made. UMAP: McInnes et al. 2018, with its usual `neighbours` and `min_dist`; same seed, same map."""

    method: Method = "umap"
    metric: Metric = "cosine"
    dims: int = 2
    neighbours: int = 15
    min_dist: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        if self.method not in METHODS or self.metric not in METRICS or self.dims not in (2, 3):
            raise BankError(
                f"There is no map by {self.method}, {self.metric}, in {self.dims} dimensions. Choose of "
                f"{' and '.join(METHODS)}, {' and '.join(METRICS)}, 2 and 3."
            )

    @property
    def name(self) -> str:
        """Part of a file's name."""
        return f"{self.method}-{self.metric}-{self.dims}d"


@dataclass(frozen=True)
class Map:
    """A fitted map. `numbers` (M,): which clips of the bank are on it; `places` float32 (M, d).

    PCA has `centre` (D,), `axes` (D, d) and `explained` (d,), the share of the variance along each.
    """

    recipe: Recipe
    numbers: np.ndarray
    places: np.ndarray
    centre: np.ndarray | None = None
    axes: np.ndarray | None = None
    explained: np.ndarray | None = None


@dataclass(frozen=True)
class Atlas:
    """A bank and a map of it, ready to place new points."""

    bank: Bank
    map: Map

    @cached_property
    def vectors(self) -> np.ndarray:
        """The clips on the map in the original space, float32 (M, D), as `prepare` makes them."""
        return prepare(self.bank.rows(self.map.numbers), self.map.recipe.metric)

    def nearest(self, points: np.ndarray, count: int = 5) -> tuple[np.ndarray, np.ndarray]:
        """The numbers in the bank (n, count) of the real clips nearest to points (n, D), in the original space by the map's
        metric, and their distances. Raises `BankError` if the map has fewer clips, or for points of another model."""
        self._check(points)
        found, distances = metrics.nearest(prepare(points, self.map.recipe.metric), self.vectors, count)
        return self.map.numbers[found], distances

    def place(self, points: np.ndarray) -> np.ndarray:
        """Where points (n, D) of the original space lie on the map: float32 (n, d).

        PCA: (x − centre) · axes. UMAP: the mean of the places of the k nearest clips, weighted by exp(−d_j / σ), where σ
        solves Σ_{j=2..k} exp(−d_j / σ) = log2 k: the place from which umap-learn's `transform` starts. Raises `BankError`.
        """
        self._check(points)
        prepared = prepare(points, self.map.recipe.metric)
        if self.map.axes is not None:
            return ((prepared - self.map.centre) @ self.map.axes).astype(np.float32)
        found, distances = metrics.nearest(prepared, self.vectors, min(self.map.recipe.neighbours, len(self.vectors)))
        if self.map.recipe.metric == "cosine":
            distances = distances**2 / 2  # of vectors of length 1: 1 − cos
        weights = _memberships(distances)
        return np.einsum("nk,nkd->nd", weights, self.map.places[found]).astype(np.float32)

    def _check(self, points: np.ndarray) -> None:
        if points.ndim != 2 or points.shape[1] != self.bank.facts["dim"]:
            raise BankError(
                f"The points are {points.shape}, the bank's embeddings have {self.bank.facts['dim']} numbers each. "
                "Use embeddings of the bank's own model."
            )


def prepare(vectors: np.ndarray, metric: Metric) -> np.ndarray:
    """Vectors whose Euclidean distances order points as the metric does: of length 1 for cosine."""
    vectors = np.asarray(vectors, np.float32)
    if metric == "euclidean":
        return vectors
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)


def chart(bank: Bank, recipe: Recipe, progress: Callable[[float], None] | None = None) -> Map:
    """The bank's stored map, or a new one, which is then stored. Raises `BankError` for too few clips."""
    found = stored(bank, recipe)
    if found is None:
        found = fit(bank, recipe, progress)
        store(found, bank)
    return found


def stored(bank: Bank, recipe: Recipe) -> Map | None:
    """The bank's map if it was fitted before, of this very bank; None: not yet."""
    for path in _paths(bank, recipe):
        try:
            with np.load(path) as saved:
                if json.loads(str(saved["facts"])) == _facts(bank, recipe):
                    return Map(
                        recipe,
                        saved["numbers"],
                        saved["places"],
                        *(saved[name] if name in saved else None for name in ("centre", "axes", "explained")),
                    )
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            continue  # missing, damaged or of an earlier bank: it is fitted anew
    return None


def store(found: Map, bank: Bank, beside: bool | None = None) -> None:
    """Keep a map. beside: next to its bank (None: unless the bank is a shipped one), else in LEAPS_HOME/maps. A folder that
    can't be written is passed over: the map is then fitted again next time."""
    arrays = {
        name: value
        for name in ("numbers", "places", "centre", "axes", "explained")
        if (value := getattr(found, name)) is not None
    }
    if beside is None:
        beside = bank.path.resolve().parent != BANKS.resolve()
    for path in _paths(bank, found.recipe)[0 if beside else 1 :]:
        part = path.with_name(f".{uuid.uuid4().hex}.part")
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            with part.open("wb") as file:  # a name would get .npz appended
                np.savez_compressed(file, allow_pickle=False, facts=json.dumps(_facts(bank, found.recipe)), **arrays)
            part.replace(path)
            return


def fit(bank: Bank, recipe: Recipe, progress: Callable[[float], None] | None = None) -> Map:
    """Fit a map of the bank, or of a sample of `MOST` of its clips. `progress` is told the share that is done.

    Raises `BankError` where there are fewer clips than the method needs.
    """
    numbers = bank.sample(MOST, recipe.seed)
    needed = recipe.neighbours if recipe.method == "umap" else recipe.dims
    if len(numbers) <= needed:
        raise BankError(
            f"The bank {bank.name} has {len(numbers)} clips; {recipe.method} needs more than {needed}. "
            "Add clips" + (", or ask for fewer neighbours." if recipe.method == "umap" else ".")
        )
    vectors = prepare(bank.rows(numbers), recipe.metric)
    if recipe.method == "pca":
        from sklearn.decomposition import PCA

        found = PCA(recipe.dims, svd_solver="covariance_eigh").fit(vectors)
        axes = found.components_.T.astype(np.float32)
        return Map(recipe, numbers, (vectors - found.mean_) @ axes, found.mean_, axes, found.explained_variance_ratio_)
    return Map(recipe, numbers, _umap(vectors, recipe, progress))


def layout(vectors: np.ndarray, recipe: Recipe) -> np.ndarray:
    """Places (n, d) of vectors (n, D) on a map of their own, which is not kept."""
    prepared = prepare(vectors, recipe.metric)
    if recipe.method == "umap":
        return _umap(prepared, recipe)
    from sklearn.decomposition import PCA

    return PCA(recipe.dims, svd_solver="covariance_eigh").fit_transform(prepared)


def write_csv(atlas: Atlas, path: Path, others: Iterable[Point] = ()) -> None:
    """The map as a table: kind, number, label, source, x, y (and z). Real clips are of the kind “real”, with their numbers in
    the bank; `others`, below them, say of themselves what they are."""
    labels, sources = atlas.bank.labels, atlas.bank.sources
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["kind", "number", "label", "source", *"xyz"[: atlas.map.recipe.dims]])
        real = (
            ("real", number, labels[number], sources[number], place)
            for number, place in zip(atlas.map.numbers.tolist(), atlas.map.places.tolist(), strict=True)
        )
        for *facts, place in chain(real, others):
            table.writerow([*facts, *(f"{value:.5g}" for value in place)])


class _Epochs:
    """What umap-learn's progress bar writes to."""

    def __init__(self, progress: Callable[[float], None]) -> None:
        self.progress = progress

    def write(self, text: str) -> None:
        if counted := re.search(r"(\d+) of (\d+)", text):
            self.progress(int(counted[1]) / int(counted[2]))

    def flush(self) -> None:
        pass


def _umap(vectors: np.ndarray, recipe: Recipe, progress: Callable[[float], None] | None = None) -> np.ndarray:
    """Places float32 (n, d) by UMAP."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a seed means one thread, and what numba thinks of umap-learn
        import umap

        bar = {"file": _Epochs(progress), "bar_format": "{n} of {total}", "disable": False} if progress else {"disable": True}
        found = umap.UMAP(
            n_neighbors=min(recipe.neighbours, len(vectors) - 1),
            min_dist=recipe.min_dist,
            n_components=recipe.dims,
            metric=recipe.metric,
            random_state=recipe.seed,
            n_jobs=1,
            tqdm_kwds=bar,
        ).fit(vectors)
    return np.asarray(found.embedding_, np.float32)


def _memberships(distances: np.ndarray) -> np.ndarray:
    """Weights (n, k) of ascending distances (n, k), as umap-learn's `transform` has them before it refines."""
    target = np.log2(distances.shape[1])
    low, high = np.full((len(distances), 1), 1e-6), np.full((len(distances), 1), 1e6)
    for _ in range(60):  # bisection of log σ
        sigma = np.sqrt(low * high)
        wide = np.exp(-distances[:, 1:] / sigma).sum(1, keepdims=True) > target
        low, high = np.where(wide, low, sigma), np.where(wide, sigma, high)
    weights = np.exp(-distances / np.maximum(sigma, 1e-3 * distances.mean(1, keepdims=True) + 1e-12))
    same = distances[:, 0] == 0  # a clip of the map itself lies where it lies
    weights[same] = np.arange(distances.shape[1]) == 0
    return weights / weights.sum(1, keepdims=True)


def _facts(bank: Bank, recipe: Recipe) -> dict[str, Any]:
    return {"version": VERSION, "digest": bank.facts["digest"], **asdict(recipe)}


def _paths(bank: Bank, recipe: Recipe) -> list[Path]:
    """Where a bank's map may lie: beside it; and of a bank that is shipped, or can't be written beside, in LEAPS_HOME/maps."""
    return [
        bank.path.with_name(f"{bank.name}.{recipe.name}.npz"),
        runs.home() / "maps" / f"{bank.facts['digest']}.{recipe.name}.npz",
    ]
