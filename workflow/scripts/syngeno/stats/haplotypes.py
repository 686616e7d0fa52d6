"""Statistics that need phase: how diverse haplotypes are in windows, and how three variants go together.

Haplotypes are int8 (haplotypes, variants) of alleles 0 and 1. Everything is computed from whole counts, so that
neither the order of the haplotypes nor which of a person's two comes first changes a bit of it.
"""

from itertools import pairwise

import numpy as np

WINDOW = 20
# Sites between the variants of a triplet, as Yelmen et al. (2023) space them.
GAPS = (1, 4, 16, 64, 256)
TRIPLETS = 2000

_LONGEST = 62  # a window's alleles are read as the bits of one int64


def windows(contig: np.ndarray, size: int = WINDOW) -> np.ndarray:
    """First variants of windows that lie side by side on each contig, int64 (windows,); leftovers are dropped."""
    breaks = np.flatnonzero(contig[1:] != contig[:-1]) + 1 if len(contig) else []
    runs = pairwise([0, *breaks, len(contig)])
    starts = [np.arange(begin, end - size + 1, size) for begin, end in runs]
    return np.concatenate(starts).astype(np.int64) if starts else np.zeros(0, dtype=np.int64)


def diversity(haplotypes: np.ndarray, starts: np.ndarray, size: int = WINDOW) -> np.ndarray:
    """Haplotype diversity in windows, float64 (windows,).

    The chance that two haplotypes drawn without replacement differ within the window, n / (n - 1) (1 - sum f^2)
    over the frequencies f of its distinct haplotypes (Nei & Tajima 1981).

    Args:
        haplotypes: int8 (n, variants), n at least 2.
        starts: first variants of the windows.
        size: variants in a window, at most 62.
    """
    n = len(haplotypes)
    if n < 2:
        raise ValueError(f"haplotype diversity needs two haplotypes, not {n}")
    if size > _LONGEST:
        raise ValueError(f"a window holds at most {_LONGEST} variants, not {size}")
    bits = 1 << np.arange(size, dtype=np.int64)
    result = np.empty(len(starts))
    for i, start in enumerate(starts):
        copies = np.unique(haplotypes[:, start : start + size] @ bits, return_counts=True)[1]
        result[i] = (n * n - (copies**2).sum()) / (n * (n - 1))
    return result


def triplets(contig: np.ndarray, varies: np.ndarray, gap: int, most: int = TRIPLETS) -> np.ndarray:
    """Variants i, i + gap and i + 2 gap of one contig that all vary, int64 (triplets, 3).

    Where there are more than `most`, as many spread evenly along the genome.
    """
    first = np.arange(max(0, len(contig) - 2 * gap))
    chosen = np.stack([first, first + gap, first + 2 * gap], axis=1)
    chosen = chosen[varies[chosen].all(1) & (contig[chosen[:, 0]] == contig[chosen[:, 2]])]
    if len(chosen) > most:
        chosen = chosen[np.linspace(0, len(chosen) - 1, most).round().astype(np.int64)]
    return chosen


def three_point(haplotypes: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Three-point correlation of triplets of variants, float64 (triplets,).

    The third joint cumulant E[(x - Ex)(y - Ey)(z - Ez)], what three alleles do together that pairs do not tell;
    used for artificial genomes by Yelmen et al. (PLoS Comput Biol 19:e1011584, 2023).
    """
    n = len(haplotypes)
    x, y, z = (haplotypes[:, sites].astype(bool) for sites in chosen.T)
    mean = {
        name: alleles.sum(0) / n
        for name, alleles in (("x", x), ("y", y), ("z", z), ("xy", x & y), ("xz", x & z), ("yz", y & z))
    }
    together = (x & y & z).sum(0) / n
    pairs = mean["xy"] * mean["z"] + mean["xz"] * mean["y"] + mean["yz"] * mean["x"]
    return together - pairs + 2 * mean["x"] * mean["y"] * mean["z"]
