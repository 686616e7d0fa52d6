"""Compiled loops of tracts.py over a sequence at a time: its recursions, and draws.

Of B segments, A ancestries and K clusters: `emission` float32 (B, K), `switch` (B, K), `weight` (B, A, K) of the
sequence's group, its proportions `q` (A,) and the probability `changes` (B,) that its tract ends before a segment.
"""

import numba
import numpy as np

from syngeno.models.haplotype.loops import emit, enter, uniform

FAST = {"reassoc", "contract", "nsz", "arcp"}  # sums in any order, so that they are vectorised
LARGEST = np.float32(1e30)  # what comes after, of an ancestry that a sequence does not have: times 0 it must be 0


@numba.njit(cache=True, nogil=True, fastmath=FAST)
def _entered(first, before, emission, switch, weight, q, change, left, now):
    """The next step forwards, from `before` to `now` (A, K), which may be one array: probability of the segment.

    `weight` (A, K); `left` (A,) becomes the probability to leave a cluster of each ancestry.
    """
    A, K = now.shape
    stays, total = np.float32(1) - change, np.float32(0)
    for a in range(A):
        leaves = np.float32(0)
        if first:
            for k in range(K):
                now[a, k] = emission[k] * weight[a, k] * q[a]
                total += now[a, k]
        else:
            for k in range(K):
                leaves += switch[k] * before[a, k]
            enters = stays * leaves + change * q[a]
            for k in range(K):
                now[a, k] = emission[k] * (stays * (np.float32(1) - switch[k]) * before[a, k] + weight[a, k] * enters)
                total += now[a, k]
        left[a] = leaves
    inverse = np.float32(1) / total
    for a in range(A):
        for k in range(K):
            now[a, k] *= inverse
    return total


@numba.njit(cache=True, nogil=True, fastmath=FAST)
def likelihoods(place, table, switch, weights, group, q, changes, result):
    """Log probabilities (n, M) of sequences, relative to their emissions'; `place` (n, B) in the `table` of these.

    By M groups (n, M), proportions (n, M, A) and `changes` (n, M, B) of each; `weights` (G, B, A, K).
    """
    B, A, K = weights.shape[1:]
    f, left = np.empty((A, K), np.float32), np.empty(A, np.float32)
    for i in range(len(place)):
        for m in range(q.shape[1]):
            log_sum, weight = 0.0, weights[group[i, m]]
            for b in range(B):
                total = _entered(
                    b == 0, f, table[place[i, b]], switch[b], weight[b], q[i, m], changes[i, m, b], left, f
                )
                log_sum += np.log(total)
            result[i, m] = log_sum


@numba.njit(cache=True, nogil=True, fastmath=FAST)
def _forwards(emission, switch, weight, q, changes):
    """Of each segment: f (B, A, K), what left (B, A), and its probability given those before (B,)."""
    B, A, K = weight.shape
    f, left, scale = np.empty((B, A, K), np.float32), np.empty((B, A), np.float32), np.empty(B, np.float32)
    for b in range(B):
        before = f[max(b - 1, 0)]
        scale[b] = _entered(b == 0, before, emission[b], switch[b], weight[b], q, changes[b], left[b], f[b])
    return f, left, scale


@numba.njit(cache=True, nogil=True)
def counted(
    place,
    carried,
    group,
    q,
    changes,
    barred,
    table,
    switch,
    weights,
    symbol,
    occupancy,
    entry,
    left,
    tracts,
    ancestry,
    logs,
):
    """Adds to the counts of sequences, patterns `place` (n, B), groups (n,), `changes` (n, B) and `barred` (n, K).

    `weights`, `occupancy` and `entry` (G, B, A, K), `symbol` (B, (A - 1) w, K), `left` (B, K), and of each sequence
    `tracts` (n, A), `ancestry` (n, B, A) and `logs` (n,), relative to their emissions'.
    """
    emission = np.empty(switch.shape, np.float32)
    for i in range(len(place)):
        own = group[i]
        for b in range(len(emission)):
            emission[b] = table[place[i, b]]
            for k in range(emission.shape[1]):
                if barred[i, k]:
                    emission[b, k] = 0
        sums = occupancy[own], entry[own], left, tracts[i], ancestry[i]
        logs[i] = _counted(emission, switch, weights[own], q[i], changes[i], *sums)
        for b in range(len(emission)):
            for bit in range(symbol.shape[1]):
                if carried[place[i, b], bit]:
                    symbol[b, bit] += emission[b]


