"""Simulated cohorts by msprime, and simulated polygenic traits on simulated or real genotypes.

The embedded cohort has samples of three continents and of admixed descent. Its demography is the American admixture
model of Browning et al. (PLoS Genet 2018), which is the out-of-Africa model of Gravel et al. (PNAS 2011) with an
admixed population founded 12 generations ago. Chromosomes are simulated independently, so they are unlinked. Traits
follow the liability-threshold model (Falconer 1965).
"""

import gzip
import heapq
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from syngeno.data.records import Source
from syngeno.errors import BadInput
from syngeno.prepare.filters import biallelic_snps

logger = logging.getLogger(__name__)

POPULATIONS = {"AFR": "AFRICA", "EUR": "EURASIA", "EAS": "EURASIA", "ADX": "ADMIXED"}  # and their superpopulations
MUTATION_RATE = 2.36e-8  # per base and generation, with which the demography was fitted (Gravel et al. 2011)
RECOMBINATION_RATE = 1e-8
GENE_LENGTH = (10_000, 60_000)  # bp
GENE_GAP = 5_000  # bp, mean
OVERLAPPING = 0.1  # share of the genes that begin within the one before
COLUMN = "trait"
SITE = ["contig", "position", "ref", "alt"]
COMMON = 0.05  # causal variants have at least this minor-allele frequency


@dataclass(frozen=True)
class Chromosome:
    """Biallelic SNPs of one contig: `position` counts from 1, `haplotypes` is int8 (variants, samples, 2)."""

    contig: str
    length: int
    position: np.ndarray
    ref: np.ndarray
    alt: np.ndarray
    haplotypes: np.ndarray


@dataclass(frozen=True)
class SimulatedCohort:
    """What `simulate` returns: tables of samples, genes (BED) and causal variants (effect: see `assign`)."""

    chromosomes: list[Chromosome]
    samples: pd.DataFrame
    genes: pd.DataFrame
    causal: pd.DataFrame


def simulate(
    samples: int, contigs: int, length: float, seed: int, heritability: float, prevalence: float, causal: int
) -> SimulatedCohort:
    """Simulate `samples`, equal parts of the four populations, over `contigs` chromosomes of `length` bp.

    The contigs are called "1", "2" and so on. The trait has `causal` common variants (see `assign`). Same arguments,
    same cohort. Raises BadInput for chromosomes too short to hold the causal variants.
    """
    sizes = [len(part) for part in np.array_split(np.arange(samples), len(POPULATIONS))]
    # Shuffled, so that neither the order of the samples nor their ids reveal the population.
    order = np.random.default_rng([seed, 0]).permutation(samples)
    chromosomes = [_chromosome(str(c + 1), int(length), sizes, order, seed) for c in range(contigs)]
    cases, effects = _trait(chromosomes, heritability, prevalence, causal, np.random.default_rng([seed, 1]))
    population = np.repeat(list(POPULATIONS), sizes)[order]
    table = pd.DataFrame(
        {
            "sample": [f"SIM{number:05d}" for number in range(1, samples + 1)],
            "population": population,
            "superpopulation": [POPULATIONS[name] for name in population],
            "sex": np.random.default_rng([seed, 2]).choice(["female", "male"], samples),
            "case": np.where(cases, "case", "control"),
        }
    )
    genes = _genes(chromosomes, np.random.default_rng([seed, 3]))
    return SimulatedCohort(chromosomes, table, genes, effects)


def write_cohort(
    vcf_paths: list[str | Path],
    samples_path: str | Path,
    genes_path: str | Path,
    causal_path: str | Path,
    **settings: float,
) -> None:
    """Simulate a cohort with the settings of `simulate` and write it: a .vcf.gz with .tbi per chromosome, and tables.

    Same arguments, same bytes.
    """
    cohort = simulate(contigs=len(vcf_paths), **settings)
    for path, chromosome in zip(vcf_paths, cohort.chromosomes, strict=True):
        _write_vcf(Path(path), chromosome, cohort.samples["sample"].tolist())
        logger.info("contig %s: %d variants", chromosome.contig, len(chromosome.position))
    cohort.samples.to_csv(samples_path, sep="\t", index=False, lineterminator="\n")
    cohort.causal.to_csv(causal_path, sep="\t", index=False, lineterminator="\n", float_format="%.6g")
    bed = cohort.genes.to_csv(sep="\t", index=False, header=False, lineterminator="\n")
    Path(genes_path).write_bytes(gzip.compress(bed.encode(), mtime=0))


