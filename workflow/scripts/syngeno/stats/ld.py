"""Linkage disequilibrium: correlations of dosages of variants that lie near one another.

r is the Pearson correlation of two variants' dosages over people (the composite LD of Weir 1979, which needs
no phase); where a variant does not vary, r is 0. Pairs are visited in tiles, so memory does not grow with
their number.
"""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from syngeno.data.cohort import Cohort

NEIGHBOURS = 200
MAX_DISTANCE = 1_000_000
R2_MIN = 0.1
PAIRS_MIN = 100
COMMON_MAF = 0.05
# Distances in base pairs between which r2 is averaged.
BINS = {
    "0-1kb": (0, 1_000),
    "1-10kb": (1_000, 10_000),
    "10-50kb": (10_000, 50_000),
    "50-200kb": (50_000, 200_000),
    "200kb-1Mb": (200_000, 1_000_000),
}
# The same on the genetic map, in centimorgans.
CM_BINS = {
    "0-0.001cM": (0, 0.001),
    "0.001-0.01cM": (0.001, 0.01),
    "0.01-0.1cM": (0.01, 0.1),
    "0.1-1cM": (0.1, 1),
}

_TILE = 256
_MATRIX_SITES = 300


def correlation(
    synthetic: Cohort,
    train: Cohort,
    *,
    neighbours: int = NEIGHBOURS,
    max_distance: int = MAX_DISTANCE,
    r2_min: float = R2_MIN,
    within_labels: bool = False,
) -> tuple[float, int]:
    """Correlation, synthetic against train, of r over the pairs that are in LD in train (`ld_r`).

    Where labels differ in allele frequencies, variants are correlated among all people without being linked in
    any label; `within_labels` takes r of the deviations from each label's own mean instead.

    Args:
        synthetic, train: cohorts over the same variants.
        neighbours: pairs up to this many variants apart are looked at,
        max_distance: and up to this many base pairs, within a contig.
        r2_min: pairs count where r2 in train is at least this.
        within_labels: leave out what the labels' frequencies alone do to r.

    Returns:
        The correlation (nan where there are fewer than `PAIRS_MIN` such pairs) and the number of pairs.
    """
    moments = np.zeros(5)
    pairs = 0
    for _, _, (ours, real) in _tiles([synthetic, train], neighbours, max_distance, within_labels):
        linked = real**2 >= r2_min
        x, y = ours[linked].astype(np.float64), real[linked].astype(np.float64)
        pairs += len(x)
        moments += x.sum(), y.sum(), x @ x, y @ y, x @ y
    if pairs < PAIRS_MIN:
        return np.nan, pairs
    mx, my, xx, yy, xy = moments / pairs
    spread = (xx - mx**2) * (yy - my**2)
    return float((xy - mx * my) / np.sqrt(spread)) if spread > 1e-12 else np.nan, pairs


def linked(cohort: Cohort, **reach: int) -> bool:
    """Whether there is LD to speak of: at least `PAIRS_MIN` pairs in LD that differences between labels do not make.

    `reach` as in `correlation`.
    """
    return bool(np.isfinite(correlation(cohort, cohort, **reach, within_labels=len(cohort.labels) > 1)[0]))


def decay(
    cohort: Cohort, kept: np.ndarray, *, neighbours: int = 2 * NEIGHBOURS, max_distance: int = MAX_DISTANCE
) -> dict[str, tuple[float, int]]:
    """Mean r2 by distance over the pairs of some variants.

    Args:
        cohort: the people.
        kept: bool (variants,), the variants to pair; choose them by the training people (common ones, as the
            r2 of rare variants says more about their frequencies than about recombination).
        neighbours, max_distance: as in `correlation`, counted among the kept variants.

    Returns:
        Per bin of `BINS`, and of `CM_BINS` where the cohort has a genetic map, with at least `PAIRS_MIN` pairs:
        mean r2 and number of pairs. r2 is adjusted for the number n of people, 1 - (1 - r2) (n - 1) / (n - 2), so
        that unlinked variants have 0 on average and cohorts of different size can be compared. Nothing with fewer
        than three people.
    """
    if len(cohort) < 3:
        return {}
    cohort = cohort.at(kept)
    scales = [(cohort.position, BINS)]
    if cohort.cm is not None:
        scales.append((cohort.cm, CM_BINS))
    sums = [np.zeros((2, len(bins))) for _, bins in scales]
    for i, j, (r,) in _tiles([cohort], neighbours, max_distance):
        r2 = r.astype(np.float64) ** 2
        for total, (place, bins) in zip(sums, scales, strict=True):
            total += _by_distance(place[j] - place[i], r2, bins)
    shrink = (len(cohort) - 1) / (len(cohort) - 2)
    return {
        name: (1 - (1 - total / pairs) * shrink, int(pairs))
        for (_, bins), by_bin in zip(scales, sums, strict=True)
        for name, total, pairs in zip(bins, *by_bin, strict=True)
        if pairs >= PAIRS_MIN
    }


