"""Linkage disequilibrium: correlations of dosages of variants that lie near one another.

r is the Pearson correlation of two variants' dosages over samples (the composite LD of Weir 1979, which needs
no phase); where a variant does not vary, r is 0. Pairs are visited in tiles, so memory does not grow with
their number.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
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


@dataclass(frozen=True, eq=False)
class Linked:
    """Pairs of variants that are in LD: their places among all pairs that are looked at, and their r, each (pairs,)."""

    place: np.ndarray
    r: np.ndarray


def in_ld(train: "Cohort", *, neighbours: int = NEIGHBOURS, max_distance: int = MAX_DISTANCE) -> dict[str, Linked]:
    """The pairs of variants in LD (r2 of `R2_MIN` or more) among training samples, by group.

    Pairs of a contig are looked at up to so many variants and so many base pairs apart. Where labels differ in allele
    frequencies, variants are correlated among all samples without being linked in any label. So beside group "all"
    there are, with more than one label, "within_labels", of the deviations from each label's own mean, and each label
    of more than two samples.
    """
    by_label = len(train.labels) > 1
    found: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {group: [] for group in _groups(train, by_label)}
    pairs = 0
    for first, _, r in _tiles(train, neighbours, max_distance, by_label):
        for group, parts in found.items():
            linked = np.flatnonzero(r[group] ** 2 >= R2_MIN)
            parts.append(((pairs + linked).astype(np.uint32), r[group][linked]))
        pairs += len(first)
    none = np.empty(0, np.uint32), np.empty(0, np.float32)
    return {group: Linked(*map(np.concatenate, zip(none, *parts, strict=True))) for group, parts in found.items()}


def correlations(
    synthetic: "Cohort", linked: dict[str, Linked], *, neighbours: int = NEIGHBOURS, max_distance: int = MAX_DISTANCE
) -> dict[str, tuple[float, int]]:
    """Correlation, synthetic against train, of r over the pairs that are in LD in train (`ld_r`), and their number.

    By group of `linked`, from `in_ld` with the same neighbours and distance. nan where there are fewer than `PAIRS_MIN`
    such pairs. Labels of at most two synthetic samples are left out.
    """
    by_label = "within_labels" in linked
    moments = {group: np.zeros(5) for group in _groups(synthetic, by_label) if group in linked}
    pairs = 0
    for first, _, r in _tiles(synthetic, neighbours, max_distance, by_label):
        for group, total in moments.items():
            place = linked[group].place
            part = slice(*np.searchsorted(place, [pairs, pairs + len(first)]))
            x, y = r[group][place[part] - pairs].astype(np.float64), linked[group].r[part].astype(np.float64)
            total += x.sum(), y.sum(), x @ x, y @ y, x @ y
        pairs += len(first)
    return {
        group: (_correlation(total, len(linked[group].r)), len(linked[group].r)) for group, total in moments.items()
    }


def any_ld(linked: dict[str, Linked]) -> bool:
    """Whether there is LD to speak of: at least `PAIRS_MIN` pairs in LD that differences between labels do not make."""
    r = linked.get("within_labels", linked["all"]).r.astype(np.float64)
    return bool(np.isfinite(_correlation(np.array([r.sum(), r.sum(), r @ r, r @ r, r @ r]), len(r))))


def _correlation(moments: np.ndarray, pairs: int) -> float:
    if pairs < PAIRS_MIN:
        return np.nan
    mx, my, xx, yy, xy = moments / pairs
    spread = (xx - mx**2) * (yy - my**2)
    return float((xy - mx * my) / np.sqrt(spread)) if spread > 1e-12 else np.nan


def decay(
    cohort: "Cohort", kept: np.ndarray, *, neighbours: int = 2 * NEIGHBOURS, max_distance: int = MAX_DISTANCE
) -> dict[str, tuple[float, int]]:
    """Mean r2 and number of pairs of the variants `kept`, bool (variants,), by bin of `BINS`.

    And of `CM_BINS` where the cohort has a genetic map; of bins with at least `PAIRS_MIN` pairs, which are looked at as
    in `in_ld`, among the kept variants. r2 is adjusted for the number n of samples, 1 - (1 - r2) (n - 1) / (n - 2), so
    that unlinked variants have 0 on average and cohorts of different size can be compared. Nothing with fewer than
    three samples. The r2 of rare variants says more about their frequencies than about recombination.
    """
    if len(cohort) < 3:
        return {}
    cohort = replace(cohort, haplotypes=None).at(kept)
    scales = [(cohort.position, BINS)]
    if cohort.cm is not None:
        scales.append((cohort.cm, CM_BINS))
    sums = [np.zeros((2, len(bins))) for _, bins in scales]
    for i, j, r in _tiles(cohort, neighbours, max_distance):
        r2 = r["all"].astype(np.float64) ** 2
        for total, (place, bins) in zip(sums, scales, strict=True):
            total += _by_distance(place[j] - place[i], r2, bins)
    shrink = (len(cohort) - 1) / (len(cohort) - 2)
    return {
        name: (1 - (1 - total / pairs) * shrink, int(pairs))
        for (_, bins), by_bin in zip(scales, sums, strict=True)
        for name, total, pairs in zip(bins, *by_bin, strict=True)
        if pairs >= PAIRS_MIN
    }


def matrix(cohort: "Cohort", sites: np.ndarray) -> np.ndarray:
    """r2 between all pairs of a region's variants, for a heat map; float32 (k, k)."""
    z = _centred(cohort.dosages[:, sites])[0]
    return _scaled(z.T @ z, _squares(z)) ** 2


