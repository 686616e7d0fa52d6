"""No long run of one individual's alone: a rule for drawn sequences that can be explained to those behind the data.

A drawn sequence is followed along a chromosome beside all training sequences. Where it has agreed with some of them for
`longer_than` centimorgans and to the end of a segment, and these belong to fewer than `shared_by` individuals, the
segment is drawn again: the sequence switches cluster there, and goes on from the other one until the place where it had
switched anyway. So no longer run, but for a segment, is drawn where it is not common. Runs of fewer variants than
`LEAST` are let be: so many sequences agree by chance where variants lie far apart.

The other cluster is drawn by the chain's own weights, times how probable it makes the last `BACK` segments: sequences
switch where both clusters have something in common, and what is in linkage stays so. In vain as often as `ALIKE`, it is
drawn by the weights alone. A segment that still breaks the rule after `TRIES` stays, and is counted.
"""

import logging
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, Self

import numba
import numpy as np
import torch

from syngeno import streams
from syngeno.data import sequences
from syngeno.models.base import TrainingData
from syngeno.models.haplotype import loops
from syngeno.models.haplotype.hmm import Clusters

log = logging.getLogger(__name__)

LEAST = 50
# Of few individuals the same number is a larger share, and takes more linkage.
ONE_OF, FEWEST_SHARING = 90, (2, 20)
BACK, ALIKE, TRIES = 3, 14, 20
HIGHEST = np.floor(np.log2(np.maximum(np.arange(1 << 16), 0.5))).astype(np.int32)  # bit of each number, -1 for 0


class Rule(NamedTuple):
    """Runs longer than so many centimorgans must be shared by so many training individuals."""

    longer_than: float
    shared_by: int

    @classmethod
    def of(cls, longer_than: float, shared_by: int | str, individuals: int) -> Self:
        """`auto` is one of `ONE_OF` training individuals, within `FEWEST_SHARING`."""
        if shared_by == "auto":
            least, most = FEWEST_SHARING
            shared_by = min(max(round(individuals / ONE_OF), least), most)
        return cls(longer_than, shared_by)


class Training(NamedTuple):
    """Training sequences of a chromosome, int8 (variants, sequences), those of an individual side by side."""

    symbols: np.ndarray
    per_sample: int


def enforce_along(
    parts: Iterable[tuple[Clusters, slice, slice]],
    drawn: np.ndarray,
    path: np.ndarray,
    weights: np.ndarray,
    data: TrainingData,
    rule: Rule,
    *,
    seed: int,
    shard: int = 0,
    threads: int = 1,
) -> None:
    """`enforce` on every chromosome of `Prior.parts`, in place, with its counts logged; `data` are viewed as drawn."""
    counts, per_sample = np.zeros(2, np.int64), sequences.per_sample(data.store)
    for number, (chromosome, variants, segments) in enumerate(parts):
        known = sequences.between(data.store, data.rows, variants.start, variants.stop)
        rng = np.random.default_rng([*streams.entropy("private_runs", seed, shard), number])
        drawn[variants], *found = enforce(
            chromosome.to(torch.device("cpu")),
            drawn[variants],
            path[segments],
            weights[segments],
            Training(known, per_sample),
            data.centimorgans[variants],
            rule,
            seeds=rng.integers(2**31, size=drawn.shape[1]),
            threads=threads,
        )
        counts += found
    again, left = 1000 * counts / path.size
    log.info("%.1f of 1,000 segments drawn again to break long runs of few, %.2f still hold one", again, left)


def enforce(
    clusters: Clusters,
    symbols: np.ndarray,
    path: np.ndarray,
    weights: np.ndarray,
    training: Training,
    cm: np.ndarray,
    rule: Rule,
    *,
    seeds: np.ndarray,
    threads: int = 1,
) -> tuple[np.ndarray, int, int]:
    """Sequences by the rule, int8 (variants, n), how many segments were drawn again, and how many break it yet.

    Args:
        clusters: of the chromosome, on the CPU.
        symbols: the sequences as they were drawn, int8 (variants, n).
        path: the cluster of each of their segments, int (segments, n).
        weights: which of the clusters' weights their segments follow, int (segments, n).
        training: which runs are looked for.
        cm: places of the variants, float64 (variants,).
        seeds: of each sequence, int64 (n,).
    """
    known = _codes(training.symbols, clusters.edges, clusters.symbol.shape[2])
    # The last variant at which a run that ends at a variant may begin to be as long as that.
    limit = np.searchsorted(cm, cm - rule.longer_than, side="right").astype(np.int32) - 1
    limit = np.minimum(limit, np.arange(len(cm), dtype=np.int32) + 1 - LEAST)
    tables = (table.numpy() for table in clusters.log_tables)
    chain = clusters.edges, loops.tails_of(clusters), *tables, clusters.switch.numpy(), clusters.weight.numpy()
    found, paths, groups = (np.ascontiguousarray(part.T) for part in (symbols, path, weights))

    def each(i: int) -> tuple[int, int]:
        rng = seeds[i : i + 1].astype(np.uint64)
        return _enforce(
            found[i], paths[i], groups[i], rng, known, limit, *chain, HIGHEST, training.per_sample, rule.shared_by
        )

    with ThreadPoolExecutor(threads) as pool:
        again, left = np.array(list(pool.map(each, range(len(found))))).reshape(-1, 2).sum(axis=0).tolist()
    return found.T, again, left


