"""Where sequences agree along a chromosome: in windows, by distance, and in runs that end at each variant.

Sequences are haplotypes, or dosages where phase is unknown, int8 (n, variants). In a window every pair is compared, 64
variants at a time. Runs of equal alleles come from one positional Burrows-Wheeler transform of all sequences together
(Durbin, Bioinformatics 30:1266, 2014), in time proportional to sequences x variants. The loops are compiled.
"""

import itertools
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import numba
import numpy as np

WINDOW = 200  # variants that sequences are compared along
_ROWS = 64  # sequences that all others are compared with at a time

Windows = list[slice]  # of variants


def windows_by_count(contig: np.ndarray, count: int) -> Windows:
    """Windows of about `count` variants that divide each contig (variants,) evenly, one at least."""
    return _windows(contig, lambda first, end: np.linspace(first, end, max(1, round((end - first) / count)) + 1))


def windows_by_length(contig: np.ndarray, cm: np.ndarray, length: float) -> Windows:
    """Windows of `length` centimorgans, by the places `cm` (variants,) on the genetic map."""

    def bounds(first: int, end: int) -> np.ndarray:
        piece = ((cm[first:end] - cm[first]) // length).astype(np.int64)
        return np.r_[first, first + 1 + np.flatnonzero(np.diff(piece)), end]

    return _windows(contig, bounds)


def _windows(contig: np.ndarray, bounds: Callable[[int, int], np.ndarray]) -> Windows:
    starts = np.flatnonzero(np.r_[True, contig[1:] != contig[:-1]]).tolist()
    found = []
    for first, end in zip(starts, [*starts[1:], len(contig)], strict=True):
        at = np.rint(bounds(first, end)).astype(int).tolist()
        found += [slice(*ends) for ends in itertools.pairwise(at)]
    return found


def apart(a: np.ndarray, b: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """L1 distances of some rows of `b` at a time to all rows of `a`: which rows, and uint32 (rows, a)."""
    both = _packed(np.concatenate([a, b]))
    ours, theirs = both[:, : len(a)], both[:, len(a) :]
    for start in range(0, len(b), _ROWS):
        rows = slice(start, min(start + _ROWS, len(b)))
        distances = np.zeros((rows.stop - start, len(a)), np.uint32)
        for of_ours, of_theirs in zip(ours, theirs, strict=True):
            distances += np.bitwise_count(of_theirs[rows, None] ^ of_ours)
        yield rows, distances


def best(distances: np.ndarray) -> np.ndarray:
    """How many of the rows of distances (m, n) are nearest to each column, (n,); ties share."""
    first = distances == distances.min(axis=1, keepdims=True)
    return (first / np.count_nonzero(first, axis=1)[:, None]).sum(axis=0)


def _packed(sequences: np.ndarray) -> np.ndarray:
    """Sequences as bits, uint64 (words, n), of which as many differ as the sequences are apart."""
    bits = np.packbits(np.concatenate([sequences > 0, sequences > 1], axis=1), axis=1)
    words = np.pad(bits, ((0, 0), (0, -bits.shape[1] % 8))).view(np.uint64)
    return np.ascontiguousarray(words[:, words.any(axis=0)].T)


def run_lengths(
    asked: np.ndarray, others: np.ndarray, sets: np.ndarray, *, dosages: bool, threads: int = 1
) -> np.ndarray:
    """How long, in logarithms, the runs are that sequences share with any of a set of others: float64 (sets, asked).

    At each variant of a chromosome the longest run that ends there is taken, of equal alleles, or of dosages without
    opposite homozygotes, in variants: the sum over variants of log(1 + length). `sets` bool (sets, others) tells which
    others are in each set.
    """
    if dosages:
        # Each of the others is compared once: with those that are in the same sets.
        alike, part = np.unique(sets, axis=1, return_inverse=True)
        order = np.argsort(part.ravel(), kind="stable")
        others, part = np.ascontiguousarray(others[order]), part.ravel()[order]
        return by_rows(lambda rows: _compatible(rows, others, part, alike), asked, threads).T
    both = np.ascontiguousarray(np.concatenate([asked, others]).T)
    return _equal(both, len(asked), np.concatenate([np.zeros((len(sets), len(asked)), bool), sets], axis=1))


@numba.njit(cache=True, nogil=True)
def _advance(alleles, k, order, diverged, ones, ones_diverged):
    """From the order before variant k, whose alleles these are (n,), to that after it, in place.

    `order` is by reversed prefix, and `diverged` where the match of each with the one before it begins; the others are
    for its own use.
    """
    zeros, count, p, q = 0, 0, k + 1, k + 1
    for i in range(len(order)):
        one, start = order[i], diverged[i]
        p, q = max(p, start), max(q, start)
        if alleles[one] == 0:
            order[zeros], diverged[zeros], p = one, p, 0
            zeros += 1
        else:
            ones[count], ones_diverged[count], q = one, q, 0
            count += 1
    order[zeros:], diverged[zeros:] = ones[:count], ones_diverged[:count]


@numba.njit(cache=True, nogil=True)
def _equal(alleles, asked, sets):
    """`alleles` (variants, n): first those of the sequences asked for, which are in none of the `sets` (sets, n)."""
    variants, n = alleles.shape
    log = np.log(np.arange(1, variants + 2))
    order, diverged = np.arange(n), np.zeros(n, np.int64)
    ones, ones_diverged = np.empty(n, np.int64), np.empty(n, np.int64)
    above = np.empty(n, np.int64)
    found = np.zeros((len(sets), asked))
    for k in range(variants):
        _advance(alleles[k], k, order, diverged, ones, ones_diverged)
        for chosen in range(len(sets)):
            # Where the match with the nearest of the set begins, among those above, then among those below.
            start = k + 1
            for i in range(n):
                start = max(start, diverged[i])
                above[i] = start
                if sets[chosen, order[i]]:
                    start = 0
            start = k + 1
            for i in range(n - 1, -1, -1):
                if order[i] < asked:
                    found[chosen, order[i]] += log[k + 1 - min(start, above[i])]
                elif sets[chosen, order[i]]:
                    start = 0
                start = max(start, diverged[i])
    return found


def by_rows(function: Callable[[np.ndarray], np.ndarray], rows: np.ndarray, threads: int) -> np.ndarray:
    """What a compiled function gives for each of the rows, some of them in each thread."""
    parts = np.array_split(np.ascontiguousarray(rows), threads)
    with ThreadPoolExecutor(threads) as pool:
        return np.concatenate(list(pool.map(function, parts)))


@numba.njit(cache=True, nogil=True)
def _compatible(asked, others, part, sets):
    """(n, sets): each of the others is of a `part`, and of the `sets` (sets, parts) that hold it."""
    n, variants = asked.shape
    log = np.log(np.arange(1, variants + 2))
    found = np.zeros((n, len(sets)))
    starts = np.empty((sets.shape[1], variants), np.int64)
    for i in range(n):
        starts[:] = np.arange(1, variants + 1)
        for j in range(len(others)):
            start, of_part = 0, starts[part[j]]
            for k in range(variants):
                if abs(asked[i, k] - others[j, k]) == 2:
                    start = k + 1
                of_part[k] = min(of_part[k], start)
        for chosen in range(len(sets)):
            for k in range(variants):
                start = k + 1
                for one in range(sets.shape[1]):
                    if sets[chosen, one]:
                        start = min(start, starts[one, k])
                found[i, chosen] += log[k + 1 - start]
    return found


def private_runs(
    asked: np.ndarray, panel: np.ndarray, individual: np.ndarray, shared_by: int, cm: np.ndarray
) -> np.ndarray:
    """The longest run that each haplotype shares with some, but fewer than `shared_by` individuals, float64 (asked,).

    In centimorgans from its first to its last variant, along one chromosome with its variants at `cm` (variants,); 0
    where there is none. `panel` are haplotypes of the individuals (panel,). Of the runs that end at a variant the
    longest is taken, where fewer individuals than that share it: shorter ones are shared by more.
    """
    both = np.ascontiguousarray(np.concatenate([asked, panel]).T)
    return _private(both, len(asked), individual, shared_by, cm)


@numba.njit(cache=True, nogil=True)
def _private(alleles, asked, individual, shared_by, cm):
    """`alleles` (variants, n): first those of the haplotypes asked for, then those of the panel."""
    variants, n = alleles.shape
    order, diverged = np.arange(n), np.zeros(n, np.int64)
    ones, ones_diverged = np.empty(n, np.int64), np.empty(n, np.int64)
    above, place = np.empty(asked, np.int64), np.empty(asked, np.int64)
    panel, begins = np.empty(n - asked, np.int64), np.empty(n - asked, np.int64)
    who = np.empty(shared_by, np.int64)
    found = np.zeros(asked)
    for k in range(variants):
        _advance(alleles[k], k, order, diverged, ones, ones_diverged)
        # The panel in order, where the match of each with the one before it in the panel begins, and that of those
        # asked for with the last one above them.
        count, start = 0, k + 1
        for i in range(n):
            start = max(start, diverged[i])
            if order[i] < asked:
                above[order[i]], place[order[i]] = start, count
            else:
                panel[count], begins[count], start = individual[order[i] - asked], start, 0
                count += 1
        start = k + 1
        for i in range(n - 1, -1, -1):
            one = order[i]
            if one >= asked:
                start = 0
            else:
                first = min(start, above[one])
                if first <= k and cm[k] - cm[first] > found[one]:
                    seen, j, begin = 0, place[one] - 1, above[one]
                    while j >= 0 and begin == first and seen < shared_by:
                        seen = _noted(who, seen, panel[j])
                        begin = max(begin, begins[j])
                        j -= 1
                    j, begin = place[one], start
                    while j < count and begin == first and seen < shared_by:
                        seen = _noted(who, seen, panel[j])
                        j += 1
                        if j < count:
                            begin = max(begin, begins[j])
                    if seen < shared_by:
                        found[one] = cm[k] - cm[first]
            start = max(start, diverged[i])
    return found


@numba.njit(cache=True, nogil=True)
def _noted(who, seen, one):
    """How many are noted in `who` with this one."""
    for i in range(seen):
        if who[i] == one:
            return seen
    who[seen] = one
    return seen + 1


def shared_segments(
    asked: np.ndarray, panel: np.ndarray, longer_than: np.ndarray, cm: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Segments that each haplotype shares with those of a panel along one chromosome, as of identity by descent.

    A segment is a run of equal alleles of a pair of haplotypes that cannot be longer. Its length is that from its first
    to its last variant, by their places `cm` (variants,) in centimorgans, ascending. The first array, int64 (k, asked),
    counts those `longer_than` (k,) over all of the panel; the other, float64 (asked,), is the longest segment of each,
    0 where there is none. All pairs whose runs end at a variant are counted at once, so time is proportional to
    haplotypes x variants.
    """
    both = np.ascontiguousarray(np.concatenate([asked, panel]).T)
    return _shared(both, len(asked), np.asarray(longer_than, np.float64), cm)


@numba.njit(cache=True, nogil=True)
def _shared(alleles, asked, longer_than, cm):
    """`alleles` (variants, n): first those of the haplotypes asked for, then those of the panel."""
    variants, n = alleles.shape
    order, diverged = np.arange(n), np.zeros(n, np.int64)
    ones, ones_diverged = np.empty(n, np.int64), np.empty(n, np.int64)
    above, carried = np.empty(n, np.int64), np.empty(2, np.int64)
    found, longest = np.zeros((len(longer_than), asked), np.int64), np.zeros(asked)
    # Runs that began before this variant are longer than that.
    first = np.zeros(len(longer_than), np.int64)
    # Behind the last variant no two go on alike.
    behind = (np.arange(n) < asked).astype(alleles.dtype)
    for k in range(variants):
        _advance(alleles[k], k, order, diverged, ones, ones_diverged)
        start = k + 1
        for i in range(n):
            start = max(start, diverged[i])
            above[i] = start
            if order[i] >= asked:
                start = 0
        start = k + 1
        for i in range(n - 1, -1, -1):
            one = order[i]
            if one >= asked:
                start = 0
            elif min(start, above[i]) <= k:
                longest[one] = max(longest[one], cm[k] - cm[min(start, above[i])])
            start = max(start, diverged[i])
        following = alleles[k + 1] if k + 1 < variants else behind
        for length in range(len(longer_than)):
            while cm[k] - cm[first[length]] > longer_than[length]:
                first[length] += 1
            begin = n if first[length] == 0 else 0
            while begin < n:
                # All of these share a run that is long enough; it ends for those who go on with different alleles.
                end, carried[:] = begin, 0
                while end == begin or (end < n and diverged[end] < first[length]):
                    if order[end] >= asked:
                        carried[following[order[end]]] += 1
                    end += 1
                for i in range(begin, end):
                    if order[i] < asked:
                        found[length, order[i]] += carried[1 - following[order[i]]]
                begin = end
    return found, longest


def carried_by_best(
    asked: np.ndarray,
    row: np.ndarray,
    variant: np.ndarray,
    others: np.ndarray,
    common: np.ndarray,
    contig: np.ndarray,
    *,
    dosages: bool,
    threads: int = 1,
) -> np.ndarray:
    """Whether the sequences that match best around a variant carry its rarer allele, bool (targets,).

    A target is a `row` of those asked for and a `variant`, which is not looked at. The best match among `others` has
    the longest run of variants to the left and to the right together, within the contig (variants,): of equal alleles,
    or of dosages without opposite homozygotes. Of several the majority counts, and they do not carry it where there is
    none. `common` (variants,) is the symbol of a sequence without the rarer allele.
    """
    starts = np.flatnonzero(np.r_[True, contig[1:] != contig[:-1], True])
    chromosome = np.searchsorted(starts, variant, side="right") - 1
    order = np.argsort(variant, kind="stable")  # neighbours look at the same part of the others, which is at hand
    targets = np.stack([row, variant, starts[chromosome], starts[chromosome + 1]], axis=1)[order]
    others, apart = np.ascontiguousarray(others), 2 if dosages else 1
    found = np.empty(len(row), bool)
    found[order] = by_rows(lambda part: _carried(asked, part, others, common, apart), targets, threads)
    return found


@numba.njit(cache=True, nogil=True)
def _carried(asked, targets, others, common, apart):
    found = np.empty(len(targets), np.bool_)
    for t in range(len(targets)):
        row, variant, first, end = targets[t]
        longest, carriers = -1, 0
        for j in range(len(others)):
            left, right = variant - 1, variant + 1
            while left >= first and abs(asked[row, left] - others[j, left]) < apart:
                left -= 1
            while right < end and abs(asked[row, right] - others[j, right]) < apart:
                right += 1
            if right - left > longest:
                longest, carriers = right - left, 0
            if right - left == longest:
                carriers += 1 if others[j, variant] != common[variant] else -1
        found[t] = carriers > 0
    return found
