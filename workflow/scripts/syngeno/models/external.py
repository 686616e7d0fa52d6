"""Synthetic cohorts of other tools, brought to the sites, alleles and labels of the prepared cohort, or refused.

Other tools have other conventions. Accepted are contig names with or without "chr", VCF and BCF, in any order of the
records, PLINK .bed, one file or several, compressed or not, phased or not, exchanged REF and ALT, monomorphic sites
without an ALT allele, and records that the prepared cohort does not have. What would have to be guessed is refused:
missing sites, calls that are missing or not diploid, samples without a label, and unknown labels.
"""

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from syngeno.data import vcf
from syngeno.data.readers import open_source
from syngeno.data.records import PhaseSets, Record, Source, alleles, columns, spellings, take
from syngeno.data.samples import few, read_labels
from syngeno.data.store import Sites
from syngeno.errors import BadInput

log = logging.getLogger(__name__)

LOOKED_UP = 1000  # records of a file, to find one of the real cohort's; where there is none, `adopt` tells
COMPLEMENT = str.maketrans("ACGT", "TGCA")


def adopt(
    paths: str | Path | Sequence[str | Path],
    labels_path: str | Path,
    columns: str | list[str],
    sites: Sites,
    known_labels: Iterable[str],
    real_ids: Iterable[str],
) -> tuple[vcf.Calls, np.ndarray]:
    """Calls at the sites of the prepared cohort, and labels, str (samples,), in the first file's order.

    `paths` are one VCF, BCF or PLINK .bed, or several that divide the sites between them; each holds all samples.
    Further rows of the table of labels are ignored. `known_labels` are those of the real samples that judge it,
    `real_ids` of all real samples. Raises BadInput.
    """
    paths = [paths] if isinstance(paths, str | Path) else list(paths)
    calls = read(paths, sites).calls
    return calls, _labels(calls.samples, paths, labels_path, columns, known_labels, real_ids)


def check(
    paths: Sequence[str | Path],
    labels_path: str | Path,
    columns: str | list[str],
    contigs: Sequence[str],
    known_labels: Iterable[str],
    real_ids: Iterable[str],
    real: Sequence[Source],
) -> list[str]:
    """The samples of files that `adopt` is to read, of which the first records on the `contigs` are read here.

    `real` are the real cohort's files. Raises BadInput for what shows without the prepared cohort: samples, labels,
    ids, how genotypes are written, and that no site is one of the real cohort's; and where there is no sample of one
    of the labels, whose real samples would dilute what is measured.
    """
    opened = [_File(path) for path in paths]
    samples = _same_samples(opened)
    label = _labels(samples, paths, labels_path, columns, known_labels, real_ids)
    if absent := sorted(set(known_labels) - set(label.tolist())):
        fact = f"has no samples of {few(absent)}, whose real samples it would be judged by"
        raise BadInput(labels_path, fact, "name the labels that it has in `sample: labels`, or bring these samples")
    first, met = "", False
    for file in opened:
        for number, (contig, position, *_, record) in enumerate(_on(contigs, file.records(samples))):
            if number == 0:
                vcf.called(file.path, record())
            first = first or f"{contig}:{position}"
            met = met or number == LOOKED_UP or any(source.has(contig, position) for source in real)
            if met:
                break
    where, remedy = ", ".join(map(str, paths)), "give the same genome build and contig names"
    if not first:
        raise BadInput(where, f"holds nothing on the cohort's chromosomes ({few(contigs)})", remedy)
    if not met:
        raise BadInput(where, f"holds none of the cohort's sites (its first is {first})", remedy)
    return samples


def _on(contigs: Sequence[str], records: Iterator[tuple]) -> Iterator[tuple]:
    return (record for record in records if spellings(record[0], contigs))


def _labels(
    samples: list[str],
    paths: Sequence[str | Path],
    labels_path: str | Path,
    columns: str | list[str],
    known_labels: Iterable[str],
    real_ids: Iterable[str],
) -> np.ndarray:
    label = labels_of(samples, paths[0], labels_path, columns, known_labels)
    shared = len(set(samples) & set(real_ids))
    if shared:
        fact = f"{shared} of {len(samples)} samples have ids of real samples"
        raise BadInput(paths[0], fact, "give synthetic samples ids of their own, here and in their labels")
    return label


