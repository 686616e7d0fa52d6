"""Whether the variants of a cohort are linked, which decides what kind of generator suits it."""

from collections.abc import Sequence

import numpy as np

from syngeno.data.store import CHUNK, Store

COMMON = 0.05  # least minor-allele frequency of variants that are looked at
# Measured: .005 and .013 in two sets of thinned and hand-picked SNPs of 1000 Genomes, .15 to .21 in four dense cohorts.
LINKED = 0.05


def linkage(r2: float) -> str:
    """Of what variants a cohort is, by the mean r2 of neighbours: "linked" or "unlinked"; "" where that is nan."""
    return "" if np.isnan(r2) else "linked" if r2 >= LINKED else "unlinked"


def joint_r2(r2: Sequence[float | None], variants: Sequence[int]) -> float:
    """Mean `neighbour_r2` of chromosomes with so many variants each; None or nan where nothing can be told."""
    r2, variants = np.array(r2, dtype=float), np.asarray(variants)
    known = ~np.isnan(r2) & (variants > 0)
    return float(np.average(r2[known], weights=variants[known])) if known.any() else float("nan")


def neighbour_r2(store: Store, rows: np.ndarray, label: np.ndarray) -> float:
    """Mean r2 of common variants with the next common one of their chromosome, among samples (`rows` of the store).

    Of the deviations of dosages from the mean of each label (n,), so that differences between labels are no linkage;
    adjusted for the number of samples, so that unlinked variants have 0 on average. nan where nothing can be told.
    One chunk of variants is in memory at a time.
    """
    names, code = np.unique(label, return_inverse=True)
    freedom = len(rows) - len(names) - 1
    if freedom < 1:
        return float("nan")
    members = (code == np.arange(len(names))[:, None]).astype(np.float32)
    members /= members.sum(axis=1, keepdims=True)
    total = pairs = 0
    for number, calls in enumerate(store.iterate(rows)):
        dosage = calls.sum(axis=2, dtype=np.float32)
        contig = store.contig[number * CHUNK :][: len(dosage)]
        frequency = dosage.mean(axis=1) / 2
        dosage -= (dosage @ members.T) @ (members > 0)
        norm = np.sqrt((dosage**2).sum(axis=1))
        common = np.flatnonzero((np.minimum(frequency, 1 - frequency) >= COMMON) & (norm > 1e-3))
        first, second = common[:-1], common[1:]
        same = contig[first] == contig[second]
        first, second = first[same], second[same]
        r2 = ((dosage[first] * dosage[second]).sum(axis=1) / (norm[first] * norm[second])) ** 2
        total += float((1 - (1 - r2) * (freedom + 1) / freedom).sum())
        pairs += len(first)
    return total / pairs if pairs else float("nan")
