"""Descent in two layers: tracts of latent ancestries along a chromosome, ancestral haplotype clusters within them.

The chain of hmm.py above which a sequence changes between A ancestries (the linkage model of Falush et al., Genetics
2003, above the clusters of Scheet and Stephens, 2006). A sequence has the proportions q of its sample and a rate tau of
ancestry switches per Morgan. A tract ends before segment b, d[b] Morgans after the one before, with probability
c[b] = 1 - exp(-tau d[b]). A new tract draws its ancestry a by q, and its cluster by the weights w[a, b] that the
sequence's group has in this ancestry. Within a tract the cluster k is left with probability s[b, k], and the next one
drawn by w[a, b] as well:

    p(a, k at b | a', j at b - 1) = (1 - c[b]) [a = a'] { (1 - s[b, j]) [k = j] + s[b, j] w[a, b, k] }
                                    + c[b] q[a] w[a, b, k].

With the emission e_b(k) and f normalised at each segment, the forward recursion is

    f_b(a, k) ~ e_b(k) { (1 - c)(1 - s[b, k]) f_b-1(a, k) + w[a, b, k] [(1 - c) sum_j s[b, j] f_b-1(a, j) + c q[a]] },
    f_1(a, k) ~ e_1(k) q[a] w[a, 1, k],

at a cost of A K a segment. One ancestry is the chain of hmm.py. All this runs on a CPU, in the loops of tract_loops.py,
and does not depend on the number of threads (PyTorch's).
"""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from syngeno.models.haplotype import loops, tract_loops
from syngeno.models.haplotype.hmm import Clusters
from syngeno.models.haplotype.loops import Patterns
from syngeno.models.haplotype.proportions import Admixture


class Chain(NamedTuple):
    """A chromosome: `clusters` on the CPU, and `morgans` between segments (B,), 0 first.

    The weight g * A + a of the clusters is that of the group g in the ancestry a.
    """

    clusters: Clusters
    morgans: np.ndarray


class Counts(NamedTuple):
    """What is expected of sequences (n,).

    Attributes (G groups, A ancestries, B segments, K clusters):
        symbol: (B, K, (alphabet - 1) w), symbols 1, 2, .. emitted by a cluster.
        occupancy: (G A, B, K), sequences of a group and an ancestry that descend from a cluster.
        entry: (G A, B, K), of those among them that entered it at this segment.
        left: (B, K), sequences that left a cluster before a segment though their tract went on.
        ancestry: (n, B, A), posterior probability of each ancestry.
        tracts: (n, A), tracts of each ancestry.
        logs: (n,), log probability of each sequence.
    """

    symbol: Tensor
    occupancy: Tensor
    entry: Tensor
    left: Tensor
    ancestry: np.ndarray
    tracts: np.ndarray
    logs: np.ndarray


class Drawn(NamedTuple):
    """Drawn sequences: `symbols` int8 (v, n), the clusters `path` int16 and the `ancestry` int8 of segments (B, n)."""

    symbols: np.ndarray
    path: np.ndarray
    ancestry: np.ndarray


def patterns(chain: Chain, symbols: Tensor) -> Patterns:
    """What is looked up of sequences int8 (v, n)."""
    return Patterns.of(chain.clusters.carried(symbols).numpy())


def log_probabilities(chain: Chain, given: Patterns, asked: Admixture) -> np.ndarray:
    """Log probability of sequences under each of M admixtures: float64 (n, M).

    `asked` are proportions (n, M, A), rates and groups (n, M).
    """
    n, M, A = asked.q.shape
    result, q, arrays = np.empty((n, M)), asked.q.astype(np.float32), _arrays(chain, A)
    table, top = loops.emissions(chain.clusters, given)

    def of_rows(rows: slice) -> None:
        changes = _changes(chain, asked.rate[rows])
        place = given.place[rows]
        tract_loops.likelihoods(place, table, *arrays, asked.group[rows], q[rows], changes, result[rows])
        result[rows] += top[place].sum(1)[:, None]

    list(loops.each(of_rows, n))
    return result


