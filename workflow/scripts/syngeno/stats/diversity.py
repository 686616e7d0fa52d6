"""Site-frequency spectra among equally many samples (expected, not drawn), haplotypes, and Hardy-Weinberg equilibrium.

Haplotypes are int8 (haplotypes, variants) of alleles 0 and 1. Everything is computed from whole counts, so that neither
the order of the haplotypes nor which of a sample's two comes first changes a bit of it.
"""

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import gammaln

if TYPE_CHECKING:
    from syngeno.data.cohort import Cohort

MAF_BINS = {
    "maf 0-0.005": (0, 0.005),
    "maf 0.005-0.01": (0.005, 0.01),
    "maf 0.01-0.05": (0.01, 0.05),
    "maf 0.05-0.5": (0.05, 0.5001),
}
# Copies of the minor allele among the samples that a cohort is thinned to.
BINS = {
    "mac 1": (1, 1),
    "mac 2": (2, 2),
    "mac 3-5": (3, 5),
    "mac 6-10": (6, 10),
    "mac 11-20": (11, 20),
    "mac 21-50": (21, 50),
    "mac 51+": (51, None),
}


WINDOW = 20  # variants, at most 62: their alleles are read as the bits of one int64
# Sites between the variants of a triplet, as Yelmen et al. (2023) space them.
GAPS = (1, 4, 16, 64, 256)
TRIPLETS = 2000
LOG_P_TOLERANCE = 1e-7  # two tables of equal probability may differ by rounding of the log-gamma function
TABLE_CELLS = 4_000_000  # doubles held at once while the exact test enumerates heterozygote counts


def polymorphic(cohort: "Cohort", samples: int) -> float:
    """Expected share of variants that are polymorphic among fewer samples.

    Over all draws of 2 * samples alleles without replacement (hypergeometric; the rarefaction of Hurlbert 1971).
    """
    alleles, drawn, copies, variants = _copies(cohort, samples)
    none, every = _drawn(alleles, copies, drawn, np.array([0, drawn]))
    return float((1 - none - every) @ variants / variants.sum())


