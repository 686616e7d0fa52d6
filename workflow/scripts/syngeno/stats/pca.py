"""Principal axes of samples or of their sequences."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

_WIDENED = 4 * 2**20  # genotypes held as float32 at a time (16 MB)


@dataclass(frozen=True, eq=False)
class Axes:
    """Principal axes of samples: dosages less `mean` (variants,), times `loadings` (variants, k)."""

    mean: np.ndarray
    loadings: np.ndarray

    def coordinates(self, dosages: np.ndarray) -> np.ndarray:
        """Where samples (or haplotypes, whatever was fitted) lie on the axes, float64 (samples, k)."""
        found = [self._of(dosages[part]) for part in _parts(len(dosages), dosages.shape[1])]
        return np.concatenate(found) if found else np.empty((0, self.loadings.shape[1]))

    def _of(self, dosages: np.ndarray) -> np.ndarray:
        return (dosages.astype(np.float32) @ self.loadings - self.mean @ self.loadings).astype(np.float64)


def fit_axes(dosages: np.ndarray, components: int) -> Axes:
    """The first principal axes of centred, unscaled rows (n, variants); at most n - 1 of them.

    By products of rows (of columns, where these are fewer), collected over a few columns at a time: memory for
    min(n, variants) squared numbers. An axis along which nothing varies has loadings of 0, others length 1 and, by
    size, a positive largest. Raises ValueError with fewer than two rows.
    """
    n, variants = dosages.shape
    k = min(components, n - 1, variants)
    if k < 1:
        raise ValueError("principal axes need at least two samples and one variant")
    mean = dosages.mean(0, dtype=np.float64).astype(np.float32)
    if n > variants:
        centred = (dosages[part] - mean for part in _parts(n, variants))
        values, vectors = _largest(sum(part.T @ part for part in centred), k)
        loadings = vectors * _varies(values)
    else:
        centred = (dosages[:, part] - mean[part] for part in _parts(variants, n))
        values, vectors = _largest(sum(part @ part.T for part in centred), k)
        weights = vectors / np.where(_varies(values), np.sqrt(np.abs(values)), np.inf)
        loadings = np.concatenate([(dosages[:, part] - mean[part]).T @ weights for part in _parts(variants, n)])
    top = loadings[np.abs(loadings).argmax(0), np.arange(k)]
    return Axes(mean, loadings * np.where(top < 0, -1, 1).astype(np.float32))


def _parts(count: int, width: int) -> Iterator[slice]:
    size = max(1, _WIDENED // max(1, width))
    return (slice(start, start + size) for start in range(0, count, size))


def _largest(matrix: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """The k largest eigenvalues (k,), descending, of a symmetrical matrix, and their vectors, float32 (n, k)."""
    if k == len(matrix) or not matrix.any():
        values, vectors = np.linalg.eigh(matrix)
    else:
        from scipy.sparse.linalg import eigsh

        start = np.random.default_rng(0).normal(size=len(matrix)).astype(np.float32)
        values, vectors = eigsh(matrix, k, v0=start)
    return values[: -k - 1 : -1], vectors[:, : -k - 1 : -1]


def _varies(values: np.ndarray) -> np.ndarray:
    return values > max(1e-6 * values.max(), 1e-30)
