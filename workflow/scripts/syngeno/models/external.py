"""Synthetic cohorts of other tools, brought to the sites, alleles and labels of the prepared cohort, or refused.

Other tools have other conventions. Accepted are contig names with or without "chr", any order of the records, one file
or several, compressed or not, phased or not, exchanged REF and ALT, monomorphic sites without an ALT allele, and
records that the prepared cohort does not have. What would have to be guessed is refused: missing sites, calls that are
missing or not diploid, samples without a label, and unknown labels.
"""

import logging
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from syngeno.data import vcf
from syngeno.data.records import normal_contig
from syngeno.data.samples import few, read_labels
from syngeno.data.store import Sites
from syngeno.errors import BadInput

log = logging.getLogger(__name__)

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

    `paths` are one VCF or BCF, or several that divide the sites between them; each holds all samples. Further rows of
    the table of labels are ignored. `known_labels` and `real_ids` are those of the real cohort. Raises BadInput.
    """
    paths = [paths] if isinstance(paths, str | Path) else list(paths)
    calls = read(paths, sites).calls
    label = labels_of(calls.samples, paths[0], labels_path, columns, known_labels)
    shared = len(set(calls.samples) & set(real_ids))
    if shared:
        fact = f"{shared} of {len(calls.samples)} samples have ids of real samples"
        raise BadInput(paths[0], fact, "give synthetic samples ids of their own, here and in their labels")
    return calls, label


class Oriented(NamedTuple):
    """Calls at sites, and where (bool (sites,)) the files have REF and ALT `exchanged`, or no ALT (`bare`)."""

    calls: vcf.Calls
    exchanged: np.ndarray
    bare: np.ndarray


def read(paths: Sequence[str | Path], sites: Sites, region: str | None = None) -> Oriented:
    """Calls at exactly these sites (of a `region` of indexed files); BadInput where that cannot be (see the module)."""
    reading = _Reading(sites)
    samples: list[str] = []
    for path in paths:
        opened, here = vcf.open_vcf(path)
        samples = samples or here
        order = _order(path, here, paths[0], samples)
        for variant in vcf.records(path, opened, region):
            reading.take(path, variant, order)
    if len(samples) < 2:
        raise BadInput(paths[0], "holds one sample", "give at least two")
    where = ", ".join(map(str, paths))
    reading.refuse_gaps(where)
    log.info(
        "%s: %d samples, %d sites (%d with REF and ALT exchanged, %d without ALT), %d other records ignored",
        where, len(samples), len(sites), reading.exchanged.sum(), reading.bare.sum(), reading.ignored,
    )  # fmt: skip
    calls = vcf.Calls(samples, np.ascontiguousarray(reading.alleles.transpose(1, 2, 0)), reading.phased)
    return Oriented(calls, reading.exchanged, reading.bare)


def labels_of(
    samples: list[str], vcf_path: object, labels_path: str | Path, columns: str | list[str], known: Iterable[str]
) -> np.ndarray:
    """The label of each sample, str (samples,); BadInput for samples without one, and for labels not `known`."""
    table = read_labels(labels_path, columns)["label"]
    unlabelled = [sample for sample in samples if sample not in table.index]
    if unlabelled:
        fact = f"has no row for {len(unlabelled)} of the {len(samples)} samples of {vcf_path} ({few(unlabelled)})"
        raise BadInput(labels_path, fact, "make the column `sample` hold the ids of the VCF")
    label, known = table.loc[samples].to_numpy(str), sorted(set(known))
    unknown = sorted(set(label.tolist()) - set(known))
    if unknown:
        count = int(np.isin(label, unknown).sum())
        fact = f"gives {count} samples labels that the real cohort does not have ({few(unknown)})"
        raise BadInput(labels_path, fact, f"use its labels: {few(known, 12)}")
    if len(table) > len(samples):
        log.info("%s: %d rows of samples that are not in the VCF ignored", labels_path, len(table) - len(samples))
    return label


class _Reading:
    """What has been read of the sites so far, and of other records."""

    def __init__(self, sites: Sites) -> None:
        self.sites = sites
        self.place = vcf.places(sites)
        self.at: dict[tuple[str, int], list[int]] = {}
        for (contig, position, _, _), index in self.place.items():
            self.at.setdefault((contig, position), []).append(index)
        self.alleles: np.ndarray | None = None
        self.phased = True
        self.read, self.exchanged, self.bare = np.zeros((3, len(sites)), dtype=bool)
        self.ignored, self.first_ignored = 0, ""
        self.other_alleles: dict[int, str] = {}

    def take(self, path: str | Path, variant, order: np.ndarray) -> None:
        contig, position, ref, alt = vcf.variant_key(variant)
        ref, alt = ref.upper(), alt.upper()
        index, flip = self._site(contig, position, ref, alt)
        if index is None:
            self.ignored += 1
            self.first_ignored = self.first_ignored or f"{variant.CHROM}:{position} {ref}>{alt or '.'}"
            for site in self.at.get((contig, position), []):
                self.other_alleles.setdefault(site, f"{ref}>{alt or '.'}")
            return
        if self.read[index]:
            remedy = "leave one (`bcftools norm --rm-dup exact`)"
            raise BadInput(path, f"holds the site {_name(self.sites, index)} twice", remedy)
        calls, ordered = vcf.diploid(path, variant)
        if self.alleles is None:
            self.alleles = np.empty((len(self.sites), len(order), 2), dtype=np.int8)
        self.alleles[index] = 1 - calls[order] if flip else calls[order]
        self.read[index] = True
        self.phased &= ordered
        self.exchanged[index] = flip
        self.bare[index] = not alt

    def _site(self, contig: str, position: int, ref: str, alt: str) -> tuple[int | None, bool]:
        """Which site a record is, and whether its REF is our ALT."""
        if not alt:  # no sample has another allele: position and REF identify the site, if they are unambiguous
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
            here = {normal_contig(name) for name in self.sites.contig[self.read].tolist()}
            absent = sorted({normal_contig(name) for name in self.sites.contig.tolist()} - here)
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


def _order(path: str | Path, here: list[str], first_path: str | Path, samples: list[str]) -> np.ndarray:
    if set(here) != set(samples):
        differ = sorted(set(here) ^ set(samples))
        fact = f"holds other samples than {first_path} ({len(differ)} are in one only: {few(differ)})"
        raise BadInput(path, fact, "give files that divide the sites and hold all samples each")
    place = {sample: index for index, sample in enumerate(here)}
    return np.array([place[sample] for sample in samples])


def _name(sites: Sites, index: int) -> str:
    return f"{sites.contig[index]}:{sites.position[index]} {sites.ref[index]}>{sites.alt[index]}"
