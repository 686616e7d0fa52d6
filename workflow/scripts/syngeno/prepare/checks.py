"""Checks of a cohort's files: all are opened and compared with each other before any work is done."""

import logging
import re
from collections import Counter
from pathlib import Path

import numpy as np

from syngeno.data import samples as sample_tables
from syngeno.data.genetic_map import read as read_map
from syngeno.data.readers import index_beside, open_source, write_index
from syngeno.data.records import Source, normal_contig
from syngeno.errors import BadInput
from syngeno.prepare.blocks import read_genes

logger = logging.getLogger(__name__)


def check(
    sources: list[str | Path],
    labels: str | Path,
    label: str | list[str],
    *,
    index_folder: str | Path,
    family: str | None = None,
    genes: str | Path | None = None,
    genetic_map: str | Path | None = None,
    chromosomes: list[str] | None = None,
    intersect: bool = False,
    haplotypes: bool = False,
) -> dict:
    """Open the genotype files, labels and genes of a cohort and check that they belong together.

    A VCF/BCF without an index beside it gets one in `index_folder`. Returns what the further steps need, fit for JSON:
    `contigs` (those with records, numbers first), `samples` (with genotypes and labels, in the first file's order),
    `contig_lengths` (by contig, 0 where no file says), `sources` (`path` and `index`, None for PLINK). `chromosomes`
    restricts the contigs. With `haplotypes`, first records that are not phased are refused. Raises BadInput.
    """
    indices = [_index(Path(path), number, Path(index_folder)) for number, path in enumerate(sources)]
    opened = [open_source(path, index) for path, index in zip(sources, indices, strict=True)]
    known = sample_tables.read_labels(labels, label, family)
    samples = sample_tables.match(_common_samples(opened, intersect), known, opened[0].path, labels, intersect)
    contigs = _restrict(_contigs(opened), chromosomes)
    _meet_genes(contigs, genes)
    if genetic_map is not None:
        read_map(genetic_map).place(np.array(contigs), np.ones(len(contigs), dtype=np.int64))
    for source in opened:
        for contig in contigs:
            record = next(source.records(contig), None)  # shows what is wrong with a whole file (no GT, haploid)
            if haplotypes and record is not None and not record.phased:
                remedy = "give phased genotypes, or set `space: genotype` for that generator"
                raise BadInput(source.path, "is not phased, and a generator of the run draws haplotypes", remedy)
    lengths = {}
    for source in reversed(opened):  # so that the first file has the last word
        lengths |= {normal_contig(name): length for name, length in source.contig_lengths.items()}
    logger.info("%d samples, %d contigs, %d genotype files", len(samples), len(contigs), len(opened))
    return {
        "contigs": contigs,
        "samples": samples,
        "contig_lengths": {contig: lengths.get(normal_contig(contig), 0) for contig in contigs},
        "sources": [
            {"path": str(path), "index": index and str(index)} for path, index in zip(sources, indices, strict=True)
        ],
    }


def _index(path: Path, number: int, folder: Path) -> Path | None:
    if path.suffix == ".bed":
        return None
    index = index_beside(path)
    if index is None:
        index = folder / f"{number}.{path.name}.csi"
        write_index(path, index)
    return index


def _common_samples(opened: list[Source], intersect: bool) -> list[str]:
    first = opened[0]
    sets = [set(source.samples) for source in opened]
    common = set.intersection(*sets)
    for source, held in zip(opened[1:], sets[1:], strict=True):
        lacking = [sample for sample in first.samples if sample not in held]
        extra = [sample for sample in source.samples if sample not in sets[0]]
        if (lacking or extra) and not intersect:
            named = ", ".join((lacking or extra)[:3])
            fact = f"lacks {len(lacking)} samples of {first.path} and has {len(extra)} others ({named})"
            raise BadInput(source.path, fact, f"set `samples: intersect` to go on with the {len(common)} in all files")
    if not common:
        raise BadInput("genotypes", "no sample is in all files", "give files of the same samples")
    return [sample for sample in first.samples if sample in common]


def _contigs(opened: list[Source]) -> list[str]:
    """The contigs of all files, spelt as first met: numbers in order, then X, Y, MT, then others."""
    names: dict[str, str] = {}
    for source in opened:
        if not source.contigs:
            raise BadInput(source.path, "holds no variants", "leave it out, or make it again")
        spelt = Counter(normal_contig(contig) for contig in source.contigs)
        twice = [name for name, count in spelt.items() if count > 1]
        if twice:
            raise BadInput(source.path, f"spells contig {twice[0]} in two ways", "rename with `bcftools annotate`")
        for contig in source.contigs:
            if not re.fullmatch(r"[A-Za-z0-9_.*:-]+", contig):
                raise BadInput(source.path, f"has a contig called '{contig}'", "rename it with letters and digits")
            names.setdefault(normal_contig(contig), contig)
    return [names[name] for name in sorted(names, key=_natural)]


def _natural(name: str) -> tuple:
    if name.isdecimal():
        return 0, int(name), name
    sex = ("X", "Y", "MT")
    return (1, sex.index(name), name) if name in sex else (2, 0, name)


def _restrict(contigs: list[str], chromosomes: list[str] | None) -> list[str]:
    if not chromosomes:
        return contigs
    wanted = {normal_contig(str(name)) for name in chromosomes}
    absent = sorted(wanted - {normal_contig(contig) for contig in contigs}, key=_natural)
    if absent:
        fact = f"{', '.join(absent)} is not among the genotypes' contigs ({', '.join(contigs)})"
        raise BadInput("chromosomes", fact, "name only contigs that have variants")
    return [contig for contig in contigs if normal_contig(contig) in wanted]


def _meet_genes(contigs: list[str], genes: str | Path | None) -> None:
    if genes is None:
        return
    covered = set(read_genes(genes)["contig"].map(normal_contig))
    without = [contig for contig in contigs if normal_contig(contig) not in covered]
    if len(without) == len(contigs):
        few = ", ".join(sorted(covered, key=_natural)[:3])
        fact = f"shares no contig with the genotypes ({few} against {', '.join(contigs[:3])})"
        raise BadInput(genes, fact, "give genes of the same species and build, or leave `genes` out for windows")
    if without:
        logger.warning("%s: no genes on %s: blocks there are windows", genes, ", ".join(without))
