"""Factor analysis of standardised genotypes: where sequences lie on a few axes, and what the axes are.

    seen = loadings place + noise                   (variants, sequences)
    place ~ N(mean(label), cov(label)), loadings ~ N(0, 1), noise ~ N(0, noise)

Probabilistic PCA (Tipping & Bishop, J R Stat Soc B 1999) with a prior of places for each label, learnt by variational
Bayes (Bishop, Variational principal components, ICANN 1999), which shrinks the loadings towards 0 as far as the noise
leaves them unsure. Mean loadings are sums over sequences, seen @ weights, so that a round needs of the genotypes no
more than their inner products seen.T @ seen.
"""

from dataclasses import dataclass

import numpy as np
from scipy import linalg

ROUNDS = 60
PSEUDO_SEQUENCES = 5.0  # of all labels' covariance in that of each


@dataclass(frozen=True, eq=False)
class Factors:
    """What is learnt.

    Attributes:
        weights: (sequences, k); the posterior mean of the loadings is seen @ weights, (variants, k).
        unsure: (k, k), the posterior covariance of the loadings, the same at every variant.
        mean, root: (labels, k) and (labels, k, k); root @ root.T is the covariance of a label's places.
    """

    weights: np.ndarray
    unsure: np.ndarray
    mean: np.ndarray
    root: np.ndarray


def fit(gram: np.ndarray, code: np.ndarray, variants: int, *, axes: int, shrinkage: float = 1.0) -> Factors:
    """Factors of `axes` axes, at most as many as sequences, after `ROUNDS` rounds from principal coordinates.

    `gram` (sequences, sequences) is seen.T @ seen over so many variants, `code` (sequences,) the labels' codes from 0.
    In the end the loadings are shrunk by `shrinkage` times the noise. Raises ValueError for one below 1.
    """
    if not shrinkage >= 1:
        raise ValueError(f"a shrinkage of {shrinkage}; give 1 or more")
    n, eye, sizes = len(gram), np.eye(axes), np.bincount(code)
    value, vector = linalg.eigh(gram, subset_by_index=[n - axes, n - 1])
    place = vector * np.sqrt(np.maximum(value, 0) / variants)
    spread = np.tile(1e-4 * eye, (len(sizes), 1, 1))  # how unsure a label's places are
    # Half of what is within a label on principal axes is taken for a sequence's own noise.
    place = (place + _clouds(place, spread, code)[0][code]) / 2
    noise = np.trace(gram) / (n * variants)
    square = place.T @ place + np.tensordot(sizes, spread, 1)
    for _ in range(ROUNDS):
        unsure = np.linalg.inv(square / noise + eye)
        weights = place @ unsure / noise
        told = gram @ weights
        loaded = weights.T @ told + variants * unsure
        mean, cov = _clouds(place, spread, code)
        inverse = np.linalg.inv(cov)
        spread = np.linalg.inv(inverse + loaded / noise)
        toward = np.einsum("lij,lj->li", inverse, mean)[code] + told / noise
        place = np.einsum("nij,nj->ni", spread[code], toward)
        square = place.T @ place + np.tensordot(sizes, spread, 1)
        noise = (np.trace(gram) - 2 * (told * place).sum() + (loaded * square).sum()) / (n * variants)
    unsure = np.linalg.inv(square / (shrinkage * noise) + eye)
    mean, cov = _clouds(place, spread, code)
    return Factors(place @ unsure / (shrinkage * noise), unsure, mean, np.linalg.cholesky(cov))


def _clouds(place: np.ndarray, spread: np.ndarray, code: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean (labels, k) and covariance (labels, k, k) of the labels' places, themselves unsure by `spread`."""
    sizes = np.bincount(code)[:, None, None]
    members = [place[code == one] for one in range(len(sizes))]
    mean = np.stack([one.mean(axis=0) for one in members])
    scatter = np.stack([len(one) * np.cov(one.T, bias=True).reshape(spread.shape[1:]) for one in members])
    scatter += sizes * spread
    everybody = scatter.sum(axis=0) / len(place)
    cov = (scatter + PSEUDO_SEQUENCES * everybody) / (sizes + PSEUDO_SEQUENCES)
    return mean, cov + 1e-10 * np.eye(place.shape[1])
