"""Canaries: training samples added to a synthetic cohort, whole or in pieces, so that attacks can show their power.

A canary in pieces is a mosaic of two training samples of a label: along each of its haplotypes (its dosages where phase
is unknown) pieces of so many centimorgans come from the one and the other in turn.
"""

from typing import NamedTuple

import numpy as np

from syngeno import streams
from syngeno.data import genetic_map
from syngeno.data.cohort import Cohort

WHOLE = "whole"
PIECES = {f"pieces of {length} cM": length for length in (1, 3, 5)}


class Canaries(NamedTuple):
    """Canaries, and the training samples that they are made of: indices, int64."""

    cohort: Cohort
    sources: np.ndarray


def plant(label: np.ndarray, train: Cohort, percent: float, seed: int) -> dict[str, Canaries]:
    """Canaries for a synthetic cohort of these labels (samples,), by their kind: `WHOLE`, or one of `PIECES`.

    So many `percent` of the synthetic samples, one at least and no more than there are training samples; each is of
    another training sample, of the labels that synthetic samples have as far as there are any left.
    """
    count = min(max(1, round(len(label) * percent / 100)), len(train))
    rng = streams.rng("planted_canaries", seed)
    rank = np.empty(len(train))
    for name in np.unique(train.label).tolist():
        own = rng.permutation(np.flatnonzero(train.label == name))
        # The i-th of a label is due where the synthetic cohort has so many of it in proportion; then the others.
        expected = count * (label == name).mean()
        rank[own] = (np.arange(len(own)) + rng.random()) / max(expected, 1e-9)
    first = np.argsort(rank, kind="stable")[:count]
    found = {WHOLE: Canaries(train.take(first), first)}
    second = np.array([_other(train.label, one, rng) for one in first])
    for kind, length in PIECES.items():
        found[kind] = Canaries(_mosaics(train, first, second, length, rng), np.unique(np.r_[first, second]))
    return found


def _other(label: np.ndarray, one: int, rng: np.random.Generator) -> int:
    """Another sample of the same label, itself where it is the only one."""
    others = np.flatnonzero(label == label[one])
    others = others[others != one]
    return int(rng.choice(others)) if len(others) else one


def _mosaics(train: Cohort, first: np.ndarray, second: np.ndarray, length: float, rng: np.random.Generator) -> Cohort:
    cm = train.cm if train.cm is not None else genetic_map.places(train.contig, train.position)
    starts = np.flatnonzero(np.r_[True, train.contig[1:] != train.contig[:-1]])
    chromosome = np.repeat(np.arange(len(starts)), np.diff(np.r_[starts, len(cm)]))
    offset = rng.uniform(0, 2 * length, (len(first), len(starts)))
    from_second = ((cm + offset[:, chromosome]) // length).astype(np.int64) % 2 == 1
    one, other = train.take(first), train.take(second)
    if train.haplotypes is None:
        return one.changed(dosages=np.where(from_second, other.dosages, one.dosages))
    of_both = np.stack([from_second, ~from_second], axis=1)
    return one.changed(haplotypes=np.where(of_both, other.haplotypes, one.haplotypes))
