"""Kinship of pairs of people by KING-robust (Manichaikul et al., Bioinformatics 26:2867-2873, 2010)."""

import numpy as np
import pandas as pd

from syngeno.stats import pairwise

# Lower bounds of each degree: halfway, on the log scale, between the expected 1/2, 1/4, 1/8, 1/16, 1/32.
DEGREES = (("duplicate", 2**-1.5), ("first", 2**-2.5), ("second", 2**-3.5), ("third", 2**-4.5))
MIN_CONTIGS, MIN_VARIANTS = 10, 5000
SITES = 2**15  # per product: bounds the memory, and 4 x SITES stays below 2^24, so that float32 counts exactly
PEOPLE = 2048  # rows per tile


def king(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """KING-robust kinship between the people of `a` (na, V) and `b` (nb, V), dosages 0/1/2: float32 (na, nb).

    The between-family estimator with the smaller heterozygosity,

        (N_AaAa - 2 N_AA,aa) / 2N_Aa(i) + 1/2 - (N_Aa(i) + N_Aa(j)) / 4N_Aa(i),   N_Aa(i) <= N_Aa(j),

    which is 1/2 - sum (g_i - g_j)^2 / 4N_Aa(i): one matrix product. Where the less heterozygous person has no
    heterozygous site it is 1/2 for identical people, else minus infinity.
    """
    a, b = np.asarray(a), np.asarray(b)
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1]:
        raise ValueError(f"dosages of shapes {a.shape} and {b.shape} do not hold the same sites")
    result = np.empty((len(a), len(b)), dtype=np.float32)
    for i in range(0, len(a), PEOPLE):
        for j in range(0, len(b), PEOPLE):
            result[i : i + PEOPLE, j : j + PEOPLE] = _tile(a[i : i + PEOPLE], b[j : j + PEOPLE])
    return result


def largest(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The largest kinship of each person of `a` (na, V) with anybody of `b` (nb, V): float32 (na,).

    As by `king`, tile by tile: no people x people matrix is held. Raises ValueError where `b` has nobody.
    """
    if not len(b):
        raise ValueError("nobody to be related to")
    result = np.full(len(a), -np.inf, dtype=np.float32)
    for i in range(0, len(a), PEOPLE):
        for j in range(0, len(b), PEOPLE):
            nearest = king(a[i : i + PEOPLE], b[j : j + PEOPLE]).max(axis=1)
            result[i : i + PEOPLE] = np.maximum(result[i : i + PEOPLE], nearest)
    return result


def _tile(a: np.ndarray, b: np.ndarray) -> np.ndarray:
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
    return np.where(distance == 0, 0.5, kinship)


def degree(kinship: np.ndarray) -> np.ndarray:
    """The degree of each kinship: duplicate, first, second, third or unrelated."""
    kinship = np.asarray(kinship)
    return np.select([kinship > bound for _, bound in DEGREES], [name for name, _ in DEGREES], "unrelated")


def relatives(dosages: np.ndarray, samples: list[str], threshold: float = 0.0884) -> pd.DataFrame:
    """Pairs of people with kinship above the threshold, closest first: sample_a, sample_b, kinship, degree.

    `dosages` is (people, V); every pair is looked at once, tile by tile, so that no people x people matrix is
    held.
    """
    if len(samples) != len(dosages):
        raise ValueError(f"{len(samples)} sample ids for {len(dosages)} people")
    names = np.asarray(samples, dtype=str)
    firsts, seconds, values = [], [], []
    for i in range(0, len(dosages), PEOPLE):
        for j in range(i, len(dosages), PEOPLE):
            kinship = king(dosages[i : i + PEOPLE], dosages[j : j + PEOPLE])
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


def meaningful(n_contigs: int, n_variants: int) -> bool:
    """Whether kinship can be told from chance: on few contigs or variants unrelated people look related."""
    return n_contigs >= MIN_CONTIGS and n_variants >= MIN_VARIANTS
