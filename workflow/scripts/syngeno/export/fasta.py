"""DNA of synthetic samples: their variants put into a reference genome, and found there again.

bcftools puts the variants in. What it wrote is then compared with the reference base by base, by nothing of
bcftools, and the differences must be the ALT alleles that the VCF says the haplotype has.
"""

import logging
import os
import re
import shutil
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import cyvcf2
import numpy as np
import pandas as pd
import pysam
import pysam.bcftools

from syngeno.data.records import take
from syngeno.data.reference import FastaWriter, Reference, letters, upper, write_record
from syngeno.data.vcf import called, open_vcf, variants
from syngeno.errors import BadInput
from syngeno.workflow import tools
from syngeno.workflow.regions import Region

logger = logging.getLogger(__name__)

COLUMNS = ("sample", "haplotype", "region", "bases", "variants", "recalled")
TOGETHER = 64  # samples whose files are open at a time
WHERE = "run file, release.genomes.samples"
ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")  # also what bcftools takes as one name


@dataclass(frozen=True, eq=False)
class Variants:
    """The variants of a region in file order, one at a position: `position` (V,) from 1, `ref` and `alt` (V,) as bytes,
    uint8, and `alleles`, int8 (samples, 2, V), 0 for REF and 1 for ALT."""

    position: np.ndarray
    ref: np.ndarray
    alt: np.ndarray
    alleles: np.ndarray

    def alternate(self, sample: int, haplotype: int) -> np.ndarray:
        """Indices of the variants whose ALT allele a haplotype (0 or 1) has."""
        return np.flatnonzero(self.alleles[sample, haplotype])


