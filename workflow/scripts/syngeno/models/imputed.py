"""Synthetic samples of few variants, imputed to many by Beagle from a reference panel, chromosome by chromosome.

Imputed samples are mosaics of the panel's haplotypes. A panel with samples of the cohort is refused: it would release
their haplotypes, and those of test samples would flatter every number. What may still leak is what the few variants
reveal, which the audit of the imputed cohort measures.
"""

import gzip
import logging
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pysam

from syngeno.data import genetic_map, vcf
from syngeno.data.beagle import Beagle
from syngeno.data.cohort import Cohort
from syngeno.data.records import spellings
from syngeno.data.store import Sites, Store
from syngeno.errors import BadInput
from syngeno.models import external
from syngeno.stats import kinship

log = logging.getLogger(__name__)

DISTINCTIVE = 1000  # variants at which no two samples are equal by chance
LEAST_TYPED = 10  # variants of a chromosome, fewer of which are too few for Beagle


def file_of(paths: Sequence[str | Path], contig: str) -> tuple[Path, str]:
    """The file of a panel that holds a chromosome, and the chromosome's name in it; BadInput where there is not one."""
    holding = []
    for path in paths:
        try:
            with pysam.TabixFile(str(path)) as file:
                holding += [(Path(path), name) for name in spellings(contig, file.contigs)]
        except (OSError, ValueError) as error:
            raise BadInput(path, "cannot be read as a VCF with an index beside it", "bgzip and tabix it") from error
    if len(holding) != 1:
        where = ", ".join(map(str, paths))
        fact = f"{len(holding) or 'no'} of the panel's files hold chromosome {contig}"
        raise BadInput(where, fact, "give a panel with one file for each chromosome, or one for all")
    return holding[0]


def read(paths: Sequence[str | Path], store: Store, contig: str) -> external.Oriented:
    """The panel's samples at the store's variants of a chromosome, and how the panel's alleles differ.

    Raises BadInput for a panel that lacks variants or their ALT, is not phased, or holds samples of the store (by their
    ids, or by genotypes that agree at all of `DISTINCTIVE` variants or more).
    """
    path, name = file_of(paths, contig)
    rows = np.flatnonzero(store.contig == contig)
    if not len(rows):
        raise BadInput(store.path, f"has no variants on chromosome {contig}", "leave it out of `chromosomes`")
    panel = external.read([path], sites_at(store.sites(), rows), region=name)
    calls = panel.calls
    if panel.bare.any():
        fact = f"has no ALT allele at {panel.bare.sum()} of the cohort's variants on chromosome {contig}"
        raise BadInput(path, fact, "give a panel with both alleles, or filter the cohort by it")
    if not calls.phased:
        raise BadInput(path, "is not phased", "phase the panel, or give one that is")
    same = set(calls.samples) & set(store.samples)
    if not same and len(rows) >= DISTINCTIVE:
        real = store.calls(rows[0], rows[-1] + 1).sum(axis=2, dtype=np.int8)
        known = {ours.tobytes() for ours in np.ascontiguousarray(real.T)}
        pairs = zip(calls.samples, calls.dosages, strict=True)
        same = {sample for sample, genotypes in pairs if genotypes.tobytes() in known}
    _refuse(path, same, len(calls.samples))
    return panel


def _refuse(where: object, same: set[str], count: int) -> None:
    if same:
        fact = f"{len(same)} of its {count} samples are samples of the cohort ({sorted(same)[0]})"
        raise BadInput(where, fact, "leave them out: imputed samples would have their haplotypes")


