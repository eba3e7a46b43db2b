"""A bank with its map: where new points lie on it.

New points are placed in milliseconds, without umap-learn: exactly for PCA, and for UMAP where its own `transform` begins
(docs/map.md has how close that is to where it ends). On a UMAP map a new point always lands among its nearest real neighbours,
however far from them it is, so its position says nothing about being *like* real clips: the metrics in metrics.py do.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from pathlib import Path

import numpy as np

from .. import files
from ..banks import Bank
from ..errors import BankError
from . import metrics
from .layout import Map, prepare

Point = tuple[str, int, str, str, Sequence[float]]
"""A row of a map's table: kind, number, label, source, position."""


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

    def project(self, points: np.ndarray) -> np.ndarray:
        """Where points (n, D) of the original space lie on the map: float32 (n, d).

        PCA: (x − centre) · axes. UMAP: the mean of the positions of the k nearest clips, weighted by exp(−d_j / σ), where σ
        solves Σ_{j=2..k} exp(−d_j / σ) = log2 k: the position from which umap-learn's `transform` starts. Raises `BankError`.
        """
        self._check(points)
        prepared = prepare(points, self.map.recipe.metric)
        if self.map.axes is not None:
            return ((prepared - self.map.centre) @ self.map.axes).astype(np.float32)
        found, distances = metrics.nearest(prepared, self.vectors, min(self.map.recipe.neighbours, len(self.vectors)))
        if self.map.recipe.metric == "cosine":
            distances = distances**2 / 2  # of vectors of length 1: 1 − cos
        weights = _memberships(distances)
        return np.einsum("nk,nkd->nd", weights, self.map.positions[found]).astype(np.float32)

    def _check(self, points: np.ndarray) -> None:
        if points.ndim != 2 or points.shape[1] != self.bank.facts["dim"]:
            raise BankError(
                f"The points are {points.shape}, the bank's embeddings have {self.bank.facts['dim']} numbers each. "
                "Use embeddings of the bank's own model."
            )


def write_csv(atlas: Atlas, path: Path, others: Iterable[Point] = ()) -> None:
    """The map as a table: kind, number, label, source, x, y (and z). Real clips are of the kind “real”, with their numbers in
    the bank; `others`, below them, say of themselves what they are."""
    labels, sources = atlas.bank.labels, atlas.bank.sources
    with files.replacing(path) as part, part.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["kind", "number", "label", "source", *"xyz"[: atlas.map.recipe.dims]])
        real = (
            ("real", number, labels[number], sources[number], position)
            for number, position in zip(atlas.map.numbers.tolist(), atlas.map.positions.tolist(), strict=True)
        )
        for *facts, position in chain(real, others):
            table.writerow([*facts, *(f"{value:.5g}" for value in position)])


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
