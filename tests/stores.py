"""Small stores of genotypes for tests."""

import numpy as np

from syngeno.data.store import StoreWriter, open_store
from syngeno.models.base import TrainingData


def store_of(path, calls, phased=True, contigs=None):
    """A store of these calls (variants, people, 2), all on contig 1 or on the contigs named variant by variant."""
    contigs = np.array(contigs or ["1"] * len(calls))
    names = [f"p{i}" for i in range(calls.shape[1])]
    with StoreWriter(path, names, dict.fromkeys(contigs.tolist(), 0), phased=phased) as writer:
        for contig in dict.fromkeys(contigs.tolist()):
            part = np.flatnonzero(contigs == contig)
            n = len(part)
            writer.append(part + 1, np.full(n, "."), np.full(n, "A"), np.full(n, "C"), calls[part], contig=contig)
    return open_store(path)


def training_data(store, rows, label, validation_rows=(), validation_label=(), centimorgans=None, **files):
    """Training and validation samples (rows of the store) with their labels, by default 1 cM between two variants."""
    places = np.arange(len(store), dtype=float) if centimorgans is None else np.asarray(centimorgans)
    samples = np.asarray(rows, int), np.asarray(label, str), np.asarray(validation_rows, int)
    return TrainingData(store, *samples, np.asarray(validation_label, str), places, files)
