"""A polygenic case/control trait on given genotypes, by the liability-threshold model (Falconer 1965)."""

import heapq
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from syngeno.data.records import Source
from syngeno.errors import BadInput
from syngeno.prepare.filters import biallelic_snps

COLUMN = "trait"
COMMON = 0.05  # causal variants have at least this minor-allele frequency


def assign(
    dosages: np.ndarray, heritability: float, prevalence: float, random: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Cases (people,) and effects (variants,) of a trait, by the causal dosages (variants, people), none constant.

    The variants explain the share `heritability` of the liability, the rest is noise, and the share `prevalence`
    of people that is highest are cases. Effects are drawn per s.d. of dosage, and given as the change of the
    liability (variance 1) per ALT allele.
    """
    effects = random.normal(size=len(dosages)) / dosages.std(axis=1)
    genetic = effects @ dosages
    scale = np.sqrt(heritability) / genetic.std()
    noise = random.normal(size=dosages.shape[1]) * np.sqrt(1 - heritability)
    liability = (genetic - genetic.mean()) * scale + noise
    cases = np.zeros(len(liability), bool)
    cases[np.argsort(-liability, kind="stable")[: max(round(prevalence * len(liability)), 1)]] = True
    return cases, effects * scale


def simulate(
    sources: Sequence[Source],
    contigs: Sequence[str],
    samples: Sequence[str],
    *,
    heritability: float,
    prevalence: float,
    causal: int,
    seed: int,
) -> tuple[np.ndarray, pd.DataFrame]:
    """Draw `causal` variants among the common biallelic SNPs of all people, and a trait by them.

    Returns cases, bool in the order of `samples`, and the causal variants: contig, position, ref, alt, effect (see
    `assign`), by contig as given and by position. Variants with a missing call are no candidates. One pass, which
    holds the genotypes of `causal` variants. Raises BadInput where fewer are common.
    """
    # Every common variant draws a number; the smallest are causal. Which those are is known only at the end.
    random, drawn, common = np.random.default_rng([seed, 0]), [], 0
    for rank, contig in enumerate(contigs):
        for record, order in biallelic_snps(sources, contig, samples, Counter()):
            calls = record.calls[order]
            if calls.min() < 0 or not COMMON <= calls.mean() <= 1 - COMMON:
                continue
            common += 1
            site = (-random.random(), rank, record.position, (contig, record.ref, record.alt), calls.sum(axis=1))
            if len(drawn) < causal:
                heapq.heappush(drawn, site)
            elif site[0] > drawn[0][0]:
                heapq.heapreplace(drawn, site)
    if common < causal:
        fact = f"{causal} causal variants are asked for where {common} variants are common and called in everybody"
        raise BadInput("run file, trait.causal", fact, f"give at most {common}")
    drawn.sort(key=lambda site: site[1:3])
    dosages = np.array([site[4] for site in drawn])
    cases, effects = assign(dosages, heritability, prevalence, np.random.default_rng([seed, 1]))
    rows = [(contig, position, ref, alt) for _, _, position, (contig, ref, alt), _ in drawn]
    return cases, pd.DataFrame(rows, columns=["contig", "position", "ref", "alt"]).assign(effect=effects)


def add(table: pd.DataFrame, samples: Sequence[str], cases: np.ndarray, where: str | Path) -> pd.DataFrame:
    """The table of people (with a column sample), only `samples` of them, with "case" or "control" in `COLUMN`.

    Raises BadInput, naming `where`, for a table that has such a column.
    """
    if COLUMN in table.columns:
        raise BadInput(where, f"has a column `{COLUMN}` already", "rename it, or leave out `trait` of the cohort")
    told = dict(zip(samples, np.where(cases, "case", "control"), strict=True))
    return table[table["sample"].isin(told)].assign(**{COLUMN: table["sample"].map(told)})