def _codes(symbols: np.ndarray, edges: np.ndarray, others: int) -> np.ndarray:
    """Segments as numbers (segments, n), of 32 or 64 bits, one for each variant and symbol 1, 2, .. that it reaches."""
    first, sizes = edges[:-1], np.diff(edges)
    kind = np.uint32 if sizes.max() * others <= 32 else np.uint64
    found = np.zeros((len(first), symbols.shape[1]), kind)
    for variant in range(sizes.max()):
        longer = sizes > variant
        carried = symbols[first[longer] + variant]
        for symbol in range(others):
            found[longer] |= (carried > symbol).astype(kind) << kind(variant * others + symbol)
    return found


@numba.njit(cache=True, nogil=True)
def _enforce(
    drawn, path, group, rng, known, limit, edges, tails, odds, zeros, switch, weight, highest, per_sample, shared_by
):
    """Changes `drawn` (variants,); returns how many segments were drawn again, and how many break the rule."""
    segments, m = known.shape
    others, width = tails.shape[2:]
    start, long = np.zeros(m, np.int32), np.empty(m, np.int64)  # where the run with each training sequence begins
    symbols, alike = np.empty(width, np.int8), np.empty(weight.shape[2], np.float32)
    again, left, state, elsewhere = 0, 0, 0, False
    for b in range(segments):
        first, end, before = edges[b], edges[b + 1], state
        found = 0
        for h in range(m):
            if start[h] <= limit[end - 1]:
                long[found] = h
                found += 1
        elsewhere = elsewhere and path[b] == path[b - 1]
        if elsewhere:
            state = before if loops.uniform(rng) >= switch[b, before] else loops.enter(weight[group[b], b], rng)
            loops.emit(symbols[: end - first], b, state, tails, rng)
        else:
            state = path[b]
            symbols[: end - first] = drawn[first:end]
        tries, code = 0, _code(symbols, end - first, others)
        while not _common(code, long[:found], known[b], per_sample, shared_by):
            if tries == TRIES:
                left += 1
                break
            if tries == 0:
                _weigh(alike, drawn, b, edges, width, odds, zeros, weight[group[b], b])
            tries, elsewhere = tries + 1, True
            state = loops.enter(alike if tries <= ALIKE else weight[group[b], b], rng)
            loops.emit(symbols[: end - first], b, state, tails, rng)
            code = _code(symbols, end - first, others)
        again += tries > 0
        drawn[first:end] = symbols[: end - first]
        for h in range(m):
            differs, bit = code ^ known[b, h], 0
            if differs:
                while differs >> np.uint64(16):
                    differs >>= np.uint64(16)
                    bit += 16
                start[h] = first + (bit + highest[differs]) // others + 1
    return again, left


@numba.njit(cache=True, nogil=True)
def _common(code, long, known, per_sample, shared_by):
    """Whether no training individual, or enough of them, of those with long runs have this segment."""
    individuals, last = 0, -1
    for h in long:
        if known[h] == code and h // per_sample != last:
            last = h // per_sample
            individuals += 1
            if individuals == shared_by:
                return True
    return individuals == 0


@numba.njit(cache=True, nogil=True)
def _code(symbols, variants, others):
    code = np.uint64(0)
    for v in range(variants):
        for symbol in range(symbols[v]):
            code |= np.uint64(1) << np.uint64(v * others + symbol)
    return code


@numba.njit(cache=True, nogil=True)
def _weigh(found, drawn, b, edges, width, odds, zeros, weight):
    """Weights of clusters (K,) by how probable they make the `BACK` segments before this one, which sum to 1."""
    found[:] = 0
    for earlier in range(max(0, b - BACK), b):
        found += zeros[earlier]
        first = edges[earlier]
        for v in range(edges[earlier + 1] - first):
            symbol = drawn[first + v]
            if symbol:
                found += odds[earlier, (symbol - 1) * width + v]
    found[:] = np.exp(found - found.max()) * weight
    found /= found.sum()
