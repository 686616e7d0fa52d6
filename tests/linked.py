"""Phased cohorts of linked variants, without a simulator: haplotypes that are mosaics of a few founders."""

import numpy as np

from syngeno.data.cohort import Cohort

VARIANTS = 1000
CONTIG = np.repeat(["1", "2"], [700, 300])
POSITION = np.r_[np.arange(700), np.arange(300)] * 10_000 + 1  # .01 cM from variant to variant
PIECE = 60  # variants of a piece of a mosaic, on average


def mosaics(panel, n, rng):
    """So many haplotypes int8 (n, variants), of pieces of the rows of a panel."""
    rows, new = rng.integers(0, len(panel), (n, VARIANTS)), rng.random((n, VARIANTS)) < 1 / PIECE
    new[:, np.flatnonzero(np.r_[True, CONTIG[1:] != CONTIG[:-1]])] = True
    begins = np.maximum.accumulate(np.where(new, np.arange(VARIANTS), 0), axis=1)
    return panel[np.take_along_axis(rows, begins, axis=1), np.arange(VARIANTS)]


def cohort(haplotypes, label=None):
    """The samples of these haplotypes int8 (samples, 2, variants), or of each two of (2 x samples, variants)."""
    variants = haplotypes.shape[-1]
    haplotypes = haplotypes.reshape(-1, 2, variants).astype(np.int8)
    n = len(haplotypes)
    label = np.full(n, "A") if label is None else np.asarray(label)
    block = np.zeros(variants, np.int32)
    dosages = haplotypes.sum(axis=1, dtype=np.int8)
    sample = np.array([f"S{i}" for i in range(n)])
    return Cohort(dosages, label, CONTIG[:variants], POSITION[:variants], block, sample=sample, haplotypes=haplotypes)


def real(n, seed, label=None, mutated=0.02):
    """Real samples: mosaics of the same 40 founders, of whose alleles a few are changed."""
    rng = np.random.default_rng(0)
    founders = (rng.random((40, VARIANTS)) < rng.beta(0.5, 0.5, VARIANTS)).astype(np.int8)
    rng = np.random.default_rng([1, seed])
    found = mosaics(founders, 2 * n, rng)
    return cohort(found ^ (rng.random(found.shape) < mutated), label)


def drawn_from(train, n, seed, mutated=0.0):
    """Synthetic samples of a generator that leaks: mosaics of training haplotypes, with some of the alleles changed."""
    rng = np.random.default_rng([2, seed])
    found = mosaics(train.haplotypes.reshape(-1, VARIANTS), 2 * n, rng)
    return cohort(found ^ (rng.random(found.shape) < mutated))
