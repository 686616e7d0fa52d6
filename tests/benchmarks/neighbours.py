"""Nearest neighbours by blocked matrix products against scikit-learn's brute force and a plain double loop.

Prints seconds side by side; nothing is asserted but that all find the same distances:

    PYTHONPATH=workflow/scripts python tests/benchmarks/neighbours.py [people] [variants]
"""

import sys
import time
from collections.abc import Callable

import numpy as np
from sklearn.neighbors import NearestNeighbors

from syngeno.stats import nearest

LOOP = 100  # people that the double loop is given; its time grows with their square


def double_loop(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """L1 distance from each row of `a` to its nearest row of `b`, pair by pair."""
    a, b = a.astype(np.int16), b.astype(np.int16)
    return np.array([min(np.abs(x - y).sum() for y in b) for x in a], dtype=float)


def scikit_learn(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The same by scikit-learn."""
    search = NearestNeighbors(n_neighbors=1, algorithm="brute", metric="manhattan").fit(b.astype(np.float32))
    return search.kneighbors(a.astype(np.float32))[0][:, 0]


def ours(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The same by this library."""
    return nearest.nearest(a, b, "l1")[:, 0]


def timed(search: Callable, a: np.ndarray, b: np.ndarray) -> tuple[float, np.ndarray]:
    """Seconds that a search takes, and what it finds."""
    began = time.perf_counter()
    found = search(a, b)
    return time.perf_counter() - began, found


def main(people: int = 2504, variants: int = 10_000) -> None:
    """Print one line per number of people."""
    rng = np.random.default_rng(1)
    frequency = rng.beta(0.3, 1, variants)
    a, b = (rng.binomial(2, frequency, (people, variants)).astype(np.int8) for _ in range(2))
    print(f"{variants} variants; seconds\n{'people':>8} {'ours':>9} {'sklearn':>9} {'ratio':>7} {'double loop':>12}")
    for n in sorted({LOOP, people // 4, people // 2, people}):
        mine, found = timed(ours, a[:n], b[:n])
        theirs, expected = timed(scikit_learn, a[:n], b[:n])
        assert np.array_equal(found, expected)
        line = f"{n:8d} {mine:9.2f} {theirs:9.2f} {theirs / mine:7.1f}"
        if n == LOOP:
            plain, expected = timed(double_loop, a[:n], b[:n])
            assert np.array_equal(found, expected)
            line += f" {plain:12.2f}"
        print(line)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
