"""Principal axes of people or of their sequences."""

from dataclasses import dataclass

import numpy as np
from sklearn.decomposition import PCA


@dataclass(frozen=True, eq=False)
class Axes:
    """Principal axes of people: dosages less `mean` (variants,), times `loadings` (variants, k)."""

    mean: np.ndarray
    loadings: np.ndarray

    def coordinates(self, dosages: np.ndarray) -> np.ndarray:
        """Where people (or haplotypes, whatever was fitted) lie on the axes, float64 (people, k)."""
        projected = dosages.astype(np.float32) @ self.loadings - self.mean @ self.loadings
        return projected.astype(np.float64)


def fit_axes(dosages: np.ndarray, components: int, seed: int) -> Axes:
    """The first principal axes of centred, unscaled rows (n, variants), by randomised SVD; at most n - 1 of them.

    Raises ValueError with fewer than two rows.
    """
    k = min(components, len(dosages) - 1, dosages.shape[1])
    if k < 1:
        raise ValueError("principal axes need at least two people and one variant")
    pca = PCA(k, svd_solver="randomized", n_oversamples=20, random_state=seed)
    pca.fit(dosages.astype(np.float32))
    return Axes(pca.mean_.astype(np.float32), pca.components_.T.astype(np.float32))
