"""The site-frequency spectrum: how many variants are rare, and how many vary at all, among equally many people.

How many rare variants are seen grows with the number of people, so cohorts are compared thinned to one size. That
is done in expectation, without drawing anybody.
"""

import numpy as np
from scipy.special import gammaln

from syngeno.data.cohort import Cohort

# Copies of the minor allele among the people that a cohort is thinned to.
MAF_BINS = {
    "maf 0-0.005": (0, 0.005),
    "maf 0.005-0.01": (0.005, 0.01),
    "maf 0.01-0.05": (0.01, 0.05),
    "maf 0.05-0.5": (0.05, 0.5001),
}
BINS = {
    "mac 1": (1, 1),
    "mac 2": (2, 2),
    "mac 3-5": (3, 5),
    "mac 6-10": (6, 10),
    "mac 11-20": (11, 20),
    "mac 21-50": (21, 50),
    "mac 51+": (51, None),
}


def polymorphic(cohort: Cohort, people: int) -> float:
    """Expected share of variants that are polymorphic among fewer people.

    The expectation is over all draws of 2 * people alleles without replacement (hypergeometric; the
    rarefaction of Hurlbert 1971), so nothing is drawn.
    """
    alleles, drawn, copies, variants = _copies(cohort, people)
    none, every = _drawn(alleles, copies, drawn, np.array([0, drawn]))
    return float((1 - none - every) @ variants / variants.sum())


def folded(cohort: Cohort, people: int) -> np.ndarray:
    """Expected folded site-frequency spectrum among fewer people, float64 (people + 1,).

    Entry k is the share of all variants whose rarer allele is there k times among 2 * people alleles, expected
    over all draws without replacement as in `polymorphic`.
    """
    alleles, drawn, copies, variants = _copies(cohort, people)
    shares = _drawn(alleles, copies, drawn, np.arange(drawn + 1)) @ variants / variants.sum()
    rarer = shares[: drawn // 2 + 1].copy()
    rarer[: drawn // 2] += shares[: drawn // 2 : -1]
    return rarer


def _copies(cohort: Cohort, people: int) -> tuple[int, int, np.ndarray, np.ndarray]:
    """Alleles there are, alleles drawn, and how many variants have how many copies of the rarer one."""
    alleles = 2 * len(cohort)
    count = cohort.dosages.sum(0, dtype=np.int64)
    # Both alleles are drawn alike, so only how many copies the rarer has matters.
    copies, variants = np.unique(np.minimum(count, alleles - count), return_counts=True)
    return alleles, 2 * min(people, len(cohort)), copies, variants


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
