"""Population structure: how far two clouds of samples lie apart on principal axes, and Fst."""

import os
from typing import TYPE_CHECKING

import numpy as np

from syngeno.stats.pca import Axes, fit_axes

if TYPE_CHECKING:
    from syngeno.data.cohort import Cohort

PCS = 6
# Entropic regularisation of the Sinkhorn distance, on costs divided by their maximum, as in published figures.
REGULARISATION = 0.002


def principal_axes(cohort: "Cohort", components: int) -> Axes:
    """The first principal axes of a cohort's dosages, at most samples - 1 of them; raises as `fit_axes`."""
    return fit_axes(cohort.dosages, components)


def coordinates(train: "Cohort", *others: "Cohort", components: int = PCS) -> list[np.ndarray]:
    """Where train and other cohorts lie on train's axes, each float64 (samples, k)."""
    axes = principal_axes(train.in_canonical_order(), components)
    return [axes.coordinates(cohort.dosages) for cohort in (train, *others)]


def wasserstein(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """1-Wasserstein distance between two clouds along each axis: (n, k) and (m, k) give float64 (k,)."""
    from scipy import stats

    return np.array([stats.wasserstein_distance(x, y) for x, y in zip(ours.T, theirs.T, strict=True)])


def sinkhorn(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Entropic optimal-transport cost between two clouds, (n, k) and (m, k); 0 where all points are one.

    Cuturi (NeurIPS 2013), as POT's `ot.sinkhorn2` computes it: squared Euclidean costs divided by their largest,
    regularisation .002, which blurs, so that a cloud is at up to about .002 from itself. Memory for n x m matrices.
    """
    os.environ.setdefault("POT_BACKEND_DISABLE_PYTORCH", "1")  # which takes seconds to load, for nothing here
    import ot

    cost = ot.dist(ours, theirs, metric="sqeuclidean")
    largest = cost.max()
    if largest == 0:
        return 0.0
    return float(ot.sinkhorn2(ot.unif(len(ours)), ot.unif(len(theirs)), cost / largest, REGULARISATION, warn=False))


def fst(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Hudson's Fst between two sets of samples, dosages (n, variants) and (m, variants).

    The estimator of Hudson, Slatkin & Maddison (1992) in the form of Bhatia et al. (Genome Res 23:1514-1521, 2013), as
    the ratio of sums over variants. Unbiased: 0 on average within one population. nan where nothing varies.
    """
    return fst_of_counts(*((rows.sum(0, dtype=np.int64), len(rows)) for rows in (ours, theirs)))


def fst_of_counts(ours: tuple[np.ndarray, int], theirs: tuple[np.ndarray, int]) -> float:
    """`fst` of two sets given as how many ALT alleles each has, int64 (variants,), and how many samples."""
    import allel

    counts = (np.stack([2 * samples - copies, copies], axis=1) for copies, samples in (ours, theirs))
    numerator, denominator = (part.sum() for part in allel.hudson_fst(*counts))
    return float(numerator / denominator) if denominator > 0 else np.nan


def fst_between_labels(cohort: "Cohort", labels: list[str]) -> dict[tuple[str, str], float]:
    """Fst of each pair of labels (in the order given), nan as in `fst`."""
    counts = {label: (cohort.counts[label], int((cohort.label == label).sum())) for label in labels}
    return {
        (one, other): fst_of_counts(counts[one], counts[other])
        for i, one in enumerate(labels)
        for other in labels[i + 1 :]
    }
