"""Metrics of where synthesized clips lie among real ones.

They are computed in the original space of the embeddings, never on the points of a map: UMAP keeps neighbours, not
distances. Distances are Euclidean. `real` are the embeddings of real clips (N, D), `made` those of synthesized ones (M, D).
"""

from __future__ import annotations

import numpy as np

from ..errors import BankError


def nearest(points: np.ndarray, real: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Indices (n, count) of the rows of `real` that are nearest to points (n, D), nearest first, and their distances.

    Raises `BankError` where `real` has fewer rows.
    """
    if not 1 <= count <= len(real):
        raise BankError(f"{count} neighbours were asked for among {len(real)} clips. Ask for fewer, or add clips.")
    squares = _squares(points, real)
    found = np.argpartition(squares, count - 1, axis=1)[:, :count]
    distances = np.linalg.norm(points[:, None] - real[found], axis=2)  # anew: the quick way loses digits where they are small
    order = np.argsort(distances, axis=1, kind="stable")
    return np.take_along_axis(found, order, 1), np.take_along_axis(distances, order, 1)


def centroid_distance(made: np.ndarray, real: np.ndarray) -> np.ndarray:
    """How far each clip is from the class's centre, 1 being what is usual for real clips: (M,).

    ‖y_j − c‖ / (1/N Σ_i ‖x_i − c‖) with c = 1/N Σ_i x_i; `real` are the clips of the class. Raises `BankError` if there are
    none, or they have no spread.
    """
    if not len(real):
        raise BankError("The bank holds no real clip of this class, so it has no centre. Use a bank that has some.")
    centre = real.mean(0)
    usual = float(np.linalg.norm(real - centre, axis=1).mean())
    if usual == 0:
        raise _no_spread(real)
    return np.linalg.norm(made - centre, axis=1) / usual


def neighbour_share(made: np.ndarray, real: np.ndarray, labels: np.ndarray, action: str, count: int = 10) -> np.ndarray:
    """The share of each clip's `count` nearest real clips, of all classes, that show the action: (M,) in [0, 1].

    Raises `BankError` for one class only, which would make it 1 always, or too few clips.
    """
    classes = set(labels.tolist())
    if len(classes) < 2:
        raise BankError(
            f"The bank holds one class only ({classes.pop() if classes else 'none'}), so which class the "
            "neighbours have says nothing. Use a bank of several classes."
        )
    if action not in classes:
        raise BankError(f"The bank holds no real clip of “{action}”. Use a bank that has some.")
    return (labels[nearest(made, real, count)[0]] == action).mean(1)


def spread(points: np.ndarray) -> float:
    """How far a set of clips reaches, as the standard deviation over all dimensions: √(1/(M − 1) Σ_j ‖y_j − ȳ‖²).

    Raises `BankError` for fewer than two clips.
    """
    if len(points) < 2:
        raise BankError(f"The spread of {len(points)} clip was asked for; it takes two or more.")
    return float(np.sqrt(((points - points.mean(0)) ** 2).sum() / (len(points) - 1)))


def relative_spread(made: np.ndarray, real: np.ndarray) -> float:
    """The spread of synthesized clips by that of real ones, 1 being as wide. Raises `BankError` where either has none."""
    usual = spread(real)
    if usual == 0:
        raise _no_spread(real)
    return spread(made) / usual


def density_coverage(made: np.ndarray, real: np.ndarray, count: int = 5) -> tuple[float, float]:
    """Density and coverage (Naeem et al., *Reliable Fidelity and Diversity Metrics for Generative Models*, ICML 2020).

    With B_i the ball around the real clip x_i that reaches to its k-th nearest other real clip:
    density = 1/(k·M) Σ_j Σ_i [y_j ∈ B_i], from 0, about 1 for clips like the real ones, above where they keep to the dense
    parts; coverage = 1/N Σ_i [some y_j ∈ B_i], in [0, 1]. Raises `BankError` where there are no more than k real clips.
    """
    if not 1 <= count < len(real):
        raise BankError(f"{len(real)} real clips are too few for {count} neighbours each. Ask for fewer, or add clips.")
    radii = nearest(real, real, count + 1)[1][:, -1]  # the first is the clip itself
    inside = _squares(made, real) <= radii**2
    return float(inside.sum() / (count * len(made))), float(inside.any(0).mean())


def frechet(made: np.ndarray, real: np.ndarray) -> tuple[float, str]:
    """The Fréchet distance between Gaussians fitted to two sets (Heusel et al. 2017), and a warning, empty if all is well.

    ‖μ_1 − μ_2‖² + Tr(Σ_1 + Σ_2 − 2 (Σ_1 Σ_2)^½). With Σ = AᵀA, Tr (Σ_1 Σ_2)^½ is the sum of the singular values of A_1 A_2ᵀ.
    With few samples it is far too large (the covariance of M clips has rank M − 1), hence the warning. Raises `BankError` for
    fewer than two clips.
    """
    few = min(len(made), len(real))
    if few < 2:
        raise BankError("A Fréchet distance takes two clips or more on each side.")
    first, second = (_root(np.asarray(points, np.float64)) for points in (made, real))
    apart = made.mean(0, dtype=np.float64) - real.mean(0, dtype=np.float64)
    common = np.linalg.svd(first @ second.T, compute_uv=False).sum()
    value = float(apart @ apart + (first**2).sum() + (second**2).sum() - 2 * common)
    dim = made.shape[1]
    warning = (
        ""
        if few > dim
        else (
            f"{few} clips are too few for {dim} dimensions: the value is too large, and can only be "
            "compared with one of equally many clips."
        )
    )
    return max(value, 0.0), warning


def _no_spread(real: np.ndarray) -> BankError:
    if len(real) == 1:
        return BankError("There is one real clip of this class, which has no spread. Add clips.")
    return BankError(f"The {len(real)} real clips of this class are all the same, so they have no spread. Add clips.")


def _root(points: np.ndarray) -> np.ndarray:
    """A matrix A with AᵀA = Cov(points), of no more rows than columns."""
    centred = (points - points.mean(0)) / np.sqrt(len(points) - 1)
    return np.asarray(np.linalg.qr(centred, mode="r")) if len(centred) > centred.shape[1] else centred


def _squares(points: np.ndarray, real: np.ndarray) -> np.ndarray:
    """Squared distances (n, N); never below 0."""
    lengths = [np.einsum("ij,ij->i", vectors, vectors) for vectors in (points, real)]
    return np.maximum(lengths[0][:, None] - 2 * (points @ real.T) + lengths[1], 0)