def _demography():
    import msprime

    model = msprime.Demography()
    for name, size, growth in (
        ("AFR", 14474, 0),
        ("EUR", 34039, 0.0038),
        ("EAS", 45852, 0.0048),
        ("ADX", 54664, 0.05),
        ("OOA", 1861, 0),
        ("AMH", 14474, 0),
        ("ANC", 7310, 0),
    ):
        model.add_population(name=name, initial_size=size, growth_rate=growth)
    model.set_symmetric_migration_rate(["AFR", "EUR"], 2.5e-5)
    model.set_symmetric_migration_rate(["AFR", "EAS"], 0.78e-5)
    model.set_symmetric_migration_rate(["EUR", "EAS"], 3.11e-5)
    model.add_admixture(12, derived="ADX", ancestral=["AFR", "EUR", "EAS"], proportions=[1 / 6, 2 / 6, 3 / 6])
    model.add_population_split(920, derived=["EUR", "EAS"], ancestral="OOA")
    model.add_symmetric_migration_rate_change(920, ["AFR", "OOA"], 15e-5)
    model.add_population_split(2040, derived=["OOA", "AFR"], ancestral="AMH")
    model.add_population_split(5920, derived=["AMH"], ancestral="ANC")
    return model


def _chromosome(contig: str, length: int, sizes: list[int], order: np.ndarray, seed: int) -> Chromosome:
    import msprime

    ancestry, mutations = np.random.default_rng([seed, 4, int(contig)]).integers(1, 2**31, 2)
    trees = msprime.sim_ancestry(
        dict(zip(POPULATIONS, sizes, strict=True)),
        demography=_demography(),
        sequence_length=length,
        recombination_rate=RECOMBINATION_RATE,
        random_seed=int(ancestry),
    )
    trees = msprime.sim_mutations(trees, rate=MUTATION_RATE, random_seed=int(mutations))
    sites, rows = [], []
    for variant in trees.variants():
        # A repeated mutation can leave a third allele, or one that no sample has.
        carried = np.unique(variant.genotypes)
        if len(carried) == 2 and carried[0] == 0:
            sites.append((int(variant.site.position) + 1, variant.alleles[0], variant.alleles[carried[1]]))
            rows.append((variant.genotypes != 0).astype(np.int8).reshape(-1, 2)[order])
    position, ref, alt = zip(*sites, strict=True) if sites else ((), (), ())
    haplotypes = np.array(rows, np.int8).reshape(-1, len(order), 2)
    sites = np.array(position, np.int64), np.array(ref, "U1"), np.array(alt, "U1")
    return Chromosome(contig, length, *sites, haplotypes)


def _trait(
    chromosomes: list[Chromosome], heritability: float, prevalence: float, causal: int, random: np.random.Generator
) -> tuple[np.ndarray, pd.DataFrame]:
    candidates = []
    for number, chromosome in enumerate(chromosomes):
        frequency = chromosome.haplotypes.mean(axis=(1, 2))
        common = np.flatnonzero(np.minimum(frequency, 1 - frequency) >= COMMON)
        candidates += [(number, row) for row in common]
    if len(candidates) < causal:
        fact = f"{causal} causal variants are asked for where {len(candidates)} variants are common"
        raise BadInput("simulate", fact, "raise `length` or lower `causal`")
    drawn = [candidates[index] for index in sorted(random.choice(len(candidates), causal, replace=False))]
    chosen = [(chromosomes[number], row) for number, row in drawn]
    dosages = np.array([one.haplotypes[row].sum(axis=1) for one, row in chosen])
    cases, effects = assign(dosages, heritability, prevalence, random)
    rows = [(one.contig, one.position[row], one.ref[row], one.alt[row]) for one, row in chosen]
    return cases, pd.DataFrame(rows, columns=SITE).assign(effect=effects)


def _genes(chromosomes: list[Chromosome], random: np.random.Generator) -> pd.DataFrame:
    """Lay genes along the chromosomes, most after a gap, some into the one before (0-based, end excluded)."""
    rows = []
    for chromosome in chromosomes:
        end = 0
        while True:
            size = int(random.integers(*GENE_LENGTH, endpoint=True))
            gap = int(random.exponential(GENE_GAP))
            overlap = min(size, end) // 4 if random.random() < OVERLAPPING else 0
            start = end - overlap if overlap else end + gap
            if start >= chromosome.length:
                break
            end = max(end, min(start + size, chromosome.length))
            rows.append((chromosome.contig, start, min(start + size, chromosome.length), f"GENE{len(rows) + 1:04d}"))
    return pd.DataFrame(rows, columns=["contig", "start", "end", "name"])