def expected(chain: Chain, given: Patterns, admixture: Admixture, barred: np.ndarray | None = None) -> Counts:
    """Counts of sequences given their admixture; none descends from clusters `barred` to it, bool (n, K)."""
    n, A = admixture.q.shape
    q, arrays = admixture.q.astype(np.float32), _arrays(chain, A)
    table, top = loops.emissions(chain.clusters, given)
    B, K = arrays[0].shape
    barred = np.zeros((n, K), bool) if barred is None else barred
    of_each = np.zeros((n, A)), np.empty((n, B, A), np.float32), np.empty(n)

    def zeros() -> list[np.ndarray]:
        shapes = (B, given.carried.shape[1], K), arrays[1].shape, arrays[1].shape, (B, K)
        return [np.zeros(shape, np.float32) for shape in shapes]

    def of_part(rows: slice) -> list[np.ndarray]:
        counts, place = zeros(), given.place[rows]
        which = (
            place,
            given.carried,
            admixture.group[rows],
            q[rows],
            _changes(chain, admixture.rate[rows]),
            barred[rows],
        )
        tract_loops.counted(*which, table, *arrays, *counts, *(part[rows] for part in of_each))
        return counts

    symbol, occupancy, entry, left = loops.summed(of_part, n, zeros())
    tracts, ancestry, logs = of_each
    by_group = (torch.from_numpy(part.swapaxes(1, 2).reshape(-1, B, K)) for part in (occupancy, entry))
    symbol = torch.from_numpy(symbol).transpose(1, 2).contiguous()
    return Counts(symbol, *by_group, torch.from_numpy(left), ancestry, tracts, logs + top[given.place].sum(1))


def walk(chain: Chain, admixture: Admixture, states: np.ndarray) -> Drawn:
    """Draw a sequence by each admixture, from random states of their own, uint64 (n,)."""
    n, A = admixture.q.shape
    found, emitted, arrays = _empty(chain, n), (chain.clusters.edges, loops.tails_of(chain.clusters)), _arrays(chain, A)
    q, states = admixture.q.astype(np.float32), states.copy()

    def of_rows(rows: slice) -> None:
        which = admixture.group[rows], q[rows], _changes(chain, admixture.rate[rows])
        tract_loops.walked(*arrays, *which, *emitted, states[rows], *(part[rows] for part in found))

    list(loops.each(of_rows, n))
    return Drawn(*(part.T for part in found))


def complete(
    chain: Chain, symbols: Tensor, visible: np.ndarray, admixture: Admixture, times: int, states: np.ndarray
) -> Drawn:
    """Draw the hidden segments of sequences given the visible ones, `times` for each, as hmm.complete does.

    `symbols` int8 (v, n), `visible` bool (B, n), random `states` uint64 (n,); the draws of sequence i are the columns
    from times * i on. With all segments visible these are draws of paths.
    """
    n, A = admixture.q.shape
    found, arrays = _empty(chain, times * n), _arrays(chain, A)
    emitted = chain.clusters.edges, loops.tails_of(chain.clusters)
    found[0][:] = symbols.numpy().T.repeat(times, axis=0)
    q, states, hidden = admixture.q.astype(np.float32), states.copy(), np.ascontiguousarray(~visible.T)
    given = patterns(chain, symbols)
    table, _ = loops.emissions(chain.clusters, given)

    def of_rows(rows: slice) -> None:
        which = given.place[rows], hidden[rows], admixture.group[rows], q[rows]
        own = (part[times * rows.start : times * rows.stop] for part in found)
        tract_loops.completed(
            *which, _changes(chain, admixture.rate[rows]), table, *arrays, *emitted, states[rows], *own
        )

    list(loops.each(of_rows, n))
    return Drawn(*(part.T for part in found))


def _arrays(chain: Chain, ancestries: int) -> tuple[np.ndarray, np.ndarray]:
    """Switch probabilities (B, K) and weights (G, B, A, K)."""
    switch = chain.clusters.switch.numpy()
    weight = chain.clusters.weight.numpy().reshape(-1, ancestries, *switch.shape)
    return switch, np.ascontiguousarray(weight.swapaxes(1, 2))


def _changes(chain: Chain, rate: np.ndarray) -> np.ndarray:
    """Probability that a tract ends before each segment, float32 (.., B), at rates (..)."""
    return -np.expm1(-rate[..., None] * chain.morgans).astype(np.float32)


def _empty(chain: Chain, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    B = len(chain.morgans)
    return np.empty((n, chain.clusters.variants), np.int8), np.empty((n, B), np.int16), np.empty((n, B), np.int8)