def matrix(cohort: Cohort, sites: np.ndarray) -> np.ndarray:
    """r2 between all pairs of a region's variants, for a heat map; float32 (k, k).

    Raises ValueError for more than 300 variants: a picture cannot show them.
    """
    if len(sites) > _MATRIX_SITES:
        raise ValueError(f"{len(sites)} variants are too many for a heat map; give at most {_MATRIX_SITES}")
    z = _standardised(cohort.dosages[:, sites], [slice(None)])
    return (z.T @ z) ** 2


def densest_region(train: Cohort, variants: int = 100) -> tuple[np.ndarray, str]:
    """The run of common variants with most LD in train, for a heat map: their indices, and where they lie."""
    common = np.flatnonzero(np.minimum(train.frequency, 1 - train.frequency) >= COMMON_MAF)
    if len(common) < 2:
        common = np.arange(len(train.position))
    best, most = common[:variants], -1.0
    for start in range(0, max(1, len(common) - variants + 1), variants // 2):
        sites = common[start : start + variants]
        sites = sites[train.contig[sites] == train.contig[sites[0]]]
        total = float(matrix(train, sites).sum())
        if total > most:
            best, most = sites, total
    contig, first, last = train.contig[best[0]], train.position[best[0]], train.position[best[-1]]
    return best, f"chromosome {contig}, {first:,}-{last:,}, {len(best)} variants"


def _by_distance(distance: np.ndarray, r2: np.ndarray, bins: dict[str, tuple[float, float]]) -> np.ndarray:
    """Sum of r2 and number of pairs in each bin (a bin takes its upper bound in), float64 (2, bins)."""
    near = np.searchsorted([above for _, above in bins.values()], distance, side="left")
    inside = near < len(bins)
    near, r2 = near[inside], r2[inside]
    return np.stack([np.bincount(near, weights=r2, minlength=len(bins)), np.bincount(near, minlength=len(bins))])


def _tiles(
    cohorts: list[Cohort], neighbours: int, max_distance: int, within_labels: bool = False
) -> Iterator[tuple[np.ndarray, np.ndarray, list[np.ndarray]]]:
    """Pairs of near variants, tile by tile: the first, the second, and their r in each cohort, each (pairs,)."""
    contig, position = cohorts[0].contig, cohorts[0].position
    breaks = np.flatnonzero(contig[1:] != contig[:-1]) + 1 if len(contig) else []
    bounds = [0, *breaks, len(contig)]
    for begin, end in pairwise(bounds):
        for first in range(begin, end, _TILE):
            last = min(first + _TILE, end)
            reach = np.searchsorted(position[begin:end], position[last - 1] + max_distance, side="right")
            until = min(last + neighbours, begin + int(reach))
            i, j = np.arange(first, last)[:, None], np.arange(first, until)[None, :]
            paired = (j > i) & (j - i <= neighbours) & (position[j] - position[i] <= max_distance)
            if not paired.any():
                continue
            r = []
            for cohort in cohorts:
                groups = [cohort.label == label for label in cohort.labels] if within_labels else [slice(None)]
                z = _standardised(cohort.dosages[:, first:until], groups)
                r.append((z[:, : last - first].T @ z)[paired])
            rows, columns = np.nonzero(paired)
            yield first + rows, first + columns, r


def _standardised(dosages: np.ndarray, groups: list) -> np.ndarray:
    """Columns of mean 0 in each group and length 1, so that products are correlations; zeros where nothing varies."""
    z = dosages.astype(np.float32)
    varies = np.zeros(dosages.shape[1], dtype=bool)
    for group in groups:
        z[group] -= z[group].mean(0)
        varies |= dosages[group].max(0) != dosages[group].min(0)
    length = np.sqrt(np.einsum("ij,ij->j", z, z))
    return z * np.where(varies, 1 / np.where(varies, length, 1), 0).astype(np.float32)