def choose(path: str | Path, asked: int | Sequence[str | int]) -> list[str]:
    """The samples of a VCF whose DNA is written: those of these ids, in this order, or so many, evenly spaced.

    Raises BadInput for an id that is not there or not fit for a file's name, and for more samples than there are.
    """
    vcf, samples = open_vcf(path)
    vcf.close()
    if isinstance(asked, int):
        if asked > len(samples):
            raise BadInput(WHERE, f"{asked} samples are asked for of {len(samples)} in {path}", "ask for fewer")
        chosen = [samples[number * len(samples) // asked] for number in range(asked)]
    else:
        chosen = [str(name) for name in asked]
        if unknown := [name for name in chosen if name not in samples]:
            fact = f"'{unknown[0]}' is not in {path} ({samples[0]} to {samples[-1]} and the like are)"
            raise BadInput(WHERE, fact, "name samples of the synthetic cohort that are not withheld")
    if unfit := [name for name in chosen if not ID.fullmatch(name)]:
        raise BadInput(path, f"the id '{unfit[0]}' is not fit for a file's name", "use letters, digits, _, - and .")
    return chosen


def read_variants(path: str | Path, samples: Sequence[str], region: Region) -> Variants:
    """The variants of these samples, in this order, in a region of an indexed VCF.

    Raises BadInput for calls that are not phased, or missing.
    """
    file = cyvcf2.VCF(str(path), samples=list(samples))
    order = [file.samples.index(sample) for sample in samples]
    position, ref, alt, alleles = [], [], [], []
    for variant in variants(path, file, f"{region.contig}:{region.start}-{region.end}"):
        record = take(path, variant, samples, order)
        if record.unphased:
            remedy = "phase the cohort, and take a generator of `space: haplotype` or another that draws haplotypes"
            raise BadInput(f"{path}, {record.contig}:{record.position}", "samples are not phased", remedy)
        position.append(record.position)
        ref.append(record.ref)
        alt.append(record.alt)
        alleles.append(called(path, record))
    stacked = np.array(alleles, np.int8).reshape(-1, len(order), 2).transpose(1, 2, 0)
    return Variants(np.array(position, np.int64), letters(ref), letters(alt), stacked)


def differences(reference: np.ndarray, bases: np.ndarray, start: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where two sequences (bytes, uint8) differ, in letter or case: positions (the first base is `start`), and the
    letters of either there, as capitals. Raises ValueError where their lengths differ."""
    if len(reference) != len(bases):
        raise ValueError(f"{len(bases)} bases beside {len(reference)} of the reference")
    where = np.flatnonzero(reference != bases)
    return where + start, upper(reference[where]), upper(bases[where])


def recall(
    reference: np.ndarray, bases: np.ndarray, region: Region, variants: Variants, sample: int, haplotype: int
) -> int:
    """How many variants are found in a haplotype's bases; they are the ones that it carries, or RuntimeError is raised.

    `reference` and `bases` are those of the region (bytes, uint8); `haplotype` is 0 or 1.
    """
    alt = variants.alternate(sample, haplotype)
    expected = (variants.position[alt], variants.ref[alt], variants.alt[alt])
    found = differences(reference, bases, region.start)
    if not all(np.array_equal(one, other) for one, other in zip(expected, found, strict=True)):
        either = [{(int(p), chr(r), chr(a)) for p, r, a in zip(*one, strict=True)} for one in (expected, found)]
        first = min(either[0] ^ either[1])
        what = "is in the VCF, and not in the bases" if first in either[0] else "is in the bases, and not in the VCF"
        raise RuntimeError(
            f"haplotype {haplotype + 1} of sample {sample + 1}, {region.name}: {first[0]} {first[1]}>{first[2]} {what}"
        )
    return len(found[0])


def write_genomes(
    folder: str | Path, path: str | Path, samples: Sequence[str], reference: Reference, regions: Sequence[Region]
) -> pd.DataFrame:
    """Write the DNA of samples of an indexed, phased VCF: a bgzipped, indexed FASTA each, checked.tsv and SHA256SUMS.

    A FASTA has two records for each region: the haplotypes as they stand in the VCF, left and right of the bar. The
    folder appears whole, or not at all; one region is held in memory at a time, and same arguments give the same bytes.
    Returns what checked.tsv holds: sample, haplotype (1 or 2), region, bases, variants put in and variants found again.

    Raises BadInput where samples are not phased, RuntimeError where what was written is not what the VCF says.
    """
    folder = Path(folder)
    part = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)  # of a job that was killed
    part.mkdir(parents=True)
    try:
        rows: dict[str, list[tuple]] = {sample: [] for sample in samples}
        for first in range(0, len(samples), TOGETHER):
            batch = samples[first : first + TOGETHER]
            with ExitStack() as files:
                writers = {name: files.enter_context(FastaWriter(part / f"{name}.fa.gz")) for name in batch}
                for region in regions:
                    with tempfile.TemporaryDirectory(dir=part) as space:
                        _write_region(Path(space), path, reference, region, writers, rows)
            logger.info("%d of %d samples written", first + len(batch), len(samples))
        checked = pd.DataFrame([row for sample in samples for row in rows[sample]], columns=list(COLUMNS))
        checked.to_csv(part / "checked.tsv", sep="\t", index=False, lineterminator="\n")
        names = [f"{sample}.fa.gz{ending}" for sample in samples for ending in ("", ".fai", ".gzi")]
        tools.write_checksums(part / tools.CHECKSUMS, (part / name for name in [*names, "checked.tsv"]))
        os.replace(part, folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)
    return checked


def _write_region(
    space: Path, path: str | Path, reference: Reference, region: Region, writers: dict[str, FastaWriter], rows: dict
) -> None:
    """Write and check one region of samples; `space` is an empty folder for what bcftools reads and writes."""
    variants = read_variants(path, list(writers), region)
    bases = reference.bases(region.contig, region.start, region.end)
    with open(space / "reference.fa", "wb") as file:
        write_record(file, region.name, bases)
    where = f"{region.contig}:{region.start}-{region.end}"
    # Apart, as every haplotype would read all samples of the VCF again.
    _bcftools("view", "--samples", ",".join(writers), "--regions", where, "--output-type", "b", "--write-index",
              "--output", space / "variants.bcf", path)  # fmt: skip
    for sample, (name, writer) in enumerate(writers.items()):
        for haplotype in (0, 1):
            _bcftools("consensus", "--samples", name, "--haplotype", haplotype + 1, "--fasta-ref",
                      space / "reference.fa", "--output", space / "haplotype.fa", space / "variants.bcf")  # fmt: skip
            text = (space / "haplotype.fa").read_bytes()
            made = np.frombuffer(text[text.index(b"\n") :].translate(None, b"\n"), np.uint8)
            recalled = recall(bases, made, region, variants, sample, haplotype)
            put_in = len(variants.alternate(sample, haplotype))
            writer.add(f"{region.name}_{haplotype + 1}", made)
            rows[name].append((name, haplotype + 1, region.name, len(made), put_in, recalled))


def _bcftools(command: str, *arguments: object) -> None:
    getattr(pysam.bcftools, command)(*map(str, arguments), catch_stdout=False)
