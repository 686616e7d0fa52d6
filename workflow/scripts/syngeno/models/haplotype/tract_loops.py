"""Compiled loops of tracts.py over a sequence at a time: its recursions, and draws.

Of B segments, A ancestries and K clusters: `emission` float32 (B, n, K), of which the column i is read; `switch`
(B, K), `weight` (B, A, K), the sequence's proportions `q` (A,) and the probability `changes` (B,) that its tract ends.
"""

import numba
import numpy as np

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
def likelihoods(emission, i, switch, weight, q, changes, result):
    """Log probability (M,) under each of the proportions (M, A), relative to the emissions'."""
    B, A, K = weight.shape
    f, left = np.empty((A, K), np.float32), np.empty(A, np.float32)
    for m in range(len(q)):
        log_sum = 0.0
        for b in range(B):
            log_sum += np.log(_entered(b == 0, f, emission[b, i], switch[b], weight[b], q[m], changes[b], left, f))
        result[m] = log_sum


@numba.njit(cache=True, nogil=True, fastmath=FAST)
def _forwards(emission, i, switch, weight, q, changes):
    """Of each segment: f (B, A, K), what left (B, A), and its probability given those before (B,)."""
    B, A, K = weight.shape
    f, left, scale = np.empty((B, A, K), np.float32), np.empty((B, A), np.float32), np.empty(B, np.float32)
    for b in range(B):
        before = f[max(b - 1, 0)]
        scale[b] = _entered(b == 0, before, emission[b, i], switch[b], weight[b], q, changes[b], left[b], f[b])
    return f, left, scale


@numba.njit(cache=True, nogil=True, fastmath=FAST)
def counts(emission, i, switch, weight, q, changes, several, occupancy, entry, left, tracts, ancestry):
    """Adds to the counts; `emission[:, i]` becomes the posterior. Returns log probability and ancestry switches."""
    B, A, K = weight.shape
    f, leaving, scale = _forwards(emission, i, switch, weight, q, changes)
    beta, onward = np.ones((A, K), np.float32), np.empty(K, np.float32)
    one, log_sum, events = np.float32(1), 0.0, 0.0
    entering = np.empty((A, K), np.float32)
    for b in range(B - 1, -1, -1):
        inverse, change = one / scale[b], changes[b]
        stays, anew = one - change, np.float32(0)
        log_sum += np.log(scale[b])
        onward[:] = emission[b, i] * inverse
        emission[b, i] = 0
        for a in range(A):
            total = np.float32(0)
            for k in range(K):
                posterior = f[b, a, k] * beta[a, k]
                emission[b, i, k] += posterior
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
            tracts[a] += change * q[a] * sum_entering
            anew += change * q[a] * sum_entering
        if b:
            events += anew * several[b]
            for a in range(A):
                for k in range(K):
                    beta[a, k] += anew
    return log_sum, events


@numba.njit(cache=True, nogil=True)
def _picked(below, rng):
    """An index, by ascending sums of weights."""
    return min(np.searchsorted(below, rng.random() * below[-1], side="right"), len(below) - 1)


@numba.njit(cache=True, nogil=True)
def walked(switch, below, q, changes, path, ancestry, rng):
    """Draws the cluster and the ancestry of each segment (B,); `below` (B, A, K) are sums of weights."""
    proportion, a, k = q.cumsum(), 0, 0
    for b in range(len(path)):
        if b == 0 or rng.random() < changes[b]:
            a = _picked(proportion, rng)
            k = _picked(below[b, a], rng)
        elif rng.random() < switch[b, k]:
            k = _picked(below[b, a], rng)
        path[b], ancestry[b] = k, a


@numba.njit(cache=True, nogil=True)
def traced(emission, i, switch, weight, q, changes, path, ancestry, rng):
    """Draws clusters and ancestries (times, B) given a sequence: sums forwards, draws backwards."""
    B, _, K = weight.shape
    f, leaving, _ = _forwards(emission, i, switch, weight, q, changes)
    for time in range(len(path)):
        state = _picked(f[B - 1].ravel().cumsum(), rng)
        for b in range(B - 1, -1, -1):
            a, k = state // K, state % K
            path[time, b], ancestry[time, b] = k, a
            if b == 0:
                break
            change, before = changes[b], f[b - 1]
            stayed = (1 - change) * (1 - switch[b, k]) * before[a, k]
            moved = (1 - change) * leaving[b, a] * weight[b, a, k]
            anew = change * q[a] * weight[b, a, k]
            threshold = rng.random() * (stayed + moved + anew)
            if threshold < stayed:
                continue
            if threshold < stayed + moved:
                state = a * K + _picked((before[a] * switch[b]).cumsum(), rng)
            else:
                state = _picked(before.ravel().cumsum(), rng)


@numba.njit(cache=True, nogil=True)
def emitted(drawn, hidden, path, tails, rng):
    """Draws the symbols of a sequence (v,), in hidden segments (B,), from its clusters."""
    others, width = tails.shape[2:]
    for v in range(len(drawn)):
        b = v // width
        if hidden[b]:
            threshold, symbol = rng.random(), 0
            for other in range(others):
                symbol += threshold < tails[b, path[b], other, v - b * width]
            drawn[v] = symbol
