"""Relatives among the samples of a cohort, found before the split, so that it can keep them on one side.

Nothing is fitted here: KING-robust needs no frequencies, and variants are taken for being common among all samples and
far apart, as kinship asks for, whatever is kept later.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from syngeno.data import samples as tables
from syngeno.data.records import BASES, Record, Source
from syngeno.errors import BadInput
from syngeno.stats import kinship

logger = logging.getLogger(__name__)

MOST = 20_000  # variants that are looked at
WINDOW = 2**14  # base pairs that an index tells apart: windows that begin there are found without reading on
APART = 50_000  # base pairs between variants that are counted as independent
COMMON, CALLED = 0.05, 0.95  # least minor-allele frequency and share of samples with a call
LONGEST = 250_000_000  # base pairs of a human chromosome, where no file says
TRIED = 50  # records of a window, at most
LEAST_ALIKE = 1000  # variants of which identical genotypes are no chance
FEW = 5 * LEAST_ALIKE  # records that are read where only such duplicates can be told
LARGEST = 0.1  # share of the samples that one family may have
TOGETHER = "(together)"  # a column for `samples.split`; the parentheses keep it from meeting one of a user
NO_PAIRS = pd.DataFrame({"sample_a": [], "sample_b": [], "kinship": [], "degree": []}).astype({"kinship": float})


class Spread(NamedTuple):
    """Common variants spread over the genome: `dosages` int8 (samples, variants), -1 for missing, and their places."""

    dosages: np.ndarray
    contig: np.ndarray
    position: np.ndarray

    @property
    def independent(self) -> int:
        """How many of the variants are `APART`."""
        return len({*zip(self.contig.tolist(), (self.position // APART).tolist(), strict=True)})


def read_spread(sources: Sequence[Source], contigs: Sequence[str], samples: Sequence[str], pass_only: bool) -> Spread:
    """Common biallelic SNPs: all where the files hold few records, else one a window, or the first of each contig.

    The latter where the records lie in so few places that windows would give too few to tell duplicates.
    """
    counts = [source.counts.get(name) for source in sources for name in source.contigs]
    if None not in counts and sum(counts) <= MOST:
        return _collect(
            (name, record)
            for source in sources
            for name in contigs
            for record in source.records(name, samples, pass_only=pass_only)
            if _common(record)
        )
    lengths = [max(source.contig_lengths.get(name, 0) for source in sources) or LONGEST for name in contigs]
    if sum(lengths) >= LEAST_ALIKE * WINDOW:
        spacing = max(sum(lengths) // (MOST * WINDOW), 1) * WINDOW
        spread = _collect(
            (name, record)
            for source in sources
            for name in contigs
            for window in source.spread(name, samples, spacing, pass_only=pass_only)
            if (record := next(filter(_common, islice(window, TRIED)), None))
        )
        if len(spread.position) >= LEAST_ALIKE:
            return spread
    return _collect(
        (name, record)
        for source in sources
        for name in contigs
        for record in islice(source.records(name, samples, pass_only=pass_only), FEW // len(contigs))
        if _common(record)
    )


def _collect(found: Iterable[tuple[str, Record]]) -> Spread:
    rows, contig, position = [], [], []
    for name, record in found:
        rows.append(np.where((record.calls < 0).any(axis=1), -1, record.calls.sum(axis=1)).astype(np.int8))
        contig.append(name)
        position.append(record.position)
    dosages = np.stack(rows, axis=1) if rows else np.empty((0, 0), np.int8)
    return Spread(dosages, np.array(contig, dtype=str), np.array(position, dtype=np.int64))


def _common(record: Record) -> bool:
    if record.calls is None or not {record.ref, record.alt} <= BASES:
        return False
    called = record.calls[(record.calls >= 0).all(axis=1)]
    frequency = called.mean() if len(called) else 0
    return len(called) >= CALLED * len(record.calls) and min(frequency, 1 - frequency) >= COMMON


def find(spread: Spread, samples: Sequence[str], pedigree: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """Pairs of relatives, as `kinship.relatives` gives them, and how they were looked for: by "kinship", "genotypes",
    "pedigree", or "nothing".

    Kinship decides where it can be told. Else those with identical genotypes are pairs, and those of the `pedigree`.
    """
    samples = list(samples)
    if kinship.meaningful(len(set(spread.contig.tolist())), spread.independent):
        return kinship.relatives(_filled(spread.dosages), samples), "kinship"
    whole = spread.dosages[:, (spread.dosages >= 0).all(axis=0)]
    compared = whole.shape[1] >= LEAST_ALIKE
    found = [kinship.identical(whole, samples)] if compared else []
    found += [pedigree] if len(pedigree) else []
    pairs = pd.concat([NO_PAIRS, *(table for table in found if len(table))], ignore_index=True)
    ways = ["genotypes"] * compared + ["pedigree"] * (len(pedigree) > 0)
    return pairs.drop_duplicates(["sample_a", "sample_b"], ignore_index=True), " and ".join(ways) or "nothing"


def _filled(dosages: np.ndarray) -> np.ndarray:
    """Dosages with the most frequent one of the variant where a call is missing."""
    filled = dosages.copy()
    for site in np.flatnonzero((dosages < 0).any(axis=0)):
        column = filled[:, site]
        column[column < 0] = np.bincount(column[column >= 0]).argmax()
    return filled


def in_pedigree(families: pd.DataFrame | None, samples: Sequence[str]) -> pd.DataFrame:
    """Parents with their children, and full siblings, by a .fam: family, sample, father and mother ("0": unknown).

    Pairs as `kinship.relatives` gives them, with the kinship that is expected.
    """
    if families is None:
        return NO_PAIRS
    table = families[families["sample"].isin(samples)]
    pairs = []
    named = set(zip(table["family"], table["sample"], strict=True))
    for parent in ("father", "mother"):
        for family, child, name in zip(table["family"], table["sample"], table[parent], strict=True):
            if (family, name) in named and name != child:
                pairs.append((name, child))
    both = table[(table["father"] != "0") & (table["mother"] != "0")]
    for _, siblings in both.groupby(["family", "father", "mother"])["sample"]:
        pairs += [(siblings.iloc[0], other) for other in siblings.iloc[1:]]
    found = pd.DataFrame(pairs, columns=["sample_a", "sample_b"])
    return found.assign(kinship=0.25, degree="first")


def families(pairs: pd.DataFrame, samples: Sequence[str]) -> tuple[pd.Series, str]:
    """The family of each sample (see `joined`), and the degree up to which pairs count.

    All pairs count, unless that would chain more than the share `LARGEST` of the samples to one family: then only first
    degree and duplicates, then only duplicates, else none (""); a warning says so.
    """
    for degrees in (["second", "first", "duplicate"], ["first", "duplicate"], ["duplicate"]):
        counted = pairs[pairs["degree"].isin(degrees)]
        number = np.tile(np.arange(len(counted)).astype(str), 2)
        family = joined(samples, pd.Series(number, [*counted["sample_a"], *counted["sample_b"]], dtype=str))
        largest = family[family != ""].value_counts().max() if len(counted) else 0
        if largest > max(LARGEST * len(samples), 2):
            logger.warning("%s degree would chain %d samples to one family: not kept together", degrees[0], largest)
        elif len(counted) or degrees[0] == "second":
            return family, degrees[0]
    return pd.Series("", pd.Index(samples), name="family"), ""


def joined(samples: Sequence[str], *groups: pd.Series) -> pd.Series:
    """The family of each sample, named by the least of its ids, "" for none: all whom groups connect, also indirectly.

    A group is what has the same value in one of the Series, which are indexed by sample; "" is none.
    """
    samples = pd.Index(samples)
    groups = [group[(group != "").to_numpy() & group.index.isin(samples)] for group in groups]
    keys = pd.concat([f"{number} " + group for number, group in enumerate(groups)])
    codes, names = pd.factorize(keys)
    size = len(samples) + len(names)
    edges = coo_array((np.ones(len(keys)), (samples.get_indexer(keys.index), len(samples) + codes)), shape=(size, size))
    component = connected_components(edges, directed=False)[1][: len(samples)]
    ids = pd.Series(samples, samples).groupby(component)
    # "of", so that none has the name of a missing value.
    return ("of " + ids.transform("min").astype(str)).where((ids.transform("size") > 1).to_numpy(), "").rename("family")


def split_together(
    labels: pd.DataFrame, shares: Mapping[str, float], seed: int, family: str | None, found: pd.Series
) -> pd.Series:
    """`samples.split`, with the families `found` kept together as well as those of the column `family`.

    Where a class would then be too small to be divided, only the column counts, and a warning says so.
    """
    if (found == "").all():
        return tables.split(labels, shares, seed, family)
    groups = [found, labels[family].replace(list(tables.NO_FAMILY), "")] if family else [found]
    together = labels.assign(**{TOGETHER: joined(labels.index, *groups)})
    try:
        return tables.split(together, shares, seed, TOGETHER)
    except BadInput as error:
        parts = tables.split(labels, shares, seed, family)
        logger.warning("relatives are not kept on one side of the split: else %s", error.fact)
        return parts
