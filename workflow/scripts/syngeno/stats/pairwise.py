"""Distances between all pairs of samples, or of haplotypes: how different are any two, not just the nearest.

L1 on dosages, which is the Hamming distance where rows are haplotypes. Means over pairs have a closed form in
genotype counts and cost no pairs at all; the distribution comes from blocked matrix products. Distances are
whole numbers, so a distribution is a histogram without loss.
"""

from collections.abc import Iterator

import numpy as np
from scipy.sparse import csr_array

RARE = 0.01  # share of rows that have an allele, below which a sparse product is faster than a dense one

_FEW = 200  # of so few rows a sparse product is no faster
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
        own = between(part, part)  # every pair twice, and each row with itself
        own[0] -= len(part)
        histogram += own // 2 + between(part, later)
    return histogram


def between(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """How many pairs, a row of each set, lie at each L1 distance, int64 (2 * variants + 1,)."""
    histogram = np.zeros(2 * ours.shape[1] + 1, dtype=np.int64)
    height = max(1, _ENTRIES // max(1, len(theirs)))
    for start in range(0, len(ours), height):
        distance = l1(ours[start : start + height], theirs).astype(np.int64)
        histogram += np.bincount(distance.ravel(), minlength=len(histogram))
    return histogram


def wasserstein(ours: np.ndarray, theirs: np.ndarray) -> float:
    """1-Wasserstein distance of two histograms of one length, in units of their bins; nan where one is empty."""
    if not (ours.sum() and theirs.sum()):
        return np.nan
    return float(np.abs(np.cumsum(ours) / ours.sum() - np.cumsum(theirs) / theirs.sum()).sum())


def _counts(rows: np.ndarray) -> np.ndarray:
    one = np.count_nonzero(rows == 1, axis=0)
    two = (rows.sum(0, dtype=np.int64) - one) // 2
    return np.stack([len(rows) - one - two, one, two])


def _differences(counts: np.ndarray) -> np.ndarray:
    """Sum of |a - b| over the pairs of rows, for each variant, int64 (variants,)."""
    none, one, two = counts
    return none * one + one * two + 2 * none * two


def l1(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """L1 distances of all rows of one set to all rows of the other, whole numbers as float32 (n, m).

    Dosages in unary are bits, and for bits |x - y| = x + y - 2xy; sums stay below 2**24, where float32 is exact.
    """
    distance = np.zeros((len(ours), len(theirs)), dtype=np.float32)
    for x, y in _minor(ours, theirs):
        distance += x.sum(1, dtype=np.float32)[:, None] + y.sum(1, dtype=np.float32)[None, :]
        for copies in range(1, int(min(x.max(initial=0), y.max(initial=0))) + 1):
            bits = x >= copies
            shared = _product(bits, bits if y is x else y >= copies)
            shared *= 2
            distance -= shared
    return distance


def squared(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """Sums of squared differences of all rows of one set to all of the other, float32 (n, m), exact below 2**24."""
    distance = np.zeros((len(ours), len(theirs)), dtype=np.float32)
    for x, y in _minor(ours, theirs):
        size_x, size_y = (np.einsum("ij,ij->i", rows, rows, dtype=np.float32, casting="unsafe") for rows in (x, y))
        distance += size_x[:, None] + size_y[None, :] - 2 * _product(x, y)
    return distance


def _minor(ours: np.ndarray, theirs: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """A few columns of both sets at a time, counting the allele that fewer of `theirs` have: int8 (n, v), (m, v)."""
    most = max(int(ours.max(initial=0)), int(theirs.max(initial=0)))
    for first in range(0, ours.shape[1], _VARIANTS):
        left, right = ours[:, first : first + _VARIANTS], theirs[:, first : first + _VARIANTS]
        other = 2 * right.sum(0, dtype=np.int64) > most * len(right)
        # |most - x| where the other allele is counted, |0 - x| elsewhere.
        turned = (most * other).astype(np.int8)
        counted = np.abs(turned - left)
        yield counted, counted if theirs is ours else np.abs(turned - right)


def _product(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """x @ y.T of small whole numbers (n, v) and (m, v), exact as float32; rare variants by a sparse product."""
    in_x = np.count_nonzero(x, axis=0)
    present = in_x * (in_x if y is x else np.count_nonzero(y, axis=0))
    common = present > RARE**2 * len(x) * len(y)
    if len(x) * len(y) < _FEW * (len(x) + len(y)):
        common = present > 0
    left = np.compress(common, x, axis=1).astype(np.float32)
    # Of a matrix with itself BLAS computes one half.
    product = left @ (left if y is x else np.compress(common, y, axis=1).astype(np.float32)).T
    rare = (present > 0) & ~common
    if rare.any():
        product += (_sparse(np.compress(rare, x, axis=1)) @ _sparse(np.compress(rare, y, axis=1)).T).toarray()
    return product


def _sparse(rows: np.ndarray) -> csr_array:
    where = np.flatnonzero(rows)
    starts = np.concatenate([[0], np.cumsum(np.count_nonzero(rows, axis=1))])
    return csr_array((rows.ravel()[where].astype(np.float32), where % rows.shape[1], starts), shape=rows.shape)