class _File:
    """A genotype file of another tool: its samples, and its records in whatever order."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        if self.path.suffix == ".bed":
            self._opened = open_source(self.path)
            self.samples = self._opened.samples
        else:
            self._opened, self.samples = vcf.open_vcf(path)

    def records(
        self, samples: Sequence[str], region: str | None = None
    ) -> Iterator[tuple[str, int, str, str, Callable]]:
        """Contig, position, REF and ALT of each record, and what reads it with the calls of the samples, in this order.

        A `region` is for indexed files.
        """
        order = columns(self.path, self.samples, samples)
        if self.path.suffix == ".bed":
            for contig in self._opened.contigs:
                for record in self._opened.records(contig, samples):
                    yield contig, record.position, record.ref, record.alt, lambda record=record: record
            return
        in_blocks = self._opened.contains("PS")
        blocks = defaultdict(partial(PhaseSets, len(samples)))
        for variant in vcf.variants(self.path, self._opened, region):
            phased_in = blocks[variant.CHROM] if in_blocks else None
            read = partial(take, self.path, variant, samples, order, phased_in, bare=True)
            yield variant.CHROM, variant.POS, *alleles(variant), read


class Oriented(NamedTuple):
    """Calls at sites, and where (bool (sites,)) the files have REF and ALT `exchanged`, or no ALT (`bare`)."""

    calls: vcf.Calls
    exchanged: np.ndarray
    bare: np.ndarray


def read(paths: Sequence[str | Path], sites: Sites, region: str | None = None) -> Oriented:
    """Calls at exactly these sites (of a `region` of indexed files); BadInput where that cannot be (see the module)."""
    opened = [_File(path) for path in paths]
    samples = _same_samples(opened)
    reading = _Reading(sites, len(samples))
    for file in opened:
        for contig, position, ref, alt, record in file.records(samples, region):
            reading.take(file.path, (contig, position, ref, alt), record)
    where = ", ".join(map(str, paths))
    reading.refuse_gaps(where)
    log.info(
        "%s: %d samples, %d sites (%d with REF and ALT exchanged, %d without ALT), %d other records ignored",
        where, len(samples), len(sites), reading.exchanged.sum(), reading.bare.sum(), reading.ignored,
    )  # fmt: skip
    calls = vcf.Calls(samples, np.ascontiguousarray(reading.alleles.transpose(1, 2, 0)), reading.phased)
    return Oriented(calls, reading.exchanged, reading.bare)


def _same_samples(opened: Sequence[_File]) -> list[str]:
    first = opened[0]
    if len(first.samples) < 2:
        raise BadInput(first.path, "holds one sample", "give at least two")
    for file in opened[1:]:
        if differ := sorted(set(file.samples) ^ set(first.samples)):
            fact = f"holds other samples than {first.path} ({len(differ)} are in one only: {few(differ)})"
            raise BadInput(file.path, fact, "give files that divide the sites and hold all samples each")
    return first.samples


def labels_of(
    samples: list[str], vcf_path: object, labels_path: str | Path, columns: str | list[str], known: Iterable[str]
) -> np.ndarray:
    """The label of each sample, str (samples,); BadInput for samples without one, and for labels not `known`."""
    table = read_labels(labels_path, columns, remedy="name its columns as those of the cohort's `label`")["label"]
    unlabelled = [sample for sample in samples if sample not in table.index]
    if unlabelled:
        fact = f"has no row for {len(unlabelled)} of the {len(samples)} samples of {vcf_path} ({few(unlabelled)})"
        raise BadInput(labels_path, fact, "make the column `sample` hold the ids of the genotype file")
    label, known = table.loc[samples].to_numpy(str), sorted(set(known))
    unknown = sorted(set(label.tolist()) - set(known))
    if unknown:
        count = int(np.isin(label, unknown).sum())
        fact = f"gives {count} samples labels that the real samples do not have ({few(unknown)})"
        raise BadInput(labels_path, fact, f"use theirs, of which `sample: labels` may choose: {few(known, 12)}")
    if len(table) > len(samples):
        log.info("%s: %d rows of samples without genotypes ignored", labels_path, len(table) - len(samples))
    return label


class _Reading:
    """What has been read of the sites so far, and of other records."""

    def __init__(self, sites: Sites, samples: int) -> None:
        self.sites = sites
        self.contigs = list(dict.fromkeys(sites.contig.tolist()))
        self.names: dict[str, str] = {}  # of their contigs, among ours
        keys = zip(sites.contig.tolist(), sites.position.tolist(), sites.ref.tolist(), sites.alt.tolist(), strict=True)
        self.place = {key: index for index, key in enumerate(keys)}
        self.at: dict[tuple[str, int], list[int]] = {}
        for (contig, position, _, _), index in self.place.items():
            self.at.setdefault((contig, position), []).append(index)
        self.alleles = np.empty((len(sites), samples, 2), dtype=np.int8)
        self.phased = True
        self.read, self.exchanged, self.bare = np.zeros((3, len(sites)), dtype=bool)
        self.ignored, self.first_ignored = 0, ""
        self.other_alleles: dict[int, str] = {}

    def take(self, path: Path, key: tuple[str, int, str, str], record: Callable[[], Record]) -> None:
        """Take a record in, whose calls are read only where it is one of the sites."""
        contig, position, ref, alt = key
        ours = self._name(contig)
        index, flip = self._site(ours, position, ref, alt)
        if index is None:
            self.ignored += 1
            self.first_ignored = self.first_ignored or f"{contig}:{position} {ref}>{alt}"
            for site in self.at.get((ours, position), []):
                self.other_alleles.setdefault(site, f"{ref}>{alt}")
            return
        if self.read[index]:
            remedy = "leave one (`bcftools norm --rm-dup exact`)"
            raise BadInput(path, f"holds the site {_name(self.sites, index)} twice", remedy)
        found = record()
        calls = vcf.called(path, found)
        self.alleles[index] = 1 - calls if flip else calls
        self.read[index] = True
        self.phased &= not found.unphased
        self.exchanged[index] = flip
        self.bare[index] = alt == "."

    def _name(self, contig: str) -> str:
        """What we call a contig of theirs."""
        if contig not in self.names:
            self.names[contig] = next(iter(spellings(contig, self.contigs)), contig)
        return self.names[contig]

    def _site(self, contig: str, position: int, ref: str, alt: str) -> tuple[int | None, bool]:
        """Which site a record is, and whether its REF is our ALT."""
        if alt == ".":  # no sample has another allele: position and REF identify the site, if they are unambiguous
            here = self.at.get((contig, position), [])
            index = here[0] if len(here) == 1 else None
            if index is None or ref not in (self.sites.ref[index], self.sites.alt[index]):
                return None, False
            return index, ref == self.sites.alt[index]
        index = self.place.get((contig, position, ref, alt))
        if index is not None:
            return index, False
        index = self.place.get((contig, position, alt, ref))
        return index, index is not None

    def refuse_gaps(self, where: str) -> None:
        """Raise BadInput where sites are missing: whether they lie elsewhere or have other alleles."""
        if self.read.all():
            return
        missing = np.flatnonzero(~self.read)
        first = int(missing[0])
        if not self.read.any() and not self.other_alleles:
            fact = (
                f"holds none of the cohort's {len(self.sites)} sites (its first is {self.first_ignored or 'none'}, "
                f"the cohort's {_name(self.sites, first)})"
            )
            raise BadInput(where, fact, "give the same genome build and contig names")
        fact = f"lacks {len(missing)} of the cohort's {len(self.sites)} sites"
        others = [index for index in missing.tolist() if index in self.other_alleles]
        if not others:
            absent = sorted(set(self.contigs) - set(self.sites.contig[self.read].tolist()))
            what = f"; nothing at all of chromosome {few(absent)}" if absent else ""
            remedy = "give all sites (also those that do not vary), or prepare the cohort with those alone that it has"
            raise BadInput(where, f"{fact} (first {_name(self.sites, first)}{what})", remedy)
        example = others[0]
        fact += (
            f", {len(others)} of them because its alleles are others "
            f"(first {_name(self.sites, example)}, where it has {self.other_alleles[example]})"
        )
        raise BadInput(where, fact, self._remedy(others))

    def _remedy(self, others: list[int]) -> str:
        if all("," in self.other_alleles[index] for index in others):
            return "split multiallelic records (`bcftools norm -m-`)"
        if all(self._other_strand(index) for index in others):
            return "they are those of the other strand: bring them to the reference's (`bcftools +fixref`)"
        return "give the alleles of the prepared cohort"

    def _other_strand(self, index: int) -> bool:
        ours = {self.sites.ref[index].translate(COMPLEMENT), self.sites.alt[index].translate(COMPLEMENT)}
        return set(self.other_alleles[index].split(">")) <= ours


def _name(sites: Sites, index: int) -> str:
    return f"{sites.contig[index]}:{sites.position[index]} {sites.ref[index]}>{sites.alt[index]}"
