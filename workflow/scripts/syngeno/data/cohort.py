"""Cohorts in memory, as the evaluation takes them: samples by variants, a label per sample, a place per variant."""

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from syngeno.data.samples import read_labels
from syngeno.data.store import CHUNK, Store, open_store
from syngeno.data.vcf import synthetic_ids, synthetic_prefix
from syngeno.errors import BadInput

SITE = ("contig", "position", "ref", "alt")  # what makes a variant the same


@dataclass(frozen=True, eq=False)
class Cohort:
    """Samples and their genotypes; the cohorts of one evaluation share their variants.

    Attributes:
        dosages: int8 (samples, variants), numbers of ALT alleles: 0, 1 or 2, none missing.
        label: str (samples,), classes.
        contig: str (variants,), ascending runs: the variants of one contig stand together.
        position: int (variants,), 1-based, ascending within a contig.
        block: int (variants,), the gene or window that the encoder works on.
        sample: str (samples,), ids; None where they are not needed.
        haplotypes: int8 (samples, 2, variants), alleles 0 and 1; None where genotypes are not phased.
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
        """Check shapes and dosages."""
        samples, variants = self.dosages.shape
        shapes = dict.fromkeys(("contig", "position", "block", "cm"), (variants,))
        shapes |= {"label": (samples,), "sample": (samples,), "haplotypes": (samples, 2, variants)}
        for name, shape in shapes.items():
            values = getattr(self, name)
            if values is not None and values.shape != shape:
                raise ValueError(f"{name} has shape {values.shape}, not {shape}")
        if self.dosages.size and (self.dosages.min() < 0 or self.dosages.max() > 2):
            raise ValueError("dosages must be 0, 1 or 2; fill missing calls first")

    def __len__(self) -> int:
        """How many samples."""
        return len(self.label)

    @property
    def labels(self) -> list[str]:
        """The classes there are, sorted."""
        return sorted(set(self.label.tolist()))

    @cached_property
    def counts(self) -> dict[str, np.ndarray]:
        """Numbers of ALT alleles by label, int64 (variants,) each."""
        return {label: self.dosages[self.label == label].sum(0, dtype=np.int64) for label in self.labels}

    @cached_property
    def count(self) -> np.ndarray:
        """Numbers of ALT alleles, int64 (variants,)."""
        return sum(self.counts.values(), np.zeros(self.dosages.shape[1], np.int64))

    @cached_property
    def frequency(self) -> np.ndarray:
        """Frequency of the ALT allele, float64 (variants,)."""
        return self.count / (2 * len(self))

    def frequency_of(self, label: str) -> np.ndarray:
        """Frequency of the ALT allele among the samples of a label, float64 (variants,)."""
        return self.counts[label] / (2 * (self.label == label).sum())

    def changed(self, *, dosages: np.ndarray | None = None, haplotypes: np.ndarray | None = None) -> "Cohort":
        """The same samples with other genotypes, by either of these."""
        dosages = dosages if haplotypes is None else haplotypes[:, 0] + haplotypes[:, 1]
        return replace(self, dosages=dosages, haplotypes=haplotypes)

    def take(self, chosen: np.ndarray) -> "Cohort":
        """The samples at these indices (or under this mask), in this order."""
        parts = {name: getattr(self, name) for name in ("dosages", "label", "sample", "haplotypes")}
        return replace(self, **{name: values[chosen] for name, values in parts.items() if values is not None})

    def joined(self, other: "Cohort") -> "Cohort":
        """The samples of both, of the same variants; without ids, and without phase where one has none."""
        phased = self.haplotypes is not None and other.haplotypes is not None
        names = ["dosages", "label"] + (["haplotypes"] if phased else [])
        both = {name: np.concatenate([getattr(self, name), getattr(other, name)]) for name in names}
        return replace(self, **{"haplotypes": None, "sample": None} | both)

    def at(self, variants: np.ndarray) -> "Cohort":
        """The same samples at some of the variants (ascending indices or a mask)."""
        parts = {name: getattr(self, name) for name in ("dosages", "contig", "position", "block", "haplotypes", "cm")}
        return replace(self, **{name: values[..., variants] for name, values in parts.items() if values is not None})

    def of(self, label: str) -> "Cohort":
        """The samples of one class."""
        return self.take(np.flatnonzero(self.label == label))

    def in_canonical_order(self) -> "Cohort":
        """The same samples, ordered by their genotypes, so that seeded subsamples do not depend on a file's order."""
        order = self.canonical_order()
        return self if (np.diff(order) == 1).all() else self.take(order)

    def canonical_order(self) -> np.ndarray:
        """Indices that bring the samples into the order of (hashes of) their genotypes."""
        rows = np.ascontiguousarray(self.dosages)
        digests = [hashlib.blake2b(row.tobytes(), digest_size=16).hexdigest() for row in rows]
        return np.lexsort((self.label, np.array(digests, dtype="S32")))