def densest_region(train: "Cohort", variants: int = 100) -> tuple[np.ndarray, str]:
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


def _groups(cohort: "Cohort", by_label: bool) -> list[str]:
    large = [label for label in cohort.labels if (cohort.label == label).sum() > 2]
    return ["all", "within_labels", *large] if by_label else ["all"]


def _tiles(
    cohort: "Cohort", neighbours: int, max_distance: int, by_label: bool = False
) -> Iterator[tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]]:
    """Pairs of near variants, tile by tile: the first, the second, and their r by group, float32, each (pairs,)."""
    contig, position = cohort.contig, cohort.position
    parts = [(label, np.flatnonzero(cohort.label == label)) for label in cohort.labels] if by_label else [("all", None)]
    breaks = np.flatnonzero(contig[1:] != contig[:-1]) + 1 if len(contig) else []
    bounds = [0, *breaks, len(contig)]
    for begin, end in pairwise(bounds):
        for first in range(begin, end, _TILE):
            last = min(first + _TILE, end)
            reach = np.searchsorted(position[begin:end], position[last - 1] + max_distance, side="right")
            until = min(last + neighbours, begin + int(reach))
            i, j = np.arange(first, last)[:, None], np.arange(first, until)[None, :]
            paired = np.flatnonzero((j > i) & (j - i <= neighbours) & (position[j] - position[i] <= max_distance))
            if not len(paired):
                continue
            near = cohort.dosages[:, first:until]
            r = _by_group([(name, near if rows is None else near[rows]) for name, rows in parts], last - first)
            rows, columns = np.divmod(paired, until - first)
            yield first + rows, first + columns, {group: values.ravel()[paired] for group, values in r.items()}


def _by_group(dosages: list[tuple[str, np.ndarray]], rows: int) -> dict[str, np.ndarray]:
    """r of the first so many variants with all, float32 (rows, variants): in each label, within labels and of all.

    `dosages` are labels with their samples' (samples, variants). The products of deviations from the labels' own means
    add up to those within labels, and with the products of the labels' means to those of all samples; so each sample
    is multiplied once.
    """
    found, cross, size, means = {}, np.float32(0), np.float32(0), []
    for label, values in dosages:
        z, mean = _centred(values)
        products, squares = z[:, :rows].T @ z, _squares(z)
        cross, size = cross + products, size + squares
        found[label] = _scaled(products, squares)
        means.append(mean)
    if len(dosages) == 1:
        return found | {"within_labels": found[label], "all": found[label]}
    found["within_labels"] = _scaled(cross, size)
    count = np.array([len(values) for _, values in dosages])[:, None]
    mean = np.array(means, dtype=np.float64)
    between = (np.sqrt(count) * (mean - (count * mean).sum(0) / count.sum())).astype(np.float32)
    return found | {"all": _scaled(cross + between[:, :rows].T @ between, size + _squares(between))}


def _centred(dosages: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Deviations from the mean, float32 (samples, variants), and the mean; exactly 0 where nothing varies."""
    z = dosages.astype(np.float32)
    mean = z.mean(0)
    z -= mean
    return z, mean


def _squares(z: np.ndarray) -> np.ndarray:
    return np.einsum("ij,ij->j", z, z)


def _scaled(products: np.ndarray, squares: np.ndarray) -> np.ndarray:
    """Correlations from products (k, variants) of the first k columns with all, and all columns' sums of squares."""
    scale = np.divide(1, np.sqrt(squares), out=np.zeros_like(squares), where=squares > 0)
    return products * scale[: len(products), None] * scale
