"""The chain of hmm.py in compiled loops, as a processor runs it: what that module's functions do on a CPU.

Segments have few distinct patterns of symbols, so emissions are looked up in tables by pattern, and what is left is a
pass over the clusters of each segment and sequence. Sequences go through in tiles, so that what the chain has at a
segment stays in the cache for all of a tile. Sums are of a fixed division of the sequences, and random numbers of each
sequence's own: results do not depend on the number of threads.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple, Self, TypeVar

import numba
import numpy as np
import torch

if TYPE_CHECKING:
    from syngeno.models.haplotype.hmm import Clusters

T = TypeVar("T")

# Probability of a segment over that by the best cluster, at least: 0 would end a chain to which that one is barred.
FAINTEST = np.float32(1e-30)
TILE = 8  # sequences
PARTS = 4  # of the sequences, whose counts are summed up apart, by as many threads at most


class Patterns(NamedTuple):
    """The patterns of symbols in each segment.

    Attributes:
        carried: bool (P, (A - 1) w), indicators of the symbols 1, 2, .. of each pattern, segment by segment.
        start: int64 (B + 1,), where the patterns of each segment begin, and the end.
        place: int32 (n, B), which pattern each sequence has there.
    """

    carried: np.ndarray
    start: np.ndarray
    place: np.ndarray

    @classmethod
    def of(cls, carried: np.ndarray) -> Self:
        """Of sequences by their indicators, bool (B, n, (A - 1) w), 64 of a segment at most."""
        B, n, bits = carried.shape
        words = np.packbits(np.pad(carried, ((0, 0), (0, 0), (0, 64 - bits))), axis=2).view(np.uint64)[:, :, 0]
        distinct, start, place = [], [0], np.empty((B, n), np.int32)
        for b in range(B):
            _, first, which = np.unique(words[b], return_index=True, return_inverse=True)
            distinct.append(carried[b, first])
            place[b] = start[-1] + which
            start.append(start[-1] + len(first))
        return cls(np.concatenate(distinct), np.array(start), np.ascontiguousarray(place.T))


class Chain(NamedTuple):
    """Clusters as arrays float32: switch and stay (B, K), weight (G, B, K)."""

    switch: np.ndarray
    stay: np.ndarray
    weight: np.ndarray

    @classmethod
    def of(cls, clusters: Clusters) -> Self:
        """The arrays of clusters on the CPU."""
        return cls(*(part.contiguous().numpy() for part in (clusters.switch, 1 - clusters.switch, clusters.weight)))


def emissions(clusters: Clusters, patterns: Patterns) -> tuple[np.ndarray, np.ndarray]:
    """Probability of each pattern by cluster, over the best cluster's, float32 (P, K), and the log of that (P,)."""
    return _emissions(patterns.carried, patterns.start, *(part.numpy() for part in clusters.log_tables))


def log_probabilities(clusters: Clusters, carried: np.ndarray, groups: list[int]) -> np.ndarray:
    """See `hmm.log_probabilities`, of indicators bool (B, n, (A - 1) w)."""
    patterns, chain = Patterns.of(carried), Chain.of(clusters)
    table, top = emissions(clusters, patterns)
    asked = np.asarray(groups, np.int64)
    parts = each(lambda rows: _log_probabilities(patterns.place[rows], table, top, *chain, asked), carried.shape[1])
    return np.concatenate(list(parts))


