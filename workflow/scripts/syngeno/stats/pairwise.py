"""Distances between all pairs of people, or of haplotypes: how different are any two, not just the nearest.

L1 on dosages, which is the Hamming distance where rows are haplotypes. Means over pairs have a closed form in
genotype counts and cost no pairs at all; the distribution comes from blocked matrix products. Distances are
whole numbers, so a distribution is a histogram without loss.
"""

import numpy as np

_ENTRIES = 16 * 2**20  # distances held at a time (64 MB)
_ROWS = 1024  # rows whose pairs are counted at a time, where each pair is to be visited once
_VARIANTS = 4096  # columns widened to float32 at a time


def mean_within(rows: np.ndarray) -> float:
    """Mean L1 distance of two different rows, int8 (n, variants) of 0, 1, 2; nan with fewer than two rows."""
    pairs = len(rows) * (len(rows) - 1) // 2
    return float(_differences(_counts(rows)).sum() / pairs) if pairs else np.nan


def mean_between(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Mean L1 distance of a row of (n, variants) to a row of (m, variants)."""
    x, y = _counts(ours), _counts(theirs)
    # A pair of the union is a pair within one of the two sets or between them.
    between = _differences(x + y) - _differences(x) - _differences(y)
    return float(between.sum() / (len(ours) * len(theirs)))


def within(rows: np.ndarray) -> np.ndarray:
    """How many pairs of different rows lie at each L1 distance, int64 (2 * variants + 1,)."""
    histogram = np.zeros(2 * rows.shape[1] + 1, dtype=np.int64)
    for start in range(0, len(rows), _ROWS):
        part, later = rows[start : start + _ROWS], rows[start + _ROWS :]
        own = _histogram(part, part)  # every pair twice, and each row with itself
        own[0] -= len(part)
        histogram += own // 2 + _histogram(part, later)
    return histogram


def between(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """How many pairs, one row of each set, lie at each L1 distance, int64 (2 * variants + 1,)."""
    return _histogram(ours, theirs)


def wasserstein(ours: np.ndarray, theirs: np.ndarray) -> float:
    """1-Wasserstein distance of two distributions of distances, given as histograms of one length.

    In the unit of the distances; nan where one is empty.
    """
    if not (ours.sum() and theirs.sum()):
        return np.nan
    return float(np.abs(np.cumsum(ours) / ours.sum() - np.cumsum(theirs) / theirs.sum()).sum())


def _counts(rows: np.ndarray) -> np.ndarray:
    """How many rows carry 0, 1 and 2 copies, int64 (3, variants)."""
    one, two = ((rows == copies).sum(0, dtype=np.int64) for copies in (1, 2))
    return np.stack([len(rows) - one - two, one, two])


def _differences(counts: np.ndarray) -> np.ndarray:
    """Sum of |a - b| over the pairs of rows, for each variant, int64 (variants,)."""
    none, one, two = counts
    return none * one + one * two + 2 * none * two


def _histogram(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """L1 distances of all rows of one set to all rows of the other, counted.

    Dosages in unary are bits, and for bits |x - y| = x + y - 2xy; sums stay below 2**24, where float32 is exact.
    """
    variants = ours.shape[1]
    histogram = np.zeros(2 * variants + 1, dtype=np.int64)
    size = theirs.sum(1, dtype=np.int64)
    height = max(1, _ENTRIES // max(1, len(theirs)))
    for start in range(0, len(ours), height):
        part = ours[start : start + height]
        shared = _shared(part, theirs)
        distance = part.sum(1, dtype=np.int64)[:, None] + size[None, :] - 2 * shared.astype(np.int64)
        histogram += np.bincount(distance.ravel(), minlength=len(histogram))
    return histogram


def _shared(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """Copies that two rows have in common, summed over variants, float32 (n, m)."""
    shared = np.zeros((len(ours), len(theirs)), dtype=np.float32)
    for first in range(0, ours.shape[1], _VARIANTS):
        left, right = ours[:, first : first + _VARIANTS], theirs[:, first : first + _VARIANTS]
        most = min(left.max(initial=0), right.max(initial=0))
        for copies in range(1, most + 1):
            shared += (left >= copies).astype(np.float32) @ (right >= copies).astype(np.float32).T
    return shared
