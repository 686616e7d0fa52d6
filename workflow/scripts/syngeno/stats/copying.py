"""Sequences as mosaics that are copied from a panel (Li and Stephens, Genetics 165:2213, 2003): likelihood, posterior.

Sequences are haplotypes, or dosages where phase is unknown, int8 (n, variants). The loops are compiled.
"""

import itertools
from concurrent.futures import ThreadPoolExecutor

import numba
import numpy as np

from syngeno.stats.matches import by_rows

# Li and Stephens' rho per centimorgan, for 10,000 diploids, and the order of magnitude of their error.
SWITCHES, ERROR = 400.0, 1e-3
SEGMENT = 16  # variants that are copied from the same row, of which a machine word holds the dosages
FEWEST = 1e-5  # centimorgans between segments, where a map is flat
MOST = 6  # differences of a segment; more do not make it less probable
PARTS = 8  # of the sequences, which are summed up apart: sums do not depend on the number of threads


def log_likelihoods(
    asked: np.ndarray, panel: np.ndarray, leave: np.ndarray, error: float, *, threads: int = 1
) -> np.ndarray:
    """log p of sequences as mosaics of the rows of a panel (Li & Stephens, Genetics 165:2213, 2003), float64 (asked,).

    `leave` (variants,) is the probability that the copied row is left before a variant, 1 where a chromosome begins;
    `error` that a symbol is copied wrongly.
    """
    by_variant, leave = np.ascontiguousarray(panel.T), leave.astype(np.float32)
    return by_rows(lambda rows: _copied(rows, by_variant, leave, np.float32(error)), asked, threads)


@numba.njit(cache=True, nogil=True, fastmath=True)
def _copied(asked, panel, leave, wrong):
    variants, n = panel.shape
    right, whole = np.float32(1) - wrong, np.float32(1)
    found = np.zeros(len(asked))
    for i in range(len(asked)):
        state = np.full(n, whole / np.float32(n))
        before = whole
        for k in range(variants):
            stay, arrive, symbol = (whole - leave[k]) / before, leave[k] / np.float32(n), asked[i, k]
            before = np.float32(0)
            for j in range(n):
                state[j] = (stay * state[j] + arrive) * (right if panel[k, j] == symbol else wrong)
                before += state[j]
            found[i] += np.log(before)
    return found


def painted(
    asked: np.ndarray, panel: np.ndarray, contig: np.ndarray, cm: np.ndarray, *, threads: int = 1
) -> np.ndarray:
    """Of how many variants of the sequences asked about each row of a panel is the source, expected: float64 (panel,).

    The sum over sequences (n, variants) and segments of the posterior probability that a segment is copied from the
    row, times its variants. `contig` and `cm` (variants,) are the places of the variants.
    """
    starts = np.flatnonzero(np.r_[True, contig[1:] != contig[:-1], True])
    first = np.concatenate([np.arange(*ends, SEGMENT) for ends in itertools.pairwise(starts)])
    size = np.diff(np.r_[first, len(contig)])
    begins = np.isin(first, starts)
    apart = np.where(begins, np.inf, np.maximum(np.diff(cm[first], prepend=cm[0]), FEWEST))
    leave = -np.expm1(-SWITCHES * apart / len(panel)).astype(np.float32)
    fits = ((ERROR / (1 - ERROR)) ** np.minimum(np.arange(2 * SEGMENT + 1), MOST)).astype(np.float32)
    theirs, size = np.ascontiguousarray(_codes(panel, first).T), size.astype(np.float32)
    parts = np.array_split(_codes(asked, first), PARTS)
    with ThreadPoolExecutor(threads) as pool:
        return sum(pool.map(lambda part: _painted(part, theirs, leave, fits, size), parts))


def _codes(sequences: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Segments as numbers, uint32 (n, segments), of which as many bits differ as the segments are apart."""
    ends, found = [*first[1:].tolist(), sequences.shape[1]], np.zeros((len(sequences), len(first)), np.uint32)
    for segment, (start, end) in enumerate(zip(first.tolist(), ends, strict=True)):
        for variant in range(start, end):
            for least in (1, 2):
                bit = np.uint32(2 * (variant - start) + least - 1)
                found[:, segment] |= (sequences[:, variant] >= least).astype(np.uint32) << bit
    return found


@numba.njit(cache=True, nogil=True, fastmath=True)
def _painted(asked, panel, leave, fits, size):
    """`asked` (n, segments), `panel` (segments, rows); forwards and backwards, one sequence after the other."""
    segments, n = panel.shape
    found, own, behind = np.zeros(n), np.empty(n, np.float32), np.empty(n, np.float32)
    forward, emitted = np.empty((segments, n), np.float32), np.empty((segments, n), np.float32)
    for i in range(len(asked)):
        before, scale = np.ones(n, np.float32), np.float32(1)
        for s in range(segments):
            stay, arrive, code = (np.float32(1) - leave[s]) * scale, leave[s] / np.float32(n), asked[i, s]
            row, emission, total = forward[s], emitted[s], np.float32(0)
            for j in range(n):
                x = panel[s, j] ^ code  # its bits are counted
                x = x - ((x >> np.uint32(1)) & np.uint32(0x55555555))
                x = (x & np.uint32(0x33333333)) + ((x >> np.uint32(2)) & np.uint32(0x33333333))
                x = (x + (x >> np.uint32(4))) & np.uint32(0x0F0F0F0F)
                emission[j] = fits[((x * np.uint32(0x01010101)) >> np.uint32(24)) & np.uint32(0xFF)]
            for j in range(n):
                row[j] = (stay * before[j] + arrive) * emission[j]
                total += row[j]
            before, scale = row, np.float32(1) / total
        own[:], behind[:] = 0, 1
        for s in range(segments - 1, -1, -1):
            row, emission, total, mean = forward[s], emitted[s], np.float32(0), np.float32(0)
            for j in range(n):
                total += row[j] * behind[j]
            share = size[s] / total
            for j in range(n):
                own[j] += row[j] * behind[j] * share
                behind[j] *= emission[j]
                mean += behind[j]
            stay = (np.float32(1) - leave[s]) * np.float32(n) / mean
            for j in range(n):
                behind[j] = stay * behind[j] + leave[s]
        found += own
    return found
