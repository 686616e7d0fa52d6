"""A cohort for the evaluation: synthetic people from their VCF and labels, real ones from the prepared store."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from syngeno.data import vcf
from syngeno.data.cohort import Cohort
from syngeno.data.samples import read_labels
from syngeno.data.store import CHUNK, Store
from syngeno.errors import BadInput
from syngeno.models.latent import encoder


def read_cohort(
    vcf_path: str | Path,
    labels_path: str | Path,
    columns: str | list[str],
    store: Store,
    *,
    haplotypes: bool = False,
    cm: np.ndarray | None = None,
) -> Cohort:
    """Read a synthetic cohort, its variants in the order of the prepared real cohort in `store`.

    `haplotypes` asks for them; they are there only where both the file and the store are phased. `cm` are the
    variants' places on the genetic map, float64 (variants,).

    Raises BadInput where sites or alleles differ from the store's, calls are missing, or ids have no label.
    """
    calls = vcf.read_calls(vcf_path, store.sites())
    label = read_labels(labels_path, columns)["label"]
    unlabelled = [sample for sample in calls.samples if sample not in label.index]
    if unlabelled:
        raise BadInput(labels_path, f"{len(unlabelled)} people have no label ({unlabelled[0]})", "add them")
    return Cohort(
        calls.dosages,
        label.loc[calls.samples].to_numpy(str),
        store.contig,
        store.position,
        store.block,
        sample=np.array(calls.samples, dtype=str),
        haplotypes=calls.alleles if haplotypes and calls.phased and store.phased else None,
        cm=cm,
    )


def latents(shards: Iterable[str | Path], fitted: encoder.Encoder, dosages: np.ndarray) -> np.ndarray:
    """Synthetic people in the encoder's space (people, blocks, components): as drawn, in their shards.

    Where their generator draws genotypes there are no shards, and `dosages` (people, variants) are encoded.
    """
    drawn = [np.load(path)["latents"] for path in shards]
    return np.concatenate(drawn) if drawn else encoder.encode(fitted, dosages)


def real_cohort(
    store: Store, people: pd.DataFrame, *, haplotypes: bool = False, cm: np.ndarray | None = None
) -> Cohort:
    """The people of a table (indexed by sample, with a column label) from the prepared real cohort.

    `haplotypes` asks for them; they are there only where the store is phased. `cm` as in `read_cohort`.
    """
    rows = store.rows(people.index)
    phased = _haplotypes(store, rows) if haplotypes and store.phased else None
    return Cohort(
        store.dosages(rows) if phased is None else phased[:, 0] + phased[:, 1],
        people["label"].to_numpy(str),
        store.contig,
        store.position,
        store.block,
        sample=people.index.to_numpy(str),
        haplotypes=phased,
        cm=cm,
    )


def _haplotypes(store: Store, rows: np.ndarray) -> np.ndarray:
    """Alleles int8 (people, 2, variants)."""
    alleles = np.empty((len(rows), 2, len(store)), dtype=np.int8)
    for chunk, calls in enumerate(store.iterate(rows)):
        if calls.size and calls.min() < 0:
            raise BadInput(store.path, "holds missing calls", "make it with the prepare stage, which fills them")
        alleles[:, :, chunk * CHUNK : chunk * CHUNK + len(calls)] = calls.transpose(1, 2, 0)
    return alleles