def expected(
    clusters: Clusters, patterns: Patterns, group: np.ndarray, barred: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Expected counts of sequences, and the sum of their log probabilities.

    `patterns` of n sequences, `group` (n,), and clusters that nothing of a sequence descends from, `barred` bool
    (n, K). The counts are of symbols (B, (A - 1) w, K), and of sequences of a group that descend from a cluster, and
    that entered it (G, B, K) each.
    """
    chain, bits = Chain.of(clusters), patterns.carried.shape[1]
    table, top = emissions(clusters, patterns)
    B, K = chain.switch.shape

    def zeros() -> list[np.ndarray]:
        return [np.zeros(shape, np.float32) for shape in ((B, bits, K), *[chain.weight.shape] * 2)]

    def of_part(rows: slice) -> list[np.ndarray]:
        counts, which = zeros(), (patterns.place[rows], patterns.carried, group[rows], barred[rows])
        return [*counts, np.array(_expected(*which, table, top, *chain, *counts))]

    *total, logs = summed(of_part, len(group), [*zeros(), np.zeros(())])
    return *total, float(logs)


def complete(
    clusters: Clusters,
    carried: np.ndarray,
    symbols: np.ndarray,
    visible: np.ndarray,
    group: np.ndarray,
    times: int,
    seeds: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """See `hmm.complete`: symbols int8 (times n, v) and clusters int16 (times n, B), of sequences in rows.

    `carried` bool (B, n, (A - 1) w), `symbols` int8 (n, v), `visible` bool (n, B), `group` (n,), `seeds` (n,).
    """
    patterns, chain, tails = Patterns.of(carried), Chain.of(clusters), tails_of(clusters)
    table, _ = emissions(clusters, patterns)
    drawn = np.repeat(symbols, times, axis=0)
    path = np.empty((len(drawn), len(chain.switch)), np.int16)

    def of_rows(rows: slice) -> None:
        for i in range(rows.start, rows.stop):
            own, rng = slice(times * i, times * (i + 1)), seeds[i : i + 1].copy()
            place = patterns.place[i], visible[i], group[i]
            _complete(*place, table, *chain, clusters.edges, tails, rng, drawn[own], path[own])

    list(each(of_rows, len(group)))
    return drawn, path


def walk(clusters: Clusters, group: np.ndarray, seeds: np.ndarray) -> np.ndarray:
    """See `hmm.walk`: int8 (n, v), of sequences in rows, with groups and seeds (n,)."""
    drawn, chain, tails = np.empty((len(group), clusters.variants), np.int8), Chain.of(clusters), tails_of(clusters)

    def of_rows(rows: slice) -> None:
        _walk(group[rows], *chain[::2], clusters.edges, tails, seeds[rows].copy(), drawn[rows])

    list(each(of_rows, len(group)))
    return drawn


def tails_of(clusters: Clusters) -> np.ndarray:
    """That a symbol is 1 or more, 2 or more, ..: float32 (B, K, A - 1, w)."""
    return clusters.symbol.flip(2).cumsum(2).flip(2).numpy()


def each(function: Callable[[slice], T], n: int, parts: int | None = None) -> Iterator[T]:
    """What a function gives for each part of n sequences, in order, by as many threads as PyTorch has."""
    threads = torch.get_num_threads()
    ends = np.linspace(0, n, (parts or 4 * threads) + 1).round().astype(int).tolist()
    rows = [slice(*ends) for ends in itertools.pairwise(ends) if ends[0] < ends[1]]
    if threads == 1:  # then no more than one part is held
        yield from map(function, rows)
    else:
        with ThreadPoolExecutor(threads) as pool:
            yield from pool.map(function, rows)


def summed(function: Callable[[slice], list[np.ndarray]], n: int, zeros: list[np.ndarray]) -> list[np.ndarray]:
    """What a function gives for `PARTS` of n sequences, added up, to `zeros`, in a fixed order."""
    for counts in each(function, n, PARTS):
        for ours, theirs in zip(zeros, counts, strict=True):
            ours += theirs
    return zeros


@numba.njit(inline="always")
def uniform(rng):
    """A number from 0 up to 1, and the next state of `rng`, uint64 (1,): SplitMix64 (Steele et al., OOPSLA 2014).

    NumPy's generators take six times as long for one number, and most of what is drawn is drawn one by one.
    """
    rng[0] += np.uint64(0x9E3779B97F4A7C15)
    mixed = rng[0]
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return ((mixed ^ (mixed >> np.uint64(31))) >> np.uint64(11)) * 2.0**-53


@numba.njit(cache=True, nogil=True, fastmath=True)
def _emissions(carried, start, odds, zeros):
    B, bits, K = odds.shape
    found, top = np.empty((len(carried), K), np.float32), np.empty(len(carried))
    for b in range(B):
        for p in range(start[b], start[b + 1]):
            row, best = found[p], np.float32(-np.inf)
            for k in range(K):
                row[k] = zeros[b, k]
            for bit in range(bits):
                if carried[p, bit]:
                    for k in range(K):
                        row[k] += odds[b, bit, k]
            for k in range(K):
                best = max(best, row[k])
            for k in range(K):
                row[k] = max(np.exp(row[k] - best), FAINTEST)
            top[p] = best
    return found, top


@numba.njit(cache=True, nogil=True, fastmath=True)
def _log_probabilities(place, table, top, switch, stay, weight, groups):
    """`place` (n, B): (n, groups)."""
    n, B = place.shape
    K = switch.shape[1]
    found, now = np.zeros((n, len(groups))), np.empty(K, np.float32)
    for i in range(n):
        for number, g in enumerate(groups):
            for b in range(B):
                total = _onto(b, now, now, table[place[i, b]], switch, stay, weight[g, b])[1]
                _divide(now, total)
                found[i, number] += top[place[i, b]] + np.log(np.float64(total))
    return found


@numba.njit(inline="always")
def _onto(b, before, now, emitted, switch, stay, weight):
    """From the probability of clusters before a segment to that with it, `now`; what switched, and the sum of `now`."""
    switched, total = np.float32(0), np.float32(0)
    if b == 0:
        for k in range(len(now)):
            now[k] = weight[k] * emitted[k]
            total += now[k]
    else:
        leaves, stays = switch[b], stay[b]
        for k in range(len(now)):
            switched += before[k] * leaves[k]
        for k in range(len(now)):
            now[k] = (before[k] * stays[k] + switched * weight[k]) * emitted[k]
            total += now[k]
    return switched, total


@numba.njit(inline="always")
def _divide(row, total):
    inverse = np.float32(1) / total
    for k in range(len(row)):
        row[k] *= inverse


@numba.njit(cache=True, nogil=True, fastmath=True)
def _expected(place, carried, group, barred, table, top, switch, stay, weight, symbol, occupancy, entry):
    """Adds to `symbol` (B, (A - 1) w, K), `occupancy` and `entry` (G, B, K); the sum of the log probabilities."""
    n, B = place.shape
    K, bits, logs = switch.shape[1], carried.shape[1], 0.0
    some_barred = np.array([barred[i].any() for i in range(n)])
    forward, after = np.empty((B, TILE, K), np.float32), np.empty((TILE, K), np.float32)
    switched, scale = np.empty((2, B, TILE), np.float32)
    for first in range(0, n, TILE):
        count = min(TILE, n - first)
        for b in range(B):
            for t in range(count):
                i = first + t
                before, now, emitted = forward[b - 1, t], forward[b, t], table[place[i, b]]
                switched[b, t], total = _onto(b, before, now, emitted, switch, stay, weight[group[i], b])
                if some_barred[i]:
                    total = np.float32(0)
                    for k in range(K):
                        now[k] = np.float32(0) if barred[i, k] else now[k]
                        total += now[k]
                scale[b, t] = total
                _divide(now, total)
                logs += top[place[i, b]] + np.log(np.float64(total))
        after[:] = 1
        for b in range(B - 1, -1, -1):
            for t in range(count):
                i = first + t
                g, p = group[i], place[i, b]
                posterior, beyond, occupied, entered = forward[b, t], after[t], occupancy[g, b], entry[g, b]
                for k in range(K):
                    posterior[k] *= beyond[k]
                    occupied[k] += posterior[k]
                for bit in range(bits):
                    if carried[p, bit]:
                        counted = symbol[b, bit]
                        for k in range(K):
                            counted[k] += posterior[k]
                if b == 0:
                    for k in range(K):
                        entered[k] += posterior[k]
                    continue
                emitted, weights, leaves, stays = table[p], weight[g, b], switch[b], stay[b]
                inverse, from_others, onward = np.float32(1) / scale[b, t], switched[b, t], np.float32(0)
                if some_barred[i]:
                    for k in range(K):
                        beyond[k] = np.float32(0) if barred[i, k] else beyond[k]
                for k in range(K):
                    beyond[k] *= emitted[k] * inverse
                    come = beyond[k] * weights[k]
                    entered[k] += from_others * come
                    onward += come
                for k in range(K):
                    beyond[k] = beyond[k] * stays[k] + onward * leaves[k]
    return logs


@numba.njit(cache=True, nogil=True, fastmath=True)
def _complete(place, visible, group, table, switch, stay, weight, edges, tails, rng, drawn, path):
    """Draws the hidden segments of one sequence in each row of `drawn`, and its clusters in `path`."""
    B, K = switch.shape
    onward, entering = np.empty((B, K), np.float32), np.empty(B, np.float32)
    after = np.ones(K, np.float32)
    for b in range(B - 1, -1, -1):
        row, weights, best, entered = onward[b], weight[group, b], np.float32(0), np.float32(0)
        emitted = table[place[b]]
        for k in range(K):
            row[k] = after[k] * emitted[k] if visible[b] else after[k]
            best = max(best, row[k])
        _divide(row, best)
        for k in range(K):
            entered += row[k] * weights[k]
        entering[b] = entered
        for k in range(K):
            after[k] = row[k] * stay[b, k] + entered * switch[b, k]
    states = np.zeros(len(drawn), np.int64)
    for b in range(B):
        symbols = drawn[:, edges[b] : edges[b + 1]]
        for one in range(len(drawn)):
            state = states[one]
            stays = (np.float32(1) - switch[b, state]) * onward[b, state] if b else np.float32(0)
            if uniform(rng) * (stays + switch[b, state] * entering[b]) >= stays:
                state, below, threshold = -1, 0.0, uniform(rng) * entering[b]
                while below <= threshold and state < K - 1:
                    state += 1
                    below += onward[b, state] * weight[group, b, state]
            states[one] = path[one, b] = state
            if not visible[b]:
                emit(symbols[one], b, state, tails, rng)


@numba.njit(cache=True, nogil=True)
def _walk(group, switch, weight, edges, tails, rng, drawn):
    """Draws `drawn` (n, v) by groups (n,) and random states (n,)."""
    states = np.zeros(len(group), np.int64)
    for b in range(len(switch)):
        symbols = drawn[:, edges[b] : edges[b + 1]]
        for i in range(len(group)):
            if b == 0 or uniform(rng[i : i + 1]) < switch[b, states[i]]:
                states[i] = enter(weight[group[i], b], rng[i : i + 1])
            emit(symbols[i], b, states[i], tails, rng[i : i + 1])


@numba.njit(cache=True, nogil=True)
def enter(weight, rng):
    """A cluster, drawn in proportion to its weight (K,), which sum to 1."""
    state, below, threshold = -1, 0.0, uniform(rng)
    while below <= threshold and state < len(weight) - 1:
        state += 1
        below += weight[state]
    return state


@numba.njit(cache=True, nogil=True)
def emit(symbols, b, state, tails, rng):
    """Draws the symbols (w,) of a segment given its cluster, with `tails` of `tails_of`."""
    for v in range(len(symbols)):
        threshold, symbol = uniform(rng), 0
        for other in range(tails.shape[2]):
            symbol += threshold < tails[b, state, other, v]
        symbols[v] = symbol
