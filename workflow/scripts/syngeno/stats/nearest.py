"""Nearest neighbours among samples, by matrix products.

Distances are never laid out as samples x samples x variants: L1 on dosages is that of `pairwise.l1`, whole numbers
without rounding, so that ties are true ties; of several at one distance the first row comes first.
"""

from collections.abc import Iterator

import numpy as np

from syngeno.stats import pairwise

# Rounding in the encoder breaks ties of the Euclidean distance; differences below this share of it are ties.
EUCLIDEAN_TOLERANCE = 1e-5

_VARIANTS = 4096  # columns widened to float32 at a time
_ROWS = 32  # rows whose distances are computed afresh at a time
_ENTRIES = 32 * 2**20  # distances held at a time (128 MB)

Found = tuple[np.ndarray, np.ndarray]  # distances float64 (n, k), ascending, and the rows that they lead to, int64


def nearest(a: np.ndarray, b: np.ndarray, metric: str, exclude_self: bool = False) -> np.ndarray:
    """Distances from each row of `a` (n, D) to its nearest and second nearest row of `b` (m, D), float64 (n, 2).

    Of int8 dosages by "l1", of real numbers by "euclidean"; ascending, infinite where `b` has no (second) row left.
    With `exclude_self` `a` and `b` are the same samples, of which none is its own neighbour.
    """
    return find(a, b, metric, exclude_self)[0]


def find(a: np.ndarray, b: np.ndarray, metric: str, exclude_self: bool = False, count: int = 2) -> Found:
    """The `count` nearest: their distances as of `nearest`, and which rows of `b` they are, -1 where there is none."""
    return _find(a, b, metric, np.arange(len(a)) if exclude_self else None, count)


def find_both_ways(a: np.ndarray, b: np.ndarray, metric: str, count: int = 2) -> tuple[Found, Found]:
    """`find(a, b)` and `find(b, a)` from one pass over the distances."""
    forth, back = [], []
    for distances, start in _blocks(a, b, metric, None):
        forth.append(_smallest(distances, count))
        smallest, rows = _smallest(np.ascontiguousarray(distances.T), count)
        back.append((smallest, np.where(rows < 0, -1, rows + start)))
    merged, who = _joined(back, axis=1)
    order = np.lexsort((who, merged), axis=1)[:, :count]
    back = np.take_along_axis(merged, order, axis=1), np.take_along_axis(who, order, axis=1)
    return _exact(a, b, *_joined(forth, axis=0), metric), _exact(b, a, *back, metric)


def among(
    found: Found,
    a: np.ndarray,
    rows: np.ndarray,
    b: np.ndarray,
    kept: np.ndarray,
    metric: str,
    exclude_self: bool = False,
) -> np.ndarray:
    """`nearest(a[rows], b[kept])`, indices, where `find(a, b)` of the same `exclude_self` has `found` neighbours.

    Only rows with fewer than two kept neighbours among those found are searched again.
    """
    place = np.full(len(b) + 1, -1)
    place[kept] = np.arange(len(kept))
    distances, who = found[0][rows], found[1][rows]
    there = place[who] >= 0  # row -1, no neighbour, is the last place, and never kept
    first = np.argsort(~there, axis=1, kind="stable")[:, :2]
    two = np.where(np.take_along_axis(there, first, axis=1), np.take_along_axis(distances, first, axis=1), np.inf)
    own = place[rows] if exclude_self else np.full(len(rows), -1)
    others = len(kept) - (own >= 0)
    again = np.flatnonzero(there.sum(1) < np.minimum(2, others))
    if len(again):
        two[again] = _find(a[rows[again]], b[kept], metric, own[again], 2)[0]
    return two


def farther(x: np.ndarray, y: np.ndarray, metric: str) -> np.ndarray:
    """1 where x > y, one half where they tie, 0 where x < y: the vote of nearest-neighbour accuracy."""
    tolerance = EUCLIDEAN_TOLERANCE if metric == "euclidean" else 0.0
    with np.errstate(invalid="ignore"):
        tie = (x == y) | (np.abs(x - y) <= tolerance * np.maximum(x, y))
    # Infinity (no neighbour) is farther than anything and ties with itself alone.
    tie &= np.isfinite(x) == np.isfinite(y)
    return np.where(tie, 0.5, (x > y).astype(float))


