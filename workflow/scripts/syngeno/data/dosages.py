"""Dosages of a store's samples as arrays to slice, of which only the slices asked for are read."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from syngeno.errors import BadInput


class CallsOnDisk(Protocol):
    """What the dosages are read from: a store."""

    path: Path

    def __len__(self) -> int:
        """The number of variants."""
        ...

    def calls(self, start: int, stop: int) -> np.ndarray:
        """Alleles of consecutive variants, int8 (v, samples, 2), -1 where missing."""
        ...


class DosageRows:
    """The ALT counts of some samples (by index), variants x samples, read slice by slice.

    It has what numpy-like code needs to walk over it in pieces: `shape`, `dtype`, `ndim` and slicing of rows.
    """

    dtype = np.dtype(np.int8)
    ndim = 2

    def __init__(self, store: CallsOnDisk, samples: np.ndarray) -> None:
        self._store = store
        self._samples = samples
        self.shape = (len(store), len(samples))

    def __getitem__(self, rows: slice) -> np.ndarray:
        """Dosages of consecutive variants, int8 (v, samples); `BadInput` if a call is missing."""
        start, stop, step = rows.indices(len(self._store))
        if step != 1:
            raise ValueError(f"rows are read in order, not in steps of {step}")
        calls = self._store.calls(start, stop)[:, self._samples]
        if calls.size and calls.min() < 0:
            raise BadInput(self._store.path, "holds missing calls", "make it with the prepare stage, which fills them")
        return calls[:, :, 0] + calls[:, :, 1]


class DosageColumns:
    """The same, samples x variants, read as columns are asked for.

    It is fast where columns are taken in order, because it keeps the last `chunk` of variants. `shape`, `len` and
    `[:, a:b]` work as those of an array.
    """

    def __init__(self, rows: DosageRows, chunk: int) -> None:
        self._rows, self._size = rows, chunk
        self._first, self._chunk = 0, rows[0:0].T
        self.shape = rows.shape[::-1]

    def __len__(self) -> int:
        """The number of samples."""
        return self.shape[0]

    def __getitem__(self, key: tuple[slice, slice]) -> np.ndarray:
        """Dosages of all samples at consecutive variants, int8 (samples, v); raises as `DosageRows` does."""
        samples, columns = key
        start, stop, step = columns.indices(self.shape[1])
        if samples != slice(None) or step != 1:
            raise ValueError("all samples are read, and variants in order")
        if not (self._first <= start and stop <= self._first + self._chunk.shape[1]):
            self._first = start - start % self._size
            self._chunk = self._rows[self._first : max(stop, self._first + self._size)].T
        return self._chunk[:, start - self._first : stop - self._first]


def indices(chosen: np.ndarray | Sequence[int] | None, count: int) -> np.ndarray:
    """Samples chosen by index, by mask or (None) all, as indices."""
    if chosen is None:
        return np.arange(count)
    chosen = np.asarray(chosen)
    if chosen.dtype == bool:
        if chosen.shape != (count,):
            raise ValueError(f"a mask of shape {chosen.shape} for {count} samples")
        return np.flatnonzero(chosen)
    return chosen.astype(np.int64)
