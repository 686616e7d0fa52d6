"""Nearest neighbours among people, by matrix products.

Distances are never laid out as people x people x variants. For L1 on dosages each dosage is written in unary,
|a - b| = |[a>=1] - [b>=1]| + |[a>=2] - [b>=2]|, and for bits x, y: |x - y| = x + y - 2xy. The sums are whole
numbers below 2**24, so float32 holds them exactly and ties are true ties.
"""

from collections.abc import Iterator

import numpy as np

METRICS = ("l1", "euclidean")
# Rounding in the encoder breaks ties of the Euclidean distance; differences below this share of it are ties.
EUCLIDEAN_TOLERANCE = 1e-5

_VARIANTS = 4096  # columns widened to float32 at a time
_ENTRIES = 64 * 2**20  # distances held at a time (256 MB)


def nearest(a: np.ndarray, b: np.ndarray, metric: str, exclude_self: bool = False) -> np.ndarray:
    """Distances from each row of `a` to its nearest and second nearest row of `b`.

    Args:
        a: (n, D); int8 dosages for "l1", real numbers for "euclidean".
        b: (m, D).
        metric: "l1" or "euclidean".
        exclude_self: `a` and `b` are the same people; nobody is his or her own neighbour.

    Returns:
        float64 (n, 2), ascending; infinite where `b` has no (second) row left.
    """
    return find(a, b, metric, exclude_self)[0]


def nearest_both_ways(a: np.ndarray, b: np.ndarray, metric: str) -> tuple[np.ndarray, np.ndarray]:
    """`nearest(a, b)` and `nearest(b, a)` from one pass over the distances."""
    forth, back = find_both_ways(a, b, metric)
    return forth[0], back[0]


def find(a: np.ndarray, b: np.ndarray, metric: str, exclude_self: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """The distances of `nearest`, and which rows of `b` they lead to: int64 (n, 2), -1 where there is none."""
    if exclude_self and len(a) != len(b):
        raise ValueError(f"exclude_self needs the same people twice, not {len(a)} and {len(b)}")
    own = np.arange(len(a)) if exclude_self else None
    found = [_two_smallest(distances) for distances, _ in _blocks(a, b, metric, own)]
    return _exact(a, b, *_joined(found, axis=0), metric)


def find_both_ways(
    a: np.ndarray, b: np.ndarray, metric: str
) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """`find(a, b)` and `find(b, a)` from one pass over the distances."""
    forth, back = [], []
    for distances, start in _blocks(a, b, metric, None):
        forth.append(_two_smallest(distances))
        smallest, index = _two_smallest(distances.T)
        back.append((smallest, index + start))
    merged, who = _joined(back, axis=1)
    order = np.argsort(merged, axis=1, kind="stable")[:, :2]
    smallest, index = np.take_along_axis(merged, order, axis=1), np.take_along_axis(who, order, axis=1)
    return _exact(a, b, *_joined(forth, axis=0), metric), _exact(b, a, smallest, index, metric)


def farther(x: np.ndarray, y: np.ndarray, metric: str) -> np.ndarray:
    """1 where x > y, one half where they tie, 0 where x < y: the vote of nearest-neighbour accuracy."""
    tolerance = EUCLIDEAN_TOLERANCE if metric == "euclidean" else 0.0
    with np.errstate(invalid="ignore"):
        tie = (x == y) | (np.abs(x - y) <= tolerance * np.maximum(x, y))
    # Infinity (nobody there) is farther than anything and ties with itself alone.
    tie &= np.isfinite(x) == np.isfinite(y)
    return np.where(tie, 0.5, (x > y).astype(float))


def _blocks(a: np.ndarray, b: np.ndarray, metric: str, own: np.ndarray | None) -> Iterator[tuple[np.ndarray, int]]:
    """Distances of a few rows of `a` to all of `b`, float32 (rows, m), and the first row's index.

    "euclidean" comes squared; `own[i]` is the row of `b` that row i of `a` may not see.
    """
    if metric not in METRICS:
        raise ValueError(f"metric must be one of {METRICS}, not {metric!r}")
    if a.shape[1] != b.shape[1]:
        raise ValueError(f"rows of {a.shape[1]} and of {b.shape[1]} entries have no distance")
    rows = max(1, _ENTRIES // max(1, len(b)))
    for start in range(0, len(a), rows):
        part = a[start : start + rows]
        inner = np.zeros((len(part), len(b)), dtype=np.float32)
        for first in range(0, a.shape[1], _VARIANTS):
            left, right = part[:, first : first + _VARIANTS], b[:, first : first + _VARIANTS]
            if metric == "l1":
                for copies in (1, 2):
                    inner += (left >= copies).astype(np.float32) @ (right >= copies).astype(np.float32).T
            else:
                inner += left.astype(np.float32) @ right.astype(np.float32).T
        distances = _size(part, metric)[:, None] + _size(b, metric)[None, :] - 2 * inner
        if own is not None:
            mine = own[start : start + rows]
            distances[np.arange(len(part)), mine] = np.inf
        yield distances, start


def _size(rows: np.ndarray, metric: str) -> np.ndarray:
    """What a row adds to all of its distances, float32 (n,)."""
    if metric == "l1":
        return rows.sum(1, dtype=np.int64).astype(np.float32)
    return np.einsum("ij,ij->i", rows, rows, dtype=np.float64).astype(np.float32)


def _two_smallest(distances: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The two smallest entries of each row, ascending, and their columns; both (n, 2)."""
    n, m = distances.shape
    if m < 2:
        index = np.zeros((n, 2), dtype=np.int64)
        smallest = np.full((n, 2), np.inf)
        smallest[:, :m] = distances
        return smallest, index
    index = np.argpartition(distances, 1, axis=1)[:, :2]
    smallest = np.take_along_axis(distances, index, axis=1)
    order = np.argsort(smallest, axis=1, kind="stable")
    return np.take_along_axis(smallest, order, axis=1), np.take_along_axis(index, order, axis=1)


def _joined(found: list[tuple[np.ndarray, np.ndarray]], axis: int) -> tuple[np.ndarray, np.ndarray]:
    """Distances and rows of several blocks as one array each."""
    return np.concatenate([one[0] for one in found], axis=axis), np.concatenate([one[1] for one in found], axis=axis)


def _exact(
    a: np.ndarray, b: np.ndarray, smallest: np.ndarray, index: np.ndarray, metric: str
) -> tuple[np.ndarray, np.ndarray]:
    """The found distances in float64, with their rows; Euclidean ones afresh, as a product loses small differences."""
    exact = smallest.astype(np.float64)
    index = np.where(np.isfinite(exact), index, -1)
    if metric == "l1":
        return exact, index
    for row in range(len(a)):
        found = index[row] >= 0
        difference = a[row].astype(np.float64) - b[index[row, found]].astype(np.float64)
        exact[row, found] = np.sqrt(np.einsum("ij,ij->i", difference, difference))
    order = np.argsort(exact, axis=1, kind="stable")
    return np.take_along_axis(exact, order, axis=1), np.take_along_axis(index, order, axis=1)
