"""Kinship of pairs of samples by KING-robust (Manichaikul et al., Bioinformatics 26:2867-2873, 2010)."""

import numpy as np
import pandas as pd

from syngeno.stats import pairwise

# Lower bounds of each degree: halfway, on the log scale, between the expected 1/2, 1/4, 1/8, 1/16, 1/32.
DEGREES = (("duplicate", 2**-1.5), ("first", 2**-2.5), ("second", 2**-3.5), ("third", 2**-4.5))
MIN_CONTIGS, MIN_VARIANTS = 10, 5000
SITES = 2**15  # per product: bounds the memory, and 4 x SITES stays below 2^24, so that float32 counts exactly
ROWS = 2048  # samples per tile


def king(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """KING-robust kinship between the samples of `a` (na, V) and `b` (nb, V), dosages 0/1/2: float32 (na, nb).

    The between-family estimator with the smaller heterozygosity,

        (N_AaAa - 2 N_AA,aa) / 2N_Aa(i) + 1/2 - (N_Aa(i) + N_Aa(j)) / 4N_Aa(i),   N_Aa(i) <= N_Aa(j),

    which is 1/2 - sum (g_i - g_j)^2 / 4N_Aa(i): one matrix product. Where the less heterozygous sample has no
    heterozygous site it is 1/2 for identical samples, else minus infinity.
    """
    distance = np.zeros((len(a), len(b)))
    het_a, het_b = np.zeros(len(a)), np.zeros(len(b))
    for start in range(0, a.shape[1], SITES):
        part_a, part_b = a[:, start : start + SITES], b[:, start : start + SITES]
        distance += pairwise.squared(part_a, part_b)
        het_a += (part_a == 1).sum(axis=1)
        het_b += (part_b == 1).sum(axis=1)
    het = np.minimum(het_a[:, None], het_b[None])
    with np.errstate(divide="ignore", invalid="ignore"):
        kinship = 0.5 - distance / (4 * het)
    return np.where(distance == 0, 0.5, kinship).astype(np.float32)


def largest(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The largest kinship (see `king`) of each sample of `a` (na, V) with any of `b` (nb, V): float32 (na,)."""
    result = np.full(len(a), -np.inf, dtype=np.float32)
    for i in range(0, len(a), ROWS):
        for j in range(0, len(b), ROWS):
            nearest = king(a[i : i + ROWS], b[j : j + ROWS]).max(axis=1)
            result[i : i + ROWS] = np.maximum(result[i : i + ROWS], nearest)
    return result


def degree(kinship: np.ndarray) -> np.ndarray:
    """The degree of each kinship: duplicate, first, second, third or unrelated."""
    kinship = np.asarray(kinship)
    return np.select([kinship > bound for _, bound in DEGREES], [name for name, _ in DEGREES], "unrelated")


def relatives(dosages: np.ndarray, samples: list[str], threshold: float = 0.0884) -> pd.DataFrame:
    """Pairs of samples, dosages (n, V), with kinship above the threshold: sample_a, sample_b, kinship, degree.

    Closest first; every pair is looked at once, tile by tile, so that no n x n matrix is held.
    """
    names = np.asarray(samples, dtype=str)
    firsts, seconds, values = [], [], []
    for i in range(0, len(dosages), ROWS):
        for j in range(i, len(dosages), ROWS):
            kinship = king(dosages[i : i + ROWS], dosages[j : j + ROWS])
            above = np.triu(kinship > threshold, k=1) if i == j else kinship > threshold
            rows, columns = np.nonzero(above)
            firsts.append(names[i + rows])
            seconds.append(names[j + columns])
            values.append(kinship[rows, columns])
    kinship = np.concatenate([np.empty(0, np.float32), *values])
    table = pd.DataFrame(
        {
            "sample_a": np.concatenate([np.empty(0, str), *firsts]),
            "sample_b": np.concatenate([np.empty(0, str), *seconds]),
            "kinship": kinship,
            "degree": degree(kinship),
        }
    )
    return table.sort_values(["kinship", "sample_a", "sample_b"], ascending=[False, True, True], ignore_index=True)


def identical(dosages: np.ndarray, samples: list[str]) -> pd.DataFrame:
    """Pairs of samples with the same dosages (n, V), as `relatives` gives them: each with the first of its kind."""
    first, pairs = {}, []
    for name, row in zip(samples, np.ascontiguousarray(dosages), strict=True):
        before = first.setdefault(row.tobytes(), name)
        if before != name:
            pairs.append((before, name, 0.5, DEGREES[0][0]))
    return pd.DataFrame(pairs, columns=["sample_a", "sample_b", "kinship", "degree"])


def meaningful(n_contigs: int, n_variants: int) -> bool:
    """Whether kinship is distinguished from chance: on few contigs or variants unrelated samples look related."""
    return n_contigs >= MIN_CONTIGS and n_variants >= MIN_VARIANTS
