"""LD pruning, by the training people alone, and the joining of what is left of all contigs into one store."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import allel
import numpy as np
import pandas as pd

from syngeno import blocks
from syngeno.filters import explain_empty
from syngeno.store import CHUNK, DosageRows, Store, StoreWriter

log = logging.getLogger(__name__)


def keep_unlinked(
    dosages: np.ndarray | DosageRows,
    window: int,
    step: int,
    r2: float | None,
    contig: np.ndarray | None = None,
) -> np.ndarray:
    """Which variants stay: of any two within a window whose r2 is above the threshold, the first. Bool (V,).

    `dosages` (V, people), ALT counts of the training people, is read in pieces: an array, or
    `Store.dosage_rows(train)`. `window` and `step` count variants; `contig` (V,), if given, keeps windows
    within contigs. `r2` None keeps all. The r2 is that of Rogers & Huff (Genetics 182:839-844, 2009), by
    scikit-allel's `locate_unlinked`. Variants without variance among the training people are linked to
    nothing and stay.
    """
    count = dosages.shape[0]
    if r2 is None:
        return np.ones(count, dtype=bool)
    if window < 2 or step < 1 or not 0 < r2 <= 1:
        raise ValueError(f"window {window}, step {step}, r2 {r2}: need window >= 2, step >= 1, 0 < r2 <= 1")
    runs = [("", 0, count)] if contig is None else blocks.contig_runs(contig)
    # Pieces start where a step does, and overlap by a window: where they are cut does not show in the result.
    length = step * -(-max(10 * window, CHUNK) // step)
    keep = [allel.locate_unlinked(_Rows(dosages, a, b), window, step, r2, blen=length) for _, a, b in runs]
    keep = np.concatenate([np.empty(0, dtype=bool), *keep])
    log.info(f"pruning at r2 {r2}: {int(keep.sum())} of {count} variants stay")
    return keep


class _Rows:
    """The rows `first` to `last` of something that can be sliced by rows."""

    ndim = 2
    dtype = np.dtype(np.int8)

    def __init__(self, dosages: np.ndarray | DosageRows, first: int, last: int) -> None:
        self._dosages, self._first = dosages, first
        self.shape = (last - first, dosages.shape[1])

    def __getitem__(self, rows: slice) -> np.ndarray:
        start, stop, _ = rows.indices(self.shape[0])
        return np.ascontiguousarray(self._dosages[self._first + start : self._first + stop], dtype=np.int8)


def join(
    stores: Sequence[Store],
    keep: Sequence[np.ndarray],
    path: str | Path,
    *,
    genes: pd.DataFrame | None,
    window: int,
    counts: Mapping[str, int],
    attrs: Mapping[str, object] | None = None,
) -> int:
    """Write the kept variants of all stores, in their order, into one store with blocks; returns how many.

    `keep` has one mask (V,) for each store; `genes` and `window` are those of `blocks.assign`. `counts`, the
    filters' counts summed over contigs, serve the message where nothing is left (`BadInput`). Phased if all
    stores are.
    """
    for store, mask in zip(stores, keep, strict=True):
        if store.samples != stores[0].samples:
            raise ValueError(f"{store.path} holds other people than {stores[0].path}")
        if mask.shape != (len(store),) or mask.dtype != bool:
            raise ValueError(f"a mask {mask.shape} {mask.dtype} for {len(store)} variants of {store.path}")
    total = sum(int(mask.sum()) for mask in keep)
    if not total:
        raise explain_empty(counts)
    pairs = list(zip(stores, keep, strict=True))
    contig = np.concatenate([store.contig[mask] for store, mask in pairs])
    position = np.concatenate([store.position[mask] for store, mask in pairs])
    block, names = blocks.assign(contig, position, genes, window)
    lengths = {name: length for store in stores for name, length in store.contig_lengths.items()}
    phased = all(store.phased for store in stores)
    with StoreWriter(path, stores[0].samples, lengths, phased=phased, attrs=attrs, block_names=names) as writer:
        done = 0
        for store, mask in pairs:
            for name, first, last in blocks.contig_runs(store.contig):
                for start in range(first, last, CHUNK):
                    stop = min(start + CHUNK, last)
                    rows = start + np.flatnonzero(mask[start:stop])
                    calls = store.calls(start, stop)[rows - start]
                    fields = [values[rows] for values in (store.position, store.id, store.ref, store.alt)]
                    writer.append(*fields, calls, contig=name, block=block[done : done + len(rows)])
                    done += len(rows)
    return total
