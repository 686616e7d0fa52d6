"""ALT counts of a store's samples, read piece by piece: as rows of variants, or as columns."""

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from syngeno.data.store import Store


def alt_counts(calls: np.ndarray) -> np.ndarray:
    """Dosages int8 (v, samples) of calls (v, samples, 2) without a missing one; sums over an axis of two are slow."""
    return calls[:, :, 0] + calls[:, :, 1]


class DosageRows:
    """The ALT counts of some samples (indices), variants x samples: only the rows that are asked for are read."""

    def __init__(self, store: "Store", samples: np.ndarray) -> None:
        self._store, self._samples = store, samples
        self.shape = (len(store), len(samples))

    def __getitem__(self, rows: slice) -> np.ndarray:
        """Dosages of consecutive variants, int8 (v, samples); `BadInput` if a call is missing."""
        start, stop, step = rows.indices(len(self._store))
        if step != 1:
            raise ValueError("consecutive variants only")
        return alt_counts(self._store.called(self._store.calls(start, stop)[:, self._samples]))


class DosageColumns:
    """The same, samples x variants: `[:, a:b]` is fast where columns are taken in order, as the last chunk is kept."""

    def __init__(self, rows: DosageRows, chunk: int) -> None:
        self._rows, self._step, self._first, self._chunk = rows, chunk, 0, rows[0:0].T
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
            self._first = start - start % self._step
            self._chunk = self._rows[self._first : max(stop, self._first + self._step)].T
        return self._chunk[:, start - self._first : stop - self._first]