@numba.njit(cache=True, nogil=True, fastmath=FAST)
def _counted(emission, switch, weight, q, changes, occupancy, entry, left, tracts, ancestry):
    """Adds to the counts; `emission` becomes the posterior. Returns the log probability."""
    B, A, K = weight.shape
    f, leaving, scale = _forwards(emission, switch, weight, q, changes)
    beta, onward = np.ones((A, K), np.float32), np.empty(K, np.float32)
    one, log_sum = np.float32(1), 0.0
    entering = np.empty((A, K), np.float32)
    for b in range(B - 1, -1, -1):
        inverse, change = one / scale[b], changes[b]
        stays, anew = one - change, np.float32(0)
        log_sum += np.log(scale[b])
        onward[:] = emission[b] * inverse
        emission[b] = 0
        for a in range(A):
            total = np.float32(0)
            for k in range(K):
                posterior = f[b, a, k] * beta[a, k]
                emission[b, k] += posterior
                occupancy[b, a, k] += posterior
                total += posterior
            ancestry[b, a] = total
            if b == 0:
                for k in range(K):
                    entry[b, a, k] += f[b, a, k] * beta[a, k]
                tracts[a] += total
                continue
            enters, sum_entering = stays * leaving[b, a] + change * q[a], np.float32(0)
            for k in range(K):
                beta[a, k] = min(beta[a, k] * onward[k], LARGEST)
                entering[a, k] = weight[b, a, k] * beta[a, k]
                sum_entering += entering[a, k]
                entry[b, a, k] += entering[a, k] * enters
            for k in range(K):
                leaves = stays * switch[b, k] * sum_entering
                left[b, k] += leaves * f[b - 1, a, k]
                beta[a, k] = stays * (one - switch[b, k]) * beta[a, k] + leaves
            begun = change * q[a] * sum_entering
            tracts[a] += begun
            anew += begun
        if b:
            for a in range(A):
                for k in range(K):
                    beta[a, k] += anew
    return log_sum


@numba.njit(cache=True, nogil=True)
def _picked(weight, rng):
    """An index, in proportion to weights (n,)."""
    total = 0.0
    for one in weight:
        total += one
    index, below, threshold = -1, 0.0, uniform(rng) * total
    while below <= threshold and index < len(weight) - 1:
        index += 1
        below += weight[index]
    return index


@numba.njit(cache=True, nogil=True)
def walked(switch, weights, group, q, changes, edges, tails, states, drawn, path, ancestry):
    """Draws symbols (n, v), clusters and ancestries (n, B) of sequences, from random states (n,)."""
    everywhere = np.ones(path.shape[1], np.bool_)
    for i in range(len(path)):
        rng, weight, a, k = states[i : i + 1], weights[group[i]], 0, 0
        for b in range(path.shape[1]):
            if b == 0 or uniform(rng) < changes[i, b]:
                a = _picked(q[i], rng)
                k = enter(weight[b, a], rng)
            elif uniform(rng) < switch[b, k]:
                k = enter(weight[b, a], rng)
            path[i, b], ancestry[i, b] = k, a
        _emitted(drawn[i], everywhere, path[i], edges, tails, rng)


@numba.njit(cache=True, nogil=True)
def completed(place, hidden, group, q, changes, table, switch, weights, edges, tails, states, drawn, path, ancestry):
    """Draws the hidden (n, B) of sequences, as many times as `drawn`, `path` and `ancestry` have rows for each."""
    times, emission = len(path) // max(len(place), 1), np.empty(switch.shape, np.float32)
    for i in range(len(place)):
        for b in range(len(emission)):
            emission[b] = table[place[i, b]]
            if hidden[i, b]:
                emission[b] = 1
        rng, first = states[i : i + 1], times * i
        own = path[first : first + times], ancestry[first : first + times]
        _traced(emission, switch, weights[group[i]], q[i], changes[i], *own, rng)
        for row in range(first, first + times):
            _emitted(drawn[row], hidden[i], path[row], edges, tails, rng)


@numba.njit(cache=True, nogil=True)
def _traced(emission, switch, weight, q, changes, path, ancestry, rng):
    """Draws clusters and ancestries (times, B) given a sequence: sums forwards, draws backwards."""
    B, _, K = weight.shape
    f, leaving, _ = _forwards(emission, switch, weight, q, changes)
    for time in range(len(path)):
        state = _picked(f[B - 1].ravel(), rng)
        for b in range(B - 1, -1, -1):
            a, k = state // K, state % K
            path[time, b], ancestry[time, b] = k, a
            if b == 0:
                break
            change, before = changes[b], f[b - 1]
            stayed = (1 - change) * (1 - switch[b, k]) * before[a, k]
            moved = (1 - change) * leaving[b, a] * weight[b, a, k]
            anew = change * q[a] * weight[b, a, k]
            threshold = uniform(rng) * (stayed + moved + anew)
            if threshold < stayed:
                continue
            if threshold < stayed + moved:
                state = a * K + _picked(before[a] * switch[b], rng)
            else:
                state = _picked(before.ravel(), rng)


@numba.njit(cache=True, nogil=True)
def _emitted(drawn, hidden, path, edges, tails, rng):
    """Draws the symbols of a sequence (v,), in hidden segments (B,), from its clusters."""
    for b in range(len(path)):
        if hidden[b]:
            emit(drawn[edges[b] : edges[b + 1]], b, path[b], tails, rng)