def _write_vcf(path: Path, chromosome: Chromosome, samples: list[str]) -> None:
    import pysam

    if path.suffixes[-2:] != [".vcf", ".gz"]:
        raise ValueError(f"{path} must end in .vcf.gz")
    header = [
        "##fileformat=VCFv4.2",
        "##source=syngeno simulation (msprime)",
        f"##contig=<ID={chromosome.contig},length={chromosome.length}>",
        '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">',
        "\t".join(["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", *samples]),
    ]
    cells = np.frombuffer(b"0|0\t" * len(samples), np.uint8).reshape(-1, 4).copy()
    cells[-1, 3] = ord("\n")
    with pysam.BGZFile(str(path), "w") as file:
        file.write(("\n".join(header) + "\n").encode())
        sites = zip(chromosome.position, chromosome.ref, chromosome.alt, chromosome.haplotypes, strict=True)
        for position, ref, alt, haplotypes in sites:
            cells[:, 0:3:2] = haplotypes + ord("0")
            file.write(f"{chromosome.contig}\t{position}\t.\t{ref}\t{alt}\t.\tPASS\t.\tGT\t".encode() + cells.tobytes())
    pysam.tabix_index(str(path), preset="vcf", force=True)


def assign(
    dosages: np.ndarray, heritability: float, prevalence: float, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Cases (samples,) and effects (variants,) of a trait, by the causal dosages (variants, samples), none constant.

    The variants explain the share `heritability` of the liability, the rest is noise, and the share `prevalence`
    of samples with the highest liability are cases. Effects are drawn per s.d. of dosage, and given as the change of
    the liability (variance 1) per ALT allele.
    """
    effects = random.normal(size=len(dosages)) / dosages.std(axis=1)
    genetic = effects @ dosages
    scale = np.sqrt(heritability) / genetic.std()
    noise = random.normal(size=dosages.shape[1]) * np.sqrt(1 - heritability)
    liability = (genetic - genetic.mean()) * scale + noise
    cases = np.zeros(len(liability), bool)
    cases[np.argsort(-liability, kind="stable")[: max(round(prevalence * len(liability)), 1)]] = True
    return cases, effects * scale


def simulate_trait(
    sources: Sequence[Source],
    contigs: Sequence[str],
    samples: Sequence[str],
    *,
    heritability: float,
    prevalence: float,
    causal: int,
    seed: int,
    pass_only: bool = False,
) -> tuple[np.ndarray, pd.DataFrame]:
    """Draw `causal` variants among the common biallelic SNPs of all samples, and a trait by them.

    Returns cases, bool in the order of `samples`, and the causal variants: contig, position, ref, alt, effect (see
    `assign`), by contig as given and by position. Variants with a missing call are no candidates. One pass, which
    holds the genotypes of `causal` variants. Raises BadInput where fewer are common.
    """
    # Every common variant draws a number; the smallest are causal. Which those are is known only at the end.
    random, drawn, common = np.random.default_rng([seed, 0]), [], 0
    for rank, contig in enumerate(contigs):
        for record, _ in biallelic_snps(sources, contig, samples, Counter(), pass_only):
            calls = record.calls
            if calls.min() < 0 or not COMMON <= calls.mean() <= 1 - COMMON:
                continue
            common += 1
            site = (-random.random(), rank, record.position, (contig, record.ref, record.alt), calls.sum(axis=1))
            if len(drawn) < causal:
                heapq.heappush(drawn, site)
            elif site[0] > drawn[0][0]:
                heapq.heapreplace(drawn, site)
    if common < causal:
        fact = f"{causal} causal variants are asked for where {common} variants are common and called in all samples"
        raise BadInput("run file, trait.causal", fact, f"give at most {common}")
    drawn.sort(key=lambda site: site[1:3])
    dosages = np.array([site[4] for site in drawn])
    cases, effects = assign(dosages, heritability, prevalence, np.random.default_rng([seed, 1]))
    rows = [(contig, position, ref, alt) for _, _, position, (contig, ref, alt), _ in drawn]
    return cases, pd.DataFrame(rows, columns=SITE).assign(effect=effects)


def add(table: pd.DataFrame, samples: Sequence[str], cases: np.ndarray, where: str | Path) -> pd.DataFrame:
    """The table of samples (with a column sample), only `samples` of them, with "case" or "control" in `COLUMN`.

    Raises BadInput, naming `where`, for a table that has such a column.
    """
    if COLUMN in table.columns:
        raise BadInput(where, f"has a column `{COLUMN}` already", "rename it, or leave out `trait` of the cohort")
    status = dict(zip(samples, np.where(cases, "case", "control"), strict=True))
    return table[table["sample"].isin(status)].assign(**{COLUMN: table["sample"].map(status)})
