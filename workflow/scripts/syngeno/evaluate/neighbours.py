"""Nearest neighbours between cohorts by their genotypes, searched once for all suites.

Distances are L1 on dosages. Enough neighbours are kept of each sample to find the nearest among a random part of a
cohort, too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from syngeno.data.cohort import Cohort, same_variants
from syngeno.stats import nearest

# The real cohorts that `reference` and `measure` take.
COHORTS = ("train", "test", "validation")
COUNT = 32  # neighbours of each sample; among a quarter of a cohort two of them are hardly ever missing


@dataclass(frozen=True, eq=False)
class Neighbours:
    """Of each sample of one cohort the nearest of another, or of the same (itself left out), by the pair of cohorts.

    Attributes:
        distances: float32 (samples, k), ascending, by "one cohort, other cohort"; rows stand in canonical order.
        rows: int32 (samples, k), which samples these are in canonical order, -1 where there is none.
    """

    distances: dict[str, np.ndarray]
    rows: dict[str, np.ndarray]

    def of(self, one: str, other: str) -> nearest.Found:
        """Distances float64 and rows int64 of the nearest of another cohort; raises KeyError for an unknown pair."""
        pair = f"{one}, {other}"
        return self.distances[pair].astype(np.float64), self.rows[pair].astype(np.int64)


def reference(train: Cohort, test: Cohort, validation: Cohort | None = None, **_: object) -> Neighbours:
    """Neighbours among real samples; of validation samples, where they are given, the nearest one."""
    cohorts = {"train": train, "test": test}
    found = among(cohorts, [("train", "train"), ("test", "train"), ("test", "test")])
    if validation is None:
        return found
    nearest_one = among(cohorts | {"validation": validation}, [(name, "validation") for name in cohorts], count=1)
    return Neighbours(found.distances | nearest_one.distances, found.rows | nearest_one.rows)


def measure(synthetic: Cohort, train: Cohort, test: Cohort) -> Neighbours:
    """Neighbours of synthetic among real samples, of real among synthetic ones, and of synthetic ones among them."""
    pairs = [("synthetic", "synthetic"), ("train", "synthetic"), ("synthetic", "train")]
    pairs += [("test", "synthetic"), ("synthetic", "test")]
    return among({"synthetic": synthetic, "train": train, "test": test}, pairs)


def among(cohorts: Mapping[str, Cohort], pairs: Sequence[tuple[str, str]], count: int = COUNT) -> Neighbours:
    """The `count` nearest, by canonical order, for these pairs of cohorts; both ways at once where both are asked."""
    same_variants(*cohorts.values())
    dosages = {name: cohort.in_canonical_order().dosages for name, cohort in cohorts.items()}
    found: dict[str, nearest.Found] = {}
    for one, other in pairs:
        if f"{one}, {other}" in found:
            continue
        a, b = dosages[one], dosages[other]
        if one != other and (other, one) in pairs:
            found[f"{one}, {other}"], found[f"{other}, {one}"] = nearest.find_both_ways(a, b, "l1", count)
        else:
            found[f"{one}, {other}"] = nearest.find(a, b, "l1", exclude_self=one == other, count=count)
    return Neighbours(
        {pair: distances.astype(np.float32) for pair, (distances, _) in found.items()},
        {pair: rows.astype(np.int32) for pair, (_, rows) in found.items()},
    )
