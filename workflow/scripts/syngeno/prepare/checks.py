"""Checks of a cohort's files: all are opened and compared with each other before any work is done."""

import logging
import re
from itertools import islice
from pathlib import Path

import numpy as np

from syngeno import logs
from syngeno.data import samples as sample_tables
from syngeno.data.genetic_map import read as read_map
from syngeno.data.readers import open_source, write_index
from syngeno.data.records import Record, Source, index_beside, normal_contigs, spellings
from syngeno.data.vcf import synthetic_prefix
from syngeno.errors import BadInput
from syngeno.prepare.blocks import read_genes
from syngeno.prepare.filters import not_phased
from syngeno.prepare.sex_chromosomes import why_left_out
from syngeno.workflow import tools

logger = logging.getLogger(__name__)

CALLS = 20_000_000  # that are looked at, in all files together
LEAST, MOST = 10, 1000  # records of a contig that are looked at


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
    phasing: str = "never",
    call_rate: float = 0,
    sample_call_rate: float = 0,
    pass_only: bool = False,
) -> dict:
    """Open the genotype files, labels and genes of a cohort and check that they belong together.

    A VCF/BCF without an index beside it gets one in `index_folder`. Returns what the further steps need, fit for JSON:
    `contigs` (those with records that are taken, numbers first), `samples` (with genotypes and labels, in the first
    file's order), `left_out` (`contigs`, with their records, and `samples` with few calls), `contig_lengths` (by
    contig, 0 where no file says), `sources` (`path` and `index`, None for PLINK), `synthetic_prefix`, `unphased`
    (contigs with calls without phase) and `to_phase` (those that Beagle may phase; see `phasing` in the schema).

    `chromosomes` restricts the contigs. Only what is taken is judged, by the first records of each contig: calls must
    be diploid, phased where `haplotypes` are drawn and Beagle does not phase them, and there at the share
    `sample_call_rate` of the variants that most samples (the share `call_rate`) have. Raises BadInput.
    """
    indices = [_index(Path(path), number, Path(index_folder)) for number, path in enumerate(sources)]
    opened = [open_source(path, index) for path, index in zip(sources, indices, strict=True)]
    known = sample_tables.read_labels(labels, label, family)
    samples = sample_tables.match(_common_samples(opened, intersect), known, opened[0].path, labels, intersect)
    normal = normal_contigs(name for source in opened for name in (*source.contigs, *source.contig_lengths))
    contigs, absent = _modelled(opened, _restrict(_contigs(opened, normal), chromosomes), normal, samples)
    if absent and (chromosomes or not contigs):
        where = "chromosomes" if chromosomes else opened[0].path
        name, why = next(iter(absent.items()))
        raise BadInput(where, f"chromosome {name} cannot be taken: {why}", "take autosomes")
    _refuse_names(opened, contigs, normal)
    _meet_genes(contigs, genes)
    if genetic_map is not None:
        read_map(genetic_map).place(np.array(contigs), np.ones(len(contigs), dtype=np.int64))
    called, unphased = _first_calls(opened, contigs, samples, pass_only)
    to_phase = _to_phase(contigs, unphased, phasing)
    if haplotypes and (left := [name for name in unphased if name not in to_phase]):
        raise not_phased(*unphased[left[0]])
    if unphased:
        _say_unphased(unphased, contigs, phasing, bool(to_phase))
    poor = _poorly_called(called, samples, call_rate, sample_call_rate)
    samples = [sample for sample in samples if sample not in poor]
    lengths = {}
    for source in reversed(opened):  # so that the first file has the last word
        lengths |= {normal[name]: length for name, length in source.contig_lengths.items()}
    logger.info("%d samples, %d contigs, %d genotype files", len(samples), len(contigs), len(opened))
    return {
        "contigs": contigs,
        "samples": samples,
        "left_out": {"contigs": {name: _records(opened, name, normal) for name in absent}, "samples": poor},
        "contig_lengths": {contig: lengths.get(normal[contig], 0) for contig in contigs},
        "sources": [
            {"path": str(path), "index": index and str(index)} for path, index in zip(sources, indices, strict=True)
        ],
        "synthetic_prefix": synthetic_prefix({*known.index, *(name for source in opened for name in source.samples)}),
        "unphased": list(unphased),
        "to_phase": to_phase,
    }


def _to_phase(contigs: list[str], unphased: dict[str, tuple[Record, Path]], phasing: str) -> list[str]:
    """The contigs that Beagle may phase, of those whose first records without phase are known."""
    if phasing == "always":
        tools.require(tools.BEAGLE)
        return contigs
    return list(unphased) if phasing == "auto" and tools.available(tools.BEAGLE) else []


def _say_unphased(unphased: dict[str, tuple[Record, Path]], contigs: list[str], phasing: str, by_beagle: bool) -> None:
    record, path = next(iter(unphased.values()))
    where = f"{path} is not phased, first at {record.contig}:{record.position} ({record.unphased})"
    if by_beagle:
        then = f"Beagle phases {len(unphased)} of {len(contigs)} chromosomes, where variants are linked"
    elif phasing == "never":
        then = "the cohort is modelled as dosages"
    else:
        then = "the cohort is modelled as dosages. If variants are linked, install Beagle, and run again with "
        then += "--forcerun check_inputs, to have haplotypes"
    logger.log(logs.NOTICE, "%s: %s", where, then)


