"""Descent in two layers: tracts of latent ancestries along a chromosome, ancestral haplotype clusters within them.

The chain of hmm.py with its groups as A ancestries, between which a sequence changes (the linkage model of Falush et
al., Genetics 2003, above the clusters of Scheet and Stephens, 2006). A sequence has the proportions q of its sample and
a rate tau of ancestry switches per Morgan. A tract ends before segment b, d[b] Morgans after the one before, with
probability c[b] = 1 - exp(-tau d[b]). A new tract draws its ancestry a by q, and its cluster by the weights w[a, b] of
this ancestry. Within a tract the cluster k is left with probability s[b, k], and the next one drawn by w[a, b] as well:

    p(a, k at b | a', j at b - 1) = (1 - c[b]) [a = a'] { (1 - s[b, j]) [k = j] + s[b, j] w[a, b, k] }
                                    + c[b] q[a] w[a, b, k].

With the emission e_b(k) and f normalised at each segment, the forward recursion is

    f_b(a, k) ~ e_b(k) { (1 - c)(1 - s[b, k]) f_b-1(a, k) + w[a, b, k] [(1 - c) sum_j s[b, j] f_b-1(a, j) + c q[a]] },
    f_1(a, k) ~ e_1(k) q[a] w[a, 1, k],

at a cost of A K a segment. One ancestry and a rate of 0 are the chain of hmm.py. All this runs on the CPU, in the
loops of tract_loops.py: single precision, sequences divided among threads.
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from syngeno.models.haplotype import hmm, tract_loops
from syngeno.models.haplotype.hmm import Clusters

HELD = 1 << 26  # bytes of emissions at a time


class Chain(NamedTuple):
    """A chromosome: `clusters` on the CPU, weights by ancestry, and `morgans` between segments (B,), 0 first."""

    clusters: Clusters
    morgans: np.ndarray


class Counts(NamedTuple):
    """What is expected of sequences (n,).

    Attributes (A ancestries, B segments, K clusters):
        symbol: (B, K, (alphabet - 1) w), symbols 1, 2, .. emitted by a cluster.
        occupancy: (A, B, K), sequences of an ancestry that descend from a cluster.
        entry: (A, B, K), of those among them that entered it at this segment.
        left: (B, K), sequences that left a cluster before a segment though their tract went on.
        ancestry: (n, B, A), posterior probability of each ancestry.
        tracts: (n, A), tracts of each ancestry.
        events: (n,), ancestry switches, to the same ancestry too, several within an interval counted.
        logs: (n,), log probability of each sequence.
    """

    symbol: Tensor
    occupancy: Tensor
    entry: Tensor
    left: Tensor
    ancestry: np.ndarray
    tracts: np.ndarray
    events: np.ndarray
    logs: np.ndarray


class Drawn(NamedTuple):
    """Drawn sequences: `symbols` int8 (v, n), the clusters `path` int16 and the `ancestry` int8 of segments (B, n)."""

    symbols: np.ndarray
    path: np.ndarray
    ancestry: np.ndarray


def morgans(cm: np.ndarray, width: int) -> np.ndarray:
    """Morgans from the middle of each segment of so many variants to that of the one before, 0 first: float64 (B,).

    `cm` (v,) are the places of a chromosome's variants, in centimorgans.
    """
    first = np.arange(0, len(cm), width)
    middle = (cm[first] + cm[np.minimum(first + width, len(cm)) - 1]) / 2
    return np.maximum(np.diff(middle, prepend=middle[0]), 0) / 100


def log_probabilities(
    chain: Chain, symbols: Tensor, q: np.ndarray, rate: np.ndarray, *, threads: int = 1
) -> np.ndarray:
    """Log probability of sequences int8 (v, n) under each of their M proportions `q` (n, M, A): float64 (n, M)."""
    result = np.empty(q.shape[:2])
    q, changes = q.astype(np.float32), _changes(chain, rate)
    switch, weight = _arrays(chain)
    carried = _carried(chain, symbols)
    for own in _batches(chain, len(q)):
        emission, top = hmm.emissions(chain.clusters, carried[:, own].float())
        emission = emission.numpy()

        def some(part: range, own: slice = own, emission: np.ndarray = emission) -> None:
            for i in part:
                at = own.start + i
                tract_loops.likelihoods(emission, i, switch, weight, q[at], changes[at], result[at])

        _shared(some, emission.shape[1], threads)
        result[own] += top.double().sum(0).numpy()[:, None]
    return result


def expected(
    chain: Chain,
    carried: Tensor,
    q: np.ndarray,
    rate: np.ndarray,
    *,
    barred: Tensor | None = None,
    threads: int = 1,
) -> Counts:
    """Counts of sequences, `carried` (B, n, ..) by hmm.indicators, given their proportions (n, A) and rates (n,).

    No sequence descends from clusters that are `barred` to it, bool (n, K).
    """
    B, K = chain.clusters.switch.shape
    n, A = q.shape
    q, changes = q.astype(np.float32), _changes(chain, rate)
    # Of an interval with a switch or more, how many are to be expected there (Poisson).
    mean = rate[:, None] * chain.morgans
    several = np.divide(mean, changes, out=np.ones_like(mean), where=changes > 0).astype(np.float32)
    switch, weight = _arrays(chain)
    symbol = torch.zeros((B, K, carried.shape[2]))
    tracts, events, logs = np.zeros((n, A)), np.zeros(n), np.zeros(n)
    ancestry = np.empty((n, B, A), np.float32)
    occupancy, entry = np.zeros((2, threads, B, A, K), np.float32)
    left = np.zeros((threads, B, K), np.float32)
    for own in _batches(chain, n):
        own_carried = carried[:, own].float()
        emission, top = hmm.emissions(chain.clusters, own_carried, None if barred is None else barred[own])
        posterior = emission.numpy()  # of each cluster, in place of the emissions

        def some(part: range, own: slice = own, posterior: np.ndarray = posterior) -> None:
            sums = [array[part.start] for array in (occupancy, entry, left)]
            for i in part:
                at = own.start + i
                given = switch, weight, q[at], changes[at], several[at]
                logs[at], events[at] = tract_loops.counts(posterior, i, *given, *sums, tracts[at], ancestry[at])

        _shared(some, posterior.shape[1], threads)
        logs[own] += top.double().sum(0).numpy()
        symbol.baddbmm_(emission.transpose(1, 2), own_carried)
    by_ancestry = (torch.from_numpy(array.sum(0)).transpose(0, 1).contiguous() for array in (occupancy, entry))
    return Counts(symbol, *by_ancestry, torch.from_numpy(left.sum(0)), ancestry, tracts, events, logs)


def walk(chain: Chain, q: np.ndarray, rate: np.ndarray, *, seeds: np.ndarray, threads: int = 1) -> Drawn:
    """Draw a sequence by each proportions (n, A) and rate (n,), from seeds of their own, int (n,)."""
    drawn, path, ancestry = _empty(chain, len(q))
    q, changes = q.astype(np.float32), _changes(chain, rate)
    switch, weight = _arrays(chain)
    below, tails, everywhere = weight.cumsum(2), _tails(chain), np.ones(len(chain.morgans), bool)

    def some(part: range) -> None:
        for i in part:
            rng = np.random.default_rng(seeds[i])
            tract_loops.walked(switch, below, q[i], changes[i], path[i], ancestry[i], rng)
            tract_loops.emitted(drawn[i], everywhere, path[i], tails, rng)

    _shared(some, len(q), threads)
    return Drawn(drawn.T, path.T, ancestry.T)


def complete(
    chain: Chain,
    symbols: Tensor,
    visible: np.ndarray,
    q: np.ndarray,
    rate: np.ndarray,
    times: int,
    *,
    seeds: np.ndarray,
    threads: int = 1,
) -> Drawn:
    """Draw the hidden segments of sequences given the visible ones, `times` for each, as hmm.complete does.

    `symbols` int8 (v, n), `visible` bool (B, n), `q` (n, A), `rate` and `seeds` (n,); the draws of sequence i are the
    columns from times * i on. With all segments visible these are draws of paths.
    """
    drawn, path, ancestry = _empty(chain, times * len(q))
    drawn[:] = symbols.numpy().T.repeat(times, axis=0)
    q, changes = q.astype(np.float32), _changes(chain, rate)
    switch, weight = _arrays(chain)
    tails, hidden = _tails(chain), ~visible.T
    carried = _carried(chain, symbols)
    for own in _batches(chain, len(q)):
        emission, _ = hmm.emissions(chain.clusters, carried[:, own].float())
        emission = emission.numpy()
        emission[hidden[own].T] = 1

        def some(part: range, own: slice = own, emission: np.ndarray = emission) -> None:
            for i in part:
                at = own.start + i
                rng, columns = np.random.default_rng(seeds[at]), slice(times * at, times * at + times)
                given = emission, i, switch, weight, q[at], changes[at]
                tract_loops.traced(*given, path[columns], ancestry[columns], rng)
                for column in range(columns.start, columns.stop):
                    tract_loops.emitted(drawn[column], hidden[at], path[column], tails, rng)

        _shared(some, emission.shape[1], threads)
    return Drawn(drawn.T, path.T, ancestry.T)


def _carried(chain: Chain, symbols: Tensor) -> Tensor:
    B, _, others, width = chain.clusters.symbol.shape
    carried = hmm.indicators(symbols, others + 1, width)
    if len(carried) != B:
        raise ValueError(f"{len(symbols)} variants for {B} segments of {width}")
    return carried


def _arrays(chain: Chain) -> tuple[np.ndarray, np.ndarray]:
    """Switch probabilities (B, K) and weights (B, A, K)."""
    return chain.clusters.switch.numpy(), chain.clusters.weight.transpose(0, 1).contiguous().numpy()


def _changes(chain: Chain, rate: np.ndarray) -> np.ndarray:
    """Probability that a tract ends before each segment, float32 (n, B)."""
    return -np.expm1(-np.asarray(rate, np.float64)[:, None] * chain.morgans).astype(np.float32)


def _tails(chain: Chain) -> np.ndarray:
    """That a symbol is 1 or more, 2 or more, ..: (B, K, alphabet - 1, w)."""
    return chain.clusters.symbol.flip(2).cumsum(2).flip(2).numpy()


def _empty(chain: Chain, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    B = len(chain.morgans)
    return np.empty((n, chain.clusters.variants), np.int8), np.empty((n, B), np.int16), np.empty((n, B), np.int8)


def _batches(chain: Chain, n: int) -> Iterator[slice]:
    size = max(1, HELD // (4 * chain.clusters.switch.numel()))
    return (slice(start, min(start + size, n)) for start in range(0, n, size))


def _shared(some: Callable[[range], None], count: int, threads: int) -> None:
    """Run `some` on the numbers below `count`, divided among threads, each of which begins at another one."""
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(some, (range(start, count, threads) for start in range(min(threads, count)))))
