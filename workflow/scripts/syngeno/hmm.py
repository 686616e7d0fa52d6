"""Descent from founders as a hidden Markov chain along one chromosome: probabilities of sequences, and draws.

Before a segment b of a few variants a sequence leaves founder k with probability leave[b, k] and takes one by the
probabilities arrive[g, b, k] of its group g; at the chromosome's start it takes one anyway. Given the founder, variants
are independent, each with the founder's own symbol probabilities. How founders are learnt: founders.py.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

HELD = 1 << 25  # bytes of an array of founder probabilities: more only leaves the cache


@dataclass(frozen=True)
class Founders:
    """Founders of one chromosome: K founders, B segments of w variants, alphabet A, G labels; all float32.

    `symbol` (B, K, A - 1, w): probabilities of the symbols 1, 2, .. (0 has the rest), w filled up in the last segment
    beyond the chromosome's `variants`; `leave` (B, K), 1 at the start; `arrive` (G, B, K).
    """

    symbol: np.ndarray
    leave: np.ndarray
    arrive: np.ndarray
    variants: int

    @cached_property
    def log_tables(self) -> tuple[np.ndarray, np.ndarray]:
        """Log odds of the symbols 1, 2, .. against 0 (B, (A - 1) w, K), and the log probability of zeros (B, K)."""
        B, K, _, width = self.symbol.shape
        none = np.log1p(-self.symbol.sum(2))
        odds = (np.log(self.symbol) - none[:, :, None]).reshape(B, K, -1).transpose(0, 2, 1)
        none[-1, :, self.variants - (B - 1) * width :] = 0  # what only fills up is a zero, surely
        return np.ascontiguousarray(odds), none.sum(2)


def log_probability(fitted: Founders, symbols: np.ndarray, group: np.ndarray) -> np.ndarray:
    """Log probability of sequences int8 (v, n) with groups (n,), float64 (n,)."""
    group = np.asarray(group)
    names, code = np.unique(group, return_inverse=True)
    result = np.empty(len(group))
    for one, name in enumerate(names.tolist()):
        own = np.flatnonzero(code == one)
        result[own] = log_probabilities(fitted, symbols[:, own], [name])[:, 0]
    return result


def log_probabilities(fitted: Founders, symbols: np.ndarray, groups: list[int]) -> np.ndarray:
    """Log probability of each sequence int8 (v, n) in each of these groups, float64 (n, groups)."""
    B, K, others, width = fitted.symbol.shape
    n = symbols.shape[1]
    result, seen = np.empty((n, len(groups))), indicators(symbols, others + 1, width)
    if len(seen) != B:
        raise ValueError(f"{len(symbols)} variants for {B} segments of {width}")
    for own in batches(np.zeros(n, int), B * K):
        emission, top = emissions(fitted, seen[:, own].astype(np.float32))
        for column, group in enumerate(groups):
            result[own, column] = log_sums(top, filtered(emission, fitted.leave, fitted.arrive[group])[1])
    return result


def walk(fitted: Founders, group: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw a sequence for each group (n,): symbols int8 (variants, n)."""
    B, K, _, width = fitted.symbol.shape
    drawn, founder = np.empty((B, width, len(group)), np.int8), np.zeros(len(group), np.int64)
    for b in range(B):
        moves = rng.random(len(group)) < fitted.leave[b, founder]
        for one in np.unique(group[moves]).tolist():
            movers = np.flatnonzero(moves & (group == one))
            founder[movers] = rng.choice(K, len(movers), p=_exact(fitted.arrive[one, b]))
        above = rng.random((len(group), 1, width), dtype=np.float32) < _tails(fitted.symbol[b])[founder]
        drawn[b] = above.sum(1, dtype=np.int8).T
    return drawn.reshape(B * width, -1)[: fitted.variants]