def same_variants(*cohorts: Cohort) -> None:
    """Raise ValueError unless all cohorts have the same variants and at least one sample."""
    first = cohorts[0]
    for cohort in cohorts:
        if not len(cohort):
            raise ValueError("a cohort without samples cannot be evaluated")
        if not (np.array_equal(cohort.contig, first.contig) and np.array_equal(cohort.position, first.position)):
            raise ValueError("the cohorts do not have the same variants; bring them to the same sites first")


def synthetic_cohort(
    store_path: str | Path | None,
    labels_path: str | Path | None,
    columns: str | list[str],
    store: Store,
    training: pd.DataFrame,
    *,
    haplotypes: bool = False,
    cm: np.ndarray | None = None,
) -> Cohort:
    """What is judged: a synthetic cohort (see `read_cohort`), or the training samples where there is no file of one.

    Training samples are named as synthetic ones are, in canonical order: no real id stands in tables and pages.
    """
    if store_path:
        return read_cohort(store_path, labels_path, columns, store, haplotypes=haplotypes, cm=cm)
    judged = real_cohort(store, training, haplotypes=haplotypes, cm=cm).in_canonical_order()
    return replace(judged, sample=np.array(synthetic_ids(len(judged), synthetic_prefix(store.samples))))


def read_cohort(
    store_path: str | Path,
    labels_path: str | Path,
    columns: str | list[str],
    store: Store,
    *,
    haplotypes: bool = False,
    cm: np.ndarray | None = None,
) -> Cohort:
    """Read a synthetic cohort of the same variants as the prepared real cohort in `store`.

    `haplotypes` are there only where both stores are phased. Raises BadInput where sites or alleles differ from the
    real ones, calls are missing, or ids have no label.
    """
    with open_store(store_path) as drawn:
        _check_variants(drawn, store)
        label = read_labels(labels_path, columns)["label"]
        unlabelled = [sample for sample in drawn.samples if sample not in label.index]
        if unlabelled:
            raise BadInput(labels_path, f"{len(unlabelled)} samples have no label ({unlabelled[0]})", "add them")
        table = pd.DataFrame({"label": label.loc[drawn.samples]}, index=drawn.samples)
        read = real_cohort(drawn, table, haplotypes=haplotypes and store.phased)
    return replace(read, block=store.block, cm=cm)


def by_contig(paths: Sequence[str | Path], label: np.ndarray, store: Store) -> Iterator[Cohort]:
    """The samples of several drawn stores together, one contig after the other, so that no more is held in memory.

    `label` (samples,) are theirs, in the order of the stores. `store` is the prepared real cohort, whose variants they
    have; raises BadInput where one has others, or calls are missing.
    """
    with ExitStack() as opened:
        stores = [opened.enter_context(open_store(path)) for path in paths]
        for one in stores:
            _check_variants(one, store)
        starts = np.flatnonzero(np.r_[True, store.contig[1:] != store.contig[:-1]]).tolist()
        for start, stop in zip(starts, [*starts[1:], len(store)], strict=True):
            calls = np.concatenate([one.called(one.calls(start, stop)) for one in stores], axis=1)
            alleles = np.ascontiguousarray(calls.transpose(1, 2, 0))
            yield Cohort(
                alleles[:, 0] + alleles[:, 1],
                label,
                store.contig[start:stop],
                store.position[start:stop],
                store.block[start:stop],
                haplotypes=alleles if store.phased and all(one.phased for one in stores) else None,
            )


def _check_variants(drawn: Store, store: Store) -> None:
    ours, theirs = drawn.sites(), store.sites()
    if any(not np.array_equal(getattr(ours, name), getattr(theirs, name)) for name in SITE):
        raise BadInput(drawn.path, "does not have the variants of the real cohort", "delete it and draw it again")


def real_cohort(
    store: Store, samples: pd.DataFrame, *, haplotypes: bool = False, cm: np.ndarray | None = None
) -> Cohort:
    """The samples of a table (indexed by sample, with a column label) from the prepared real cohort.

    `haplotypes` are there only where the store is phased; `cm` (variants,) as of `Cohort`.
    """
    rows = store.rows(samples.index)
    phased = _haplotypes(store, rows) if haplotypes and store.phased else None
    return Cohort(
        store.dosages(rows) if phased is None else phased[:, 0] + phased[:, 1],
        samples["label"].to_numpy(str),
        store.contig,
        store.position,
        store.block,
        sample=samples.index.to_numpy(str),
        haplotypes=phased,
        cm=cm,
    )


def _haplotypes(store: Store, rows: np.ndarray) -> np.ndarray:
    alleles = np.empty((len(rows), 2, len(store)), dtype=np.int8)
    for chunk, calls in enumerate(store.iterate(rows)):
        alleles[:, :, chunk * CHUNK : chunk * CHUNK + len(calls)] = store.called(calls).transpose(1, 2, 0)
    return alleles
