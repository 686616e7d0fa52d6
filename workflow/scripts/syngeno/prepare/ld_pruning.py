"""LD pruning, by the training samples alone, and the merging of what is left of all contigs into one store."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from syngeno.data.dosages import DosageRows
from syngeno.data.store import CHUNK, Store, StoreWriter
from syngeno.errors import BadInput
from syngeno.prepare import blocks
from syngeno.prepare.filters import explain_empty

log = logging.getLogger(__name__)

ROUNDING = 1e-5  # of r2, by which a variant must not be linked to its like at a threshold of 1


def keep_unlinked(dosages: np.ndarray | DosageRows, window: int, step: int, r2: float | None) -> np.ndarray:
    """Which variants of a contig stay, bool (V,): of any two within a window with r2 above the threshold, the first.

    `dosages` (V, samples), ALT counts of the training samples, is read in pieces: an array, or
    `Store.dosage_rows(train)`. `window` and `step` count variants; `r2` None keeps all. The r2 is that of Rogers & Huff
    (Genetics 182:839-844, 2009); what stays is what scikit-allel's `locate_unlinked` says, at a tenth of the time.
    Variants without variance among the training samples are linked to none and stay.
    """
    count = dosages.shape[0]
    keep = np.ones(count, dtype=bool)
    if r2 is None:
        return keep
    rows, begin = np.empty((0, dosages.shape[1]), dtype=np.float32), 0  # what is in memory, from row `begin` on
    done = 0  # up to here all pairs are compared
    for start in range(0, count, step):
        stop = min(start + window, count)
        rows, begin = rows[start - begin :], max(begin, start)
        while begin + len(rows) < stop:
            at = begin + len(rows)
            rows = np.concatenate([rows, _standardised(dosages[at : min(at + CHUNK, count)])])
        new = max(done, start)
        within = rows[start - begin : stop - begin]
        linked = (within @ within[new - start :].T) ** 2 > r2 + ROUNDING
        for variant in start + np.flatnonzero(linked.any(axis=1)):
            if keep[variant]:
                later = max(variant + 1, new)
                keep[later:stop] &= ~linked[variant - start, later - new :]
        done = stop
        if stop == count:
            break
    log.info("pruning at r2 %g: %d of %d variants stay", r2, keep.sum(), count)
    return keep


def _standardised(dosages: np.ndarray) -> np.ndarray:
    """Rows of mean 0 and length 1, whose products are correlations; of 0, where a row does not vary. float32."""
    rows = dosages.astype(np.float32)
    rows -= rows.mean(axis=1, keepdims=True)
    length = np.sqrt(np.einsum("ij,ij->i", rows, rows, dtype=np.float64)).astype(np.float32)[:, None]
    return rows / np.where(length > 0, length, 1)


def join(
    stores: Sequence[Store],
    keep: Sequence[np.ndarray],
    path: str | Path,
    *,
    genes: pd.DataFrame | None,
    window: int,
    counts: Mapping[str, int],
) -> int:
    """Write the kept variants of all stores, in their order, into one store with blocks; returns how many.

    The stores hold the same samples, and `keep` has one mask (V,) for each; `genes` and `window` are those of
    `blocks.assign`. `counts`, the filters' counts summed over contigs, serve the message where nothing is left
    (`BadInput`). Phased if all stores are.
    """
    total = sum(int(mask.sum()) for mask in keep)
    if not total:
        raise explain_empty(counts)
    pairs = list(zip(stores, keep, strict=True))
    other = [store.path for store in stores if store.samples != stores[0].samples]
    if other:
        raise BadInput(other[0], f"holds other samples than {stores[0].path}", "run `prepare` again")
    contig = np.concatenate([store.contig[mask] for store, mask in pairs])
    position = np.concatenate([store.position[mask] for store, mask in pairs])
    block, names = blocks.assign(contig, position, genes, window)
    lengths = {name: length for store in stores for name, length in store.contig_lengths.items()}
    phased = all(store.phased for store in stores)
    with StoreWriter(path, stores[0].samples, lengths, phased=phased, block_names=names) as writer:
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