def complete(
    fitted: Founders,
    symbols: np.ndarray,
    visible: np.ndarray,
    group: np.ndarray,
    times: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """Draw the hidden segments of sequences given the visible ones, `times` for each: int8 (v, times * n).

    `symbols` int8 (v, n), `visible` bool (B, n), `group` (n,); the draws of sequence i are the columns from
    times * i on. Exact: what comes after a segment is summed up backwards, founders are then drawn forwards.
    """
    B, K, others, width = fitted.symbol.shape
    n = len(group)
    seen = indicators(symbols, others + 1, width)
    drawn = np.repeat(_segments(symbols, width), times, axis=2)
    for own in batches(group, B * K):
        onward = _onward(fitted, seen[:, own], visible[:, own], int(group[own[0]]))
        columns = (own[:, None] * times + np.arange(times)).ravel()
        source = np.repeat(np.arange(len(own)), times)
        hidden = ~visible[:, own][:, source]
        founder = np.zeros(len(columns), np.int64)
        for b in range(B):
            weight = onward[b]
            arriving = weight * fitted.arrive[int(group[own[0]]), b]
            at = fitted.leave[b, founder]
            stays = (1 - at) * weight[source, founder]
            moves = rng.random(len(columns)) * (stays + at * arriving.sum(1)[source]) >= stays
            movers = np.flatnonzero(moves)
            founder[movers] = _one_of(arriving, source[movers], rng)
            open_ = np.flatnonzero(hidden[b])
            above = rng.random((len(open_), 1, width), dtype=np.float32) < _tails(fitted.symbol[b])[founder[open_]]
            drawn[b][:, columns[open_]] = above.sum(1, dtype=np.int8).T
    return drawn.reshape(B * width, times * n)[: fitted.variants]


def _onward(fitted: Founders, seen: np.ndarray, visible: np.ndarray, group: int) -> np.ndarray:
    """Probability of all that is visible from a segment on, given its founder (B, n, K), up to a factor for each n."""
    emission, _ = emissions(fitted, seen.astype(np.float32))
    emission[~visible] = 1
    after = np.ones(emission.shape[1:], np.float32)
    for b in reversed(range(len(emission))):
        onward = emission[b]
        onward *= after
        onward /= onward.max(1, keepdims=True)
        after = onward * (1 - fitted.leave[b]) + (onward @ fitted.arrive[group, b])[:, None] * fitted.leave[b]
    return emission


def _one_of(weight: np.ndarray, rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A founder for each of these rows of weights (n, K), drawn in proportion: int (rows,)."""
    below = weight.cumsum(1, dtype=np.float64)[rows]
    founder = (below <= rng.random((len(rows), 1)) * below[:, -1:]).sum(1)
    return np.minimum(founder, weight.shape[1] - 1)


def emissions(model: Founders, seen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Probability of each segment by founder (B, n, K), relative to the best founder's, and the log of that (B, n)."""
    odds, none = model.log_tables
    logs = np.matmul(seen, odds)
    logs += none[:, None]
    top = logs.max(2)
    logs -= top[:, :, None]
    return np.exp(logs, out=logs), top


def filtered(emission: np.ndarray, leave: np.ndarray, arrive: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Probability of each founder given the segments so far (B, n, K), of a segment given those before (B, n)."""
    forward, scale = np.empty_like(emission), np.empty(emission.shape[:2], np.float32)
    before = np.zeros(emission.shape[1:], np.float32)
    for b, now in enumerate(forward):
        left = before @ leave[b] if b else np.ones(len(now), np.float32)
        np.multiply(before, 1 - leave[b], out=now)
        now += left[:, None] * arrive[b]
        now *= emission[b]
        scale[b] = now.sum(1)
        now /= scale[b][:, None]
        before = now
    return forward, scale


def log_sums(top: np.ndarray, scale: np.ndarray) -> np.ndarray:
    """Log probability of each sequence (n,), from what `emissions` and `filtered` say of its segments (B, n)."""
    return (top.astype(np.float64) + np.log(scale.astype(np.float64))).sum(0)


def indicators(symbols: np.ndarray, alphabet: int, width: int) -> np.ndarray:
    """Which of the symbols 1, 2, .. each variant is, segment by segment: bool (B, n, (A - 1) width)."""
    filled = _segments(symbols, width).transpose(0, 2, 1)
    others = np.stack([filled == symbol for symbol in range(1, alphabet)], axis=2)
    return others.reshape(*filled.shape[:2], -1)


def _segments(symbols: np.ndarray, width: int) -> np.ndarray:
    """Symbols (v, n) segment by segment (B, width, n), zeros filled up in the last."""
    variants, n = symbols.shape
    B = -(-variants // width)
    filled = np.zeros((B * width, n), np.int8)
    filled[:variants] = symbols
    return filled.reshape(B, width, n)


def batches(group: np.ndarray, cost: int) -> Iterator[np.ndarray]:
    """Sequences of one group at a time, few enough that `cost` numbers for each are no more than `HELD`."""
    size = max(1, HELD // (4 * cost))
    for one in np.unique(group):
        own = np.flatnonzero(group == one)
        yield from np.split(own, range(size, len(own), size))


def _tails(symbol: np.ndarray) -> np.ndarray:
    """Probability that a symbol is 1 or more, 2 or more, ..: (K, A - 1, w) as the probabilities are."""
    return symbol[:, ::-1].cumsum(1)[:, ::-1]


def _exact(probability: np.ndarray) -> np.ndarray:
    probability = probability.astype(np.float64)
    return probability / probability.sum()