def impute(
    typed: vcf.Calls,
    at: Sites,
    store: Store,
    contig: str,
    paths: Sequence[str | Path],
    output: str | Path,
    *,
    cm: np.ndarray | None = None,
    seed: int,
    threads: int = 1,
    memory_mb: int = 4000,
) -> None:
    """Write samples with all variants that a panel has on a chromosome: a bgzipped VCF with its index.

    `typed` are the samples at the variants `at` of all chromosomes, phased or not. The panel (`paths`) must hold the
    store's variants on the chromosome, and these those of `at`. `cm` (variants,) are places of the store's variants on
    the genetic map, None for 1 cM per Mb. BadInput as by `read` and `typed_at`.
    """
    calls, exchanged, _ = read(paths, store, contig)
    path, name = file_of(paths, contig)
    rows = np.flatnonzero(store.contig == contig)
    chosen = typed_at(at, sites_at(store.sites(), rows), contig)
    here = np.flatnonzero(at.contig == contig)
    sizes = len(typed.samples), len(here), len(calls.samples)
    log.info("chromosome %s: %d samples with %d variants, a panel of %d samples", contig, *sizes)
    alleles = typed.alleles[:, :, here]
    flipped = exchanged[chosen]
    alleles[:, :, flipped] = 1 - alleles[:, :, flipped]
    sites = sites_at(at, here)
    ref, alt = np.where(flipped, sites.alt, sites.ref), np.where(flipped, sites.ref, sites.alt)
    named = np.full(len(here), name)
    sites = Sites(named, sites.position, sites.id, ref, alt, {name: 0})
    with tempfile.TemporaryDirectory(prefix="syngeno-panel-") as folder:
        folder = Path(folder)
        to_impute = vcf.Calls(typed.samples, alleles, typed.phased)
        vcf.write_vcf(folder / "typed.vcf.gz", sites, typed.samples, to_impute.chunks(), typed.phased)
        maps = {}
        if cm is not None:
            maps["map"] = folder / "map"
            genetic_map.write_plink(maps["map"], np.full(len(rows), name), store.position[rows], cm[rows])
        beagle = Beagle(folder, seed, threads, memory_mb)
        beagle.run(gt=folder / "typed.vcf.gz", ref=path.resolve(), chrom=name, out=folder / "imputed", **maps)
        _keep(folder / "imputed.vcf.gz", Path(output))


def typed_at(at: Sites, sites: Sites, contig: str) -> np.ndarray:
    """Where the variants `at` of a chromosome stand among `sites`, int; BadInput where they are too few, or others."""
    here = np.flatnonzero(at.contig == contig)
    if len(here) < LEAST_TYPED:
        fact = f"its cohort has {len(here)} variants on chromosome {contig}, from which nothing can be imputed"
        raise BadInput("source", fact, f"filter or prune it less, or leave chromosome {contig} out of `chromosomes`")
    place = vcf.places(sites)
    indices = [place.get(key) for key in vcf.places(sites_at(at, here))]
    if None in indices:
        absent = indices.count(None)
        fact = f"{absent} of its {len(indices)} variants on chromosome {contig} are none of the cohort to impute"
        raise BadInput("source", fact, "make both cohorts from the same files, with a filter as strict or stricter")
    return np.array(indices)


def typed_in(at: Sites, store: Store) -> np.ndarray:
    """Which of the store's variants are among `at`, bool (variants,); BadInput as `typed_at`."""
    typed, sites = np.zeros(len(store), dtype=bool), store.sites()
    for contig in dict.fromkeys(store.contig.tolist()):
        rows = np.flatnonzero(store.contig == contig)
        typed[rows[typed_at(at, sites_at(sites, rows), contig)]] = True
    return typed


def as_cohort(paths: Sequence[str | Path], store: Store, cm: np.ndarray | None = None) -> Cohort:
    """The panel's samples at all variants of the store, with their haplotypes; raises BadInput as `read`.

    And for samples whose kinship with one of the store is that of duplicates, whatever the genotyping errors.
    """
    contigs, where = list(dict.fromkeys(store.contig.tolist())), ", ".join(map(str, paths))
    panels = [read(paths, store, contig).calls for contig in contigs]
    if any(panel.samples != panels[0].samples for panel in panels):
        raise BadInput(where, "its files hold different samples", "give one panel")
    haplotypes = np.concatenate([panel.alleles for panel in panels], axis=2)
    dosages = haplotypes.sum(1, dtype=np.int8)
    if kinship.meaningful(len(contigs), len(store)):
        same = kinship.largest(dosages, store.dosages()) > dict(kinship.DEGREES)["duplicate"]
        _refuse(where, set(np.array(panels[0].samples)[same].tolist()), len(same))
    label = np.full(len(haplotypes), "panel")
    return Cohort(dosages, label, store.contig, store.position, store.block, haplotypes=haplotypes, cm=cm)


def sites_at(sites: Sites, rows: np.ndarray) -> Sites:
    """The variants at these indices."""
    fields = (getattr(sites, name)[rows] for name in ("contig", "position", "id", "ref", "alt"))
    return Sites(*fields, sites.contig_lengths)


def _keep(source: Path, output: Path) -> None:
    """Beagle's file without its date, so that the same samples give the same bytes."""
    with vcf.whole(output) as unfinished, gzip.open(source) as lines, pysam.BGZFile(str(unfinished), "wb") as file:
        for line in lines:
            if not line.startswith(b"##filedate"):
                file.write(line)