def folded(cohort: "Cohort", samples: int) -> np.ndarray:
    """Expected folded site-frequency spectrum among fewer samples, float64 (samples + 1,).

    Entry k is the share of all variants whose rarer allele is there k times, expected as in `polymorphic`.
    """
    alleles, drawn, copies, variants = _copies(cohort, samples)
    shares = _drawn(alleles, copies, drawn, np.arange(drawn + 1)) @ variants / variants.sum()
    rarer = shares[: drawn // 2 + 1].copy()
    rarer[: drawn // 2] += shares[: drawn // 2 : -1]
    return rarer


def _copies(cohort: "Cohort", samples: int) -> tuple[int, int, np.ndarray, np.ndarray]:
    """Alleles there are, alleles drawn, copies of the rarer allele, and how many variants have so many."""
    alleles = 2 * len(cohort)
    count = cohort.count
    # Both alleles are drawn alike, so only how many copies the rarer has matters.
    copies, variants = np.unique(np.minimum(count, alleles - count), return_counts=True)
    return alleles, 2 * min(samples, len(cohort)), copies, variants


def _drawn(alleles: int, copies: np.ndarray, drawn: int, seen: np.ndarray) -> np.ndarray:
    """Hypergeometric probability of each number `seen` (k,) of `copies` (c,) among those drawn, float64 (k, c)."""
    log_factorial = gammaln(np.arange(alleles + 1) + 1.0)

    def log_choose(n: np.ndarray | int, k: np.ndarray | int) -> np.ndarray:
        return log_factorial[n] - log_factorial[k] - log_factorial[n - k]

    k, others = seen[:, None], alleles - copies
    possible = (k <= copies) & (drawn - k <= others)
    k = np.where(possible, k, np.maximum(0, drawn - others))  # a number that can be, to look factorials up
    log_p = log_choose(copies, k) + log_choose(others, drawn - k) - log_choose(alleles, drawn)
    return np.where(possible, np.exp(log_p), 0.0)


def windows(contig: np.ndarray, size: int = WINDOW) -> np.ndarray:
    """First variants of windows that lie side by side on each contig, int64 (windows,); leftovers are dropped."""
    breaks = np.flatnonzero(contig[1:] != contig[:-1]) + 1 if len(contig) else []
    runs = pairwise([0, *breaks, len(contig)])
    starts = [np.arange(begin, end - size + 1, size) for begin, end in runs]
    return np.concatenate(starts).astype(np.int64) if starts else np.zeros(0, dtype=np.int64)


def in_windows(haplotypes: np.ndarray, starts: np.ndarray, size: int = WINDOW) -> np.ndarray:
    """Alleles of haplotypes (n, variants) in windows of `size` from `starts` on as one number, int64 (windows, n)."""
    bits = np.packbits(haplotypes[:, starts[:, None] + np.arange(size)], axis=2).astype(np.int64)
    return (bits << 8 * np.arange(bits.shape[2])).sum(2).T


def diversity(alleles: np.ndarray) -> np.ndarray:
    """Haplotype diversity in windows, float64 (windows,), from `in_windows` (windows, n) of n >= 2 haplotypes.

    The chance that two haplotypes drawn without replacement differ within the window, n / (n - 1) (1 - sum f^2)
    over the frequencies f of its distinct haplotypes (Nei & Tajima 1981).
    """
    windows, n = alleles.shape
    if n < 2:
        raise ValueError(f"haplotype diversity needs two haplotypes, not {n}")
    alleles = np.sort(alleles, axis=1)
    new = np.ones(alleles.shape, dtype=bool)
    new[:, 1:] = alleles[:, 1:] != alleles[:, :-1]
    window, first = np.nonzero(new)
    copies = np.diff(np.append(window * n + first, windows * n))
    return (n * n - np.bincount(window, copies**2, windows)) / (n * (n - 1))


def triplets(contig: np.ndarray, varies: np.ndarray, gap: int, most: int = TRIPLETS) -> np.ndarray:
    """Variants i, i + gap and i + 2 gap of one contig that all vary, `most` spread evenly: int64 (triplets, 3)."""
    first = np.arange(max(0, len(contig) - 2 * gap))
    chosen = np.stack([first, first + gap, first + 2 * gap], axis=1)
    chosen = chosen[varies[chosen].all(1) & (contig[chosen[:, 0]] == contig[chosen[:, 2]])]
    if len(chosen) > most:
        chosen = chosen[np.linspace(0, len(chosen) - 1, most).round().astype(np.int64)]
    return chosen


def three_point(haplotypes: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Three-point correlation of triplets of variants, float64 (triplets,).

    The third joint cumulant E[(x - Ex)(y - Ey)(z - Ez)], how three alleles go together beyond what pairs do;
    used for artificial genomes by Yelmen et al. (PLoS Comput Biol 19:e1011584, 2023).
    """
    sites, place = np.unique(chosen, return_inverse=True)
    bits = np.packbits(haplotypes[:, sites].T, axis=1)
    x, y, z = (bits[which] for which in place.reshape(chosen.shape).T)

    def mean(alleles: np.ndarray) -> np.ndarray:
        return np.bitwise_count(alleles).sum(1, dtype=np.int64) / len(haplotypes)

    pairs = mean(x & y) * mean(z) + mean(x & z) * mean(y) + mean(y & z) * mean(x)
    return mean(x & y & z) - pairs + 2 * mean(x) * mean(y) * mean(z)


def hwe_exact(hom_ref: np.ndarray, het: np.ndarray, hom_alt: np.ndarray) -> np.ndarray:
    """P values of the exact test of Hardy-Weinberg equilibrium, for genotype counts (v,): float64 (v,).

    Wigginton, Cutler & Abecasis (Am J Hum Genet 76:887-893, 2005): given n samples and r copies of the rarer
    allele, the probability of h heterozygotes is 2^h n! r! (2n-r)! / (((r-h)/2)! h! (n-(r+h)/2)! (2n)!); the
    p value sums it over all h that are no more probable than the one seen. 1 where no sample was called.
    """
    tables = np.stack(np.broadcast_arrays(hom_ref, het, hom_alt), axis=-1).astype(np.int64)
    if (tables < 0).any():
        raise ValueError("genotype counts are negative")
    shape = tables.shape[:-1]
    tables = tables.reshape(-1, 3)
    samples = tables.sum(axis=1)
    rarer = tables[:, 1] + 2 * np.minimum(tables[:, 0], tables[:, 2])
    distinct, inverse = np.unique(np.stack([samples, rarer, tables[:, 1]], axis=1), axis=0, return_inverse=True)
    p = np.empty(len(distinct))
    step = max(1, TABLE_CELLS // (int(rarer.max(initial=0)) // 2 + 1))
    for start in range(0, len(distinct), step):
        p[start : start + step] = _exact(*distinct[start : start + step].T)
    return p[inverse.reshape(-1)].reshape(shape)


def _exact(samples: np.ndarray, rarer: np.ndarray, het: np.ndarray) -> np.ndarray:
    # Heterozygotes have the parity of the rarer allele's count: h = r, r-2, ..., 0 or 1.
    h = rarer[:, None] - 2 * np.arange(int(rarer.max(initial=0)) // 2 + 1)[None]
    possible = h >= 0
    h = np.where(possible, h, 0)
    rare_hom = (rarer[:, None] - h) / 2
    log_p = h * np.log(2) - gammaln(rare_hom + 1) - gammaln(h + 1) - gammaln(samples[:, None] - h - rare_hom + 1)
    log_p = np.where(possible, log_p, -np.inf)
    log_p -= np.logaddexp.reduce(log_p, axis=1, keepdims=True)
    seen = np.take_along_axis(log_p, ((rarer - het) // 2)[:, None], axis=1)
    return np.minimum(1.0, np.where(log_p <= seen + LOG_P_TOLERANCE, np.exp(log_p), 0).sum(axis=1))
