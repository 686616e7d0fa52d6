"""Linkage disequilibrium: correlations of dosages of variants that lie near one another.

r is the Pearson correlation of two variants' dosages over people (the composite LD of Weir 1979, which needs
no phase); where a variant does not vary, r is 0. Pairs are visited in tiles, so memory does not grow with
their number.
"""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from syngeno.cohort import Cohort

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
    for _, (ours, real) in _tiles([synthetic, train], neighbours, max_distance, within_labels):
        linked = real**2 >= r2_min
        x, y = ours[linked].astype(np.float64), real[linked].astype(np.float64)
        pairs += len(x)
        moments += x.sum(), y.sum(), x @ x, y @ y, x @ y
    if pairs < PAIRS_MIN:
        return np.nan, pairs
    mx, my, xx, yy, xy = moments / pairs
    spread = (xx - mx**2) * (yy - my**2)
    return float((xy - mx * my) / np.sqrt(spread)) if spread > 1e-12 else np.nan, pairs


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
        Per bin of `BINS` with at least `PAIRS_MIN` pairs: mean r2 and number of pairs. r2 is adjusted for the
        number n of people, 1 - (1 - r2) (n - 1) / (n - 2), so that unlinked variants have 0 on average and
        cohorts of different size can be compared. Nothing with fewer than three people.
    """
    if len(cohort) < 3:
        return {}
    cohort = _only(cohort, kept)
    names = list(BINS)
    edges = np.array([BINS[name][1] for name in names])
    total, pairs = np.zeros(len(names)), np.zeros(len(names), dtype=np.int64)
    for distance, (r,) in _tiles([cohort], neighbours, max_distance):
        near = np.searchsorted(edges, distance, side="left")
        inside = near < len(names)
        near, r2 = near[inside], r[inside].astype(np.float64) ** 2
        total += np.bincount(near, weights=r2, minlength=len(names))
        pairs += np.bincount(near, minlength=len(names))
    shrink = (len(cohort) - 1) / (len(cohort) - 2)
    return {
        name: (1 - (1 - total[i] / pairs[i]) * shrink, int(pairs[i]))
        for i, name in enumerate(names)
        if pairs[i] >= PAIRS_MIN
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


def _tiles(
    cohorts: list[Cohort], neighbours: int, max_distance: int, within_labels: bool = False
) -> Iterator[tuple[np.ndarray, list[np.ndarray]]]:
    """Pairs of near variants, tile by tile: their distances and r in each cohort, each (pairs,)."""
    contig, position = cohorts[0].contig, cohorts[0].position
    breaks = np.flatnonzero(contig[1:] != contig[:-1]) + 1 if len(contig) else []
    bounds = [0, *breaks, len(contig)]
    for begin, end in pairwise(bounds):
        for first in range(begin, end, _TILE):
            last = min(first + _TILE, end)
            reach = np.searchsorted(position[begin:end], position[last - 1] + max_distance, side="right")
            until = min(last + neighbours, begin + int(reach))
            i, j = np.arange(first, last)[:, None], np.arange(first, until)[None, :]
            distance = position[j] - position[i]
            paired = (j > i) & (j - i <= neighbours) & (distance <= max_distance)
            if not paired.any():
                continue
            r = []
            for cohort in cohorts:
                groups = [cohort.label == label for label in cohort.labels] if within_labels else [slice(None)]
                z = _standardised(cohort.dosages[:, first:until], groups)
                r.append((z[:, : last - first].T @ z)[paired])
            yield distance[paired], r


def _standardised(dosages: np.ndarray, groups: list) -> np.ndarray:
    """Columns of mean 0 in each group and length 1, so that products are correlations; zeros where nothing varies."""
    z = dosages.astype(np.float32)
    varies = np.zeros(dosages.shape[1], dtype=bool)
    for group in groups:
        z[group] -= z[group].mean(0)
        varies |= dosages[group].max(0) != dosages[group].min(0)
    length = np.sqrt(np.einsum("ij,ij->j", z, z))
    return z * np.where(varies, 1 / np.where(varies, length, 1), 0).astype(np.float32)


def _only(cohort: Cohort, kept: np.ndarray) -> Cohort:
    return Cohort(cohort.dosages[:, kept], cohort.label, cohort.contig[kept], cohort.position[kept], cohort.block[kept])
