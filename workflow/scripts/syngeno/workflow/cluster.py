"""How large a prepared cohort is: what rules ask a cluster for follows from it.

Snakemake asks while it plans, where few packages are there.
"""

import csv
from pathlib import Path
from typing import NamedTuple


class Size(NamedTuple):
    """How many people, variants, and variants of the chromosome that has most."""

    people: int
    variants: int
    largest: int


def of_cohort(folder: Path) -> Size:
    """By the tables of people and of variants in the cohort's folder `prepare`."""
    with open(folder / "people.tsv") as people, open(folder / "variants.tsv") as variants:
        kept = [int(row["unlinked"]) for row in csv.DictReader(variants, delimiter="\t")]
        return Size(sum(1 for _ in people) - 1, sum(kept), max(kept))