def _records(opened: list[Source], contig: str, normal: dict[str, str]) -> int:
    """How many records the files have of a contig, by all its names, as far as their indices say."""
    counts = [
        count or 0 for source in opened for name, count in source.counts.items() if normal[name] == normal[contig]
    ]
    return sum(counts)


def _first_calls(
    opened: list[Source], contigs: list[str], samples: list[str], pass_only: bool
) -> tuple[np.ndarray, dict[str, tuple[Record, Path]]]:
    """Where the first SNPs of each contig are called, bool (sites, samples), and its first record without phase.

    Shows what is wrong with a whole file.
    """
    unphased: dict[str, tuple[Record, Path]] = {}
    most = CALLS // (len(samples) * len(contigs) * len(opened))
    called = [np.empty((0, len(samples)), dtype=bool)]
    for source in opened:
        for contig in contigs:
            records = source.records(contig, samples, pass_only=pass_only)
            for record in islice(records, min(max(most, LEAST), MOST)):
                if record.unphased:
                    unphased.setdefault(contig, (record, source.path))
                if record.calls is not None:
                    called.append((record.calls >= 0).all(axis=1)[None])
    return np.concatenate(called), unphased


def _poorly_called(called: np.ndarray, samples: list[str], call_rate: float, least: float) -> list[str]:
    """The samples with a call at less than the share `least` of the sites that the share `call_rate` of samples has."""
    if not len(called):
        return []
    some = called.any(axis=0)
    good = called[:, some].mean(axis=1) >= call_rate if some.any() else np.zeros(len(called), dtype=bool)
    rate = (called[good] if good.any() else called).mean(axis=0)
    poor = np.array(samples)[rate < least].tolist()
    if len(poor) == len(samples):
        fact = f"every sample has fewer calls than at {least:.0%} of the variants"
        raise BadInput("filter.sample_call_rate", fact, "lower it, or give fuller genotypes")
    if poor:
        named = ", ".join(f"{sample} ({rate[samples.index(sample)]:.0%})" for sample in poor)
        logger.warning("left out: %d samples called at fewer than %g of the variants: %s", len(poor), least, named)
    return poor


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


def _contigs(opened: list[Source], normal: dict[str, str]) -> list[str]:
    """The contigs of all files, spelt as first met: numbers in order, then X, Y, XY, MT, then others."""
    names: dict[str, str] = {}
    for source in opened:
        if not source.contigs:
            raise BadInput(source.path, "holds no variants", "leave it out, or make it again")
        for contig in source.contigs:
            names.setdefault(normal[contig], contig)
    return [names[name] for name in sorted(names, key=_natural)]


def _natural(name: str) -> tuple:
    if name.isdecimal():
        return 0, int(name), name
    sex = ("X", "Y", "XY", "MT")
    return (1, sex.index(name), name) if name in sex else (2, 0, name)


def _restrict(contigs: list[str], chromosomes: list[str] | None) -> list[str]:
    if not chromosomes:
        return contigs
    wanted = [spellings(str(name), contigs) for name in chromosomes]
    absent = [str(name) for name, found in zip(chromosomes, wanted, strict=True) if not found]
    if absent:
        fact = f"{', '.join(absent)} is not among the genotypes' contigs ({', '.join(contigs)})"
        raise BadInput("chromosomes", fact, "name only contigs that have variants")
    return [contig for contig in contigs if any(contig in found for found in wanted)]


def _modelled(
    opened: list[Source], contigs: list[str], normal: dict[str, str], samples: list[str]
) -> tuple[list[str], dict[str, str]]:
    """The contigs that are modelled, and why others are left out, which a warning tells."""
    reasons = {contig: why_left_out(opened, contig, normal[contig], samples) for contig in contigs}
    absent = {contig: why for contig, why in reasons.items() if why}
    for contig, why in absent.items():
        logger.warning("left out: %d variants of chromosome %s: %s", _records(opened, contig, normal), contig, why)
    return [contig for contig in contigs if contig not in absent], absent


def _refuse_names(opened: list[Source], contigs: list[str], normal: dict[str, str]) -> None:
    """Raise BadInput for a contig whose name is no part of a path, or that a file spells in two ways."""
    remedy = "rename it with `bcftools annotate --rename-chrs`, or leave it out by `chromosomes`"
    for contig in contigs:
        if not re.fullmatch(r"[A-Za-z0-9_.*:-]+", contig):
            path = next(source.path for source in opened if contig in source.contigs)
            raise BadInput(path, f"has a contig called '{contig}', with other signs than letters and digits", remedy)
        for source in opened:
            if len(names := [name for name in source.contigs if normal[name] == normal[contig]]) > 1:
                raise BadInput(source.path, f"spells contig {normal[contig]} in two ways ({', '.join(names)})", remedy)


def _meet_genes(contigs: list[str], genes: str | Path | None) -> None:
    if genes is None:
        return
    covered = read_genes(genes)["contig"].unique().tolist()
    without = [contig for contig in contigs if not spellings(contig, covered)]
    if len(without) == len(contigs):
        few = ", ".join(sorted(covered, key=_natural)[:3])
        fact = f"shares no contig with the genotypes ({few} against {', '.join(contigs[:3])})"
        raise BadInput(genes, fact, "give genes of the same species and build, or leave `genes` out for windows")
    if without:
        logger.warning("%s: no genes on %s: blocks there are windows", genes, ", ".join(without))
