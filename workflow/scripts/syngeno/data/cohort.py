"""A cohort as the evaluation sees it: people by variants, a label per person, a place per variant.

A cohort for the evaluation: synthetic people from their VCF and labels, real ones from the prepared store.
"""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from syngeno.data import vcf
from syngeno.data.samples import read_labels
from syngeno.data.store import CHUNK, Store
from syngeno.errors import BadInput


@dataclass(frozen=True, eq=False)
class Cohort:
    """People and their genotypes; the cohorts of one evaluation share their variants.

    Attributes:
        dosages: int8 (people, variants), ALT alleles carried: 0, 1 or 2, none missing.
        label: str (people,), the class of each person.
        contig: str (variants,), ascending runs: the variants of one contig stand together.
        position: int (variants,), 1-based, ascending within a contig.
        block: int (variants,), the gene or window that the encoder works on.
        sample: str (people,), their ids; None where nobody asks.
        haplotypes: int8 (people, 2, variants), alleles 0 and 1, whose sums are the dosages; None where the
            genotypes are not phased (or nobody asks).
        cm: float64 (variants,), places on the genetic map in centimorgans; None where there is no map.
    """

    dosages: np.ndarray
    label: np.ndarray
    contig: np.ndarray
    position: np.ndarray
    block: np.ndarray
    sample: np.ndarray | None = None
    haplotypes: np.ndarray | None = None
    cm: np.ndarray | None = None

    def __post_init__(self) -> None:
        """Raise ValueError where shapes do not fit or a dosage is not 0, 1 or 2."""
        people, variants = self.dosages.shape
        if self.label.shape != (people,):
            raise ValueError(f"{people} people need as many labels, not {self.label.shape}")
        for name in ("contig", "position", "block"):
            if getattr(self, name).shape != (variants,):
                raise ValueError(f"{name} has shape {getattr(self, name).shape}, not ({variants},)")
        if self.sample is not None and self.sample.shape != (people,):
            raise ValueError(f"{people} people need as many ids, not {self.sample.shape}")
        if self.haplotypes is not None and self.haplotypes.shape != (people, 2, variants):
            raise ValueError(f"haplotypes have shape {self.haplotypes.shape}, not {(people, 2, variants)}")
        if self.cm is not None and self.cm.shape != (variants,):
            raise ValueError(f"cm has shape {self.cm.shape}, not ({variants},)")
        if self.dosages.size and (self.dosages.min() < 0 or self.dosages.max() > 2):
            raise ValueError("dosages must be 0, 1 or 2; fill missing calls first")

    def __len__(self) -> int:
        """How many people."""
        return len(self.label)

    @property
    def labels(self) -> list[str]:
        """The classes there are, sorted."""
        return sorted(set(self.label.tolist()))

    @property
    def frequency(self) -> np.ndarray:
        """Frequency of the ALT allele, float64 (variants,)."""
        return self.dosages.sum(0, dtype=np.int64) / (2 * len(self))

    def take(self, people: np.ndarray) -> "Cohort":
        """The people at these indices (or under this mask), in this order."""
        return replace(
            self,
            dosages=self.dosages[people],
            label=self.label[people],
            sample=None if self.sample is None else self.sample[people],
            haplotypes=None if self.haplotypes is None else self.haplotypes[people],
        )

    def at(self, variants: np.ndarray) -> "Cohort":
        """The same people at some of the variants (ascending indices or a mask)."""
        return replace(
            self,
            dosages=self.dosages[:, variants],
            contig=self.contig[variants],
            position=self.position[variants],
            block=self.block[variants],
            haplotypes=None if self.haplotypes is None else self.haplotypes[:, :, variants],
            cm=None if self.cm is None else self.cm[variants],
        )

    def of(self, label: str) -> "Cohort":
        """The people of one class."""
        return self.take(np.flatnonzero(self.label == label))

    def digests(self) -> np.ndarray:
        """One hash per person over the genotypes: equal where all genotypes are, bytes (people,)."""
        rows = np.ascontiguousarray(self.dosages)
        digests = [hashlib.blake2b(row.tobytes(), digest_size=16).hexdigest() for row in rows]
        return np.array(digests, dtype="S32")

    def in_canonical_order(self) -> "Cohort":
        """The same people, ordered by what they carry; no copy where they are.

        Seeded subsamples and fits then depend on who is there, not on the order of a file.
        """
        order = self.canonical_order()
        return self if (np.diff(order) == 1).all() else self.take(order)

    def canonical_order(self) -> np.ndarray:
        """Indices that bring the people into the order of what they carry."""
        return np.lexsort((self.label, self.digests()))


def same_variants(*cohorts: Cohort) -> None:
    """Raise ValueError unless all cohorts have the same variants and at least one person."""
    first = cohorts[0]
    for cohort in cohorts:
        if not len(cohort):
            raise ValueError("a cohort without people cannot be evaluated")
        if not (np.array_equal(cohort.contig, first.contig) and np.array_equal(cohort.position, first.position)):
            raise ValueError("the cohorts do not have the same variants; bring them to the same sites first")


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