def _blocks(a: np.ndarray, b: np.ndarray, metric: str, own: np.ndarray | None) -> Iterator[tuple[np.ndarray, int]]:
    """Distances of a few rows of `a` to all of `b`, float32 (rows, m), and the first row's index.

    "euclidean" comes squared; `own[i]` is the row of `b` that is row i of `a` itself, -1 where none is.
    """
    if a.shape[1] != b.shape[1]:
        raise ValueError(f"rows of {a.shape[1]} and of {b.shape[1]} entries have no distance")
    rows = max(1, _ENTRIES // max(1, len(b)))
    for start in range(0, len(a), rows):
        part = a[start : start + rows] if len(a) > rows else a
        distances = pairwise.l1(part, b) if metric == "l1" else _squared(part, b)
        if own is not None:
            mine = np.flatnonzero(own[start : start + rows] >= 0)
            distances[mine, own[start + mine]] = np.inf
        yield distances, start


def _squared(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    inner = np.zeros((len(a), len(b)), dtype=np.float32)
    for first in range(0, a.shape[1], _VARIANTS):
        left, right = a[:, first : first + _VARIANTS], b[:, first : first + _VARIANTS]
        inner += left.astype(np.float32) @ right.astype(np.float32).T
    size = [np.einsum("ij,ij->i", rows, rows, dtype=np.float64).astype(np.float32) for rows in (a, b)]
    distances = size[0][:, None] + size[1][None, :]
    inner *= 2
    distances -= inner
    return distances


def _find(a: np.ndarray, b: np.ndarray, metric: str, own: np.ndarray | None, count: int) -> Found:
    found = [_smallest(distances, count) for distances, _ in _blocks(a, b, metric, own)]
    return _exact(a, b, *_joined(found, axis=0), metric)


def _smallest(distances: np.ndarray, count: int) -> Found:
    """The smallest entries of each row, ascending, and their columns, -1 where there is none; both (n, count)."""
    n, m = distances.shape
    if m <= count:
        smallest = np.full((n, count), np.inf, dtype=np.float32)
        smallest[:, :m] = distances
        columns = np.broadcast_to(np.arange(count), (n, count))
    else:
        columns = np.argpartition(distances, count - 1, axis=1)[:, :count]
        smallest = np.take_along_axis(distances, columns, axis=1)
        # Where all of these are at one distance, others may be too, and the first are taken.
        tied = np.flatnonzero(smallest.min(1) == smallest.max(1))
        columns[tied] = np.argsort(distances[tied], axis=1, kind="stable")[:, :count]
    order = np.lexsort((columns, smallest), axis=1)
    smallest, columns = np.take_along_axis(smallest, order, axis=1), np.take_along_axis(columns, order, axis=1)
    return smallest, np.where(np.isfinite(smallest), columns, -1)


def _joined(found: list[Found], axis: int) -> Found:
    return tuple(np.concatenate(parts, axis=axis) for parts in zip(*found, strict=True))


def _exact(
    a: np.ndarray, b: np.ndarray, smallest: np.ndarray, index: np.ndarray, metric: str
) -> tuple[np.ndarray, np.ndarray]:
    """The found distances in float64, with their rows; Euclidean ones afresh, as a product loses small differences."""
    exact = smallest.astype(np.float64)
    if metric == "l1":
        return exact, index
    for start in range(0, len(a), _ROWS):
        part = slice(start, start + _ROWS)
        difference = a[part, None].astype(np.float64) - b[index[part]]
        exact[part] = np.where(index[part] < 0, np.inf, np.sqrt(np.einsum("ijk,ijk->ij", difference, difference)))
    order = np.argsort(exact, axis=1, kind="stable")
    return np.take_along_axis(exact, order, axis=1), np.take_along_axis(index, order, axis=1)
