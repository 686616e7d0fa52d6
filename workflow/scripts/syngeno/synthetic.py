"""A cohort for the evaluation: synthetic people from their VCF and labels, real ones from the prepared store."""

from pathlib import Path

import pandas as pd

from syngeno import vcf
from syngeno.cohort import Cohort
from syngeno.errors import BadInput
from syngeno.people import read_labels
from syngeno.store import Store


def read_cohort(vcf_path: str | Path, labels_path: str | Path, columns: str | list[str], store: Store) -> Cohort:
    """Read a synthetic cohort, its variants in the order of the prepared real cohort in `store`.

    Raises BadInput where sites or alleles differ from the store's, calls are missing, or ids have no label.
    """
    dosages, samples = vcf.read_dosages(vcf_path, store.sites())
    label = read_labels(labels_path, columns)["label"]
    unlabelled = [sample for sample in samples if sample not in label.index]
    if unlabelled:
        raise BadInput(labels_path, f"{len(unlabelled)} people have no label ({unlabelled[0]})", "add them")
    return Cohort(dosages, label.loc[samples].to_numpy(str), store.contig, store.position, store.block)


def real_cohort(store: Store, people: pd.DataFrame) -> Cohort:
    """The people of a table (indexed by sample, with a column label) from the prepared real cohort."""
    return Cohort(
        store.dosages(store.rows(people.index)),
        people["label"].to_numpy(str),
        store.contig,
        store.position,
        store.block,
    )
