"""Chromosomes that are not modelled: sex chromosomes of which a sample has one copy, and mitochondria.

X is taken where every sample has two copies. Files code one copy as one allele, or as two that are equal, so it is the
heterozygous calls that tell: PLINK's `--check-sex` takes a sample for male where F = 1 - observed / expected > 0.8.
"""

from collections.abc import Sequence

import numpy as np

from syngeno.data.records import NotDiploid, Source, spellings
from syngeno.data.samples import few

NOT_MODELLED = {
    "Y": "Y is not modelled",
    "XY": "pseudo-autosomal regions are not modelled",
    "MT": "mitochondria are not modelled",
    "0": "they have no place",
}
PSEUDO_AUTOSOMAL = 2_781_479  # the last base of the first such region of human X (GRCh38), where men have two copies
MOST = 1000  # SNPs that are looked at
LEAST_HETEROZYGOUS = 0.2  # of what Hardy-Weinberg equilibrium expects


def why_left_out(sources: Sequence[Source], contig: str, normal: str, samples: Sequence[str]) -> str | None:
    """Why a contig, whose `normal` name says what it is, is not modelled in these samples; None where it is."""
    if normal != "X":
        return NOT_MODELLED.get(normal)
    for source in (one for one in sources if spellings(contig, one.contigs)):
        try:
            calls = _snps(source, contig, samples)
        except NotDiploid as fault:
            return fault.fact
        if (single := one_copy(calls)).any():
            names = few(np.array(list(samples))[single])
            return f"{single.sum()} of {len(samples)} samples seem to have one copy of it ({names})"
    return None


def one_copy(calls: np.ndarray) -> np.ndarray:
    """Which samples have hardly a heterozygous call, bool (n,), by calls int8 (variants, n, 2), -1 where missing."""
    first, second = calls[..., 0], calls[..., 1]
    called = (first >= 0) & (second >= 0)
    alt = np.where(called, first + second, 0).sum(axis=1) / np.maximum(2 * called.sum(axis=1), 1)
    expected = (called * (2 * alt * (1 - alt))[:, None]).sum(axis=0)
    return (called & (first != second)).sum(axis=0) <= LEAST_HETEROZYGOUS * expected


def _snps(source: Source, contig: str, samples: Sequence[str]) -> np.ndarray:
    """Calls of the first SNPs beyond the pseudo-autosomal region, or of all before where there are none."""
    before, beyond = [], []
    for record in source.records(contig, samples):
        if record.calls is None:
            continue
        kept = beyond if record.position > PSEUDO_AUTOSOMAL else before
        if len(kept) < MOST:
            kept.append(record.calls)
        if len(beyond) == MOST:
            break
    return np.array(beyond or before, np.int8).reshape(-1, len(samples), 2)
