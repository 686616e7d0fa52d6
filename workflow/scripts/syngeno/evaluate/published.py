"""Figures that are compared with the literature, computed as there, and the literature's own.

The protocol of Dang et al. (2023) and of those before them on haplotypes of one region: "real" is the held-out test
set; principal axes are refitted on test and the model's sample together, centred and unscaled; distances on them
are those of `structure`; pairwise Hamming distances are compared as distributions. What it can give at best is what
real people give who are not in the test set: their value, measured alike, is the ceiling. On the published split of
`kg3_chr15_10k` all 4,006 haplotypes outside the test fifth (training and validation people together) give 1.459,
.00262 and 10.7 / 5.3 as published; other samples, smaller or drawn from fewer people, do not.
"""

import logging
from pathlib import Path

import numpy as np
import pandas as pd

from syngeno.data.cohort import Cohort, same_variants
from syngeno.errors import BadInput
from syngeno.evaluate import metrics
from syngeno.evaluate.metrics import row
from syngeno.stats import pairwise, structure
from syngeno.stats.pca import fit_axes

PROTOCOL = "published"
COLUMNS = ["generator", "metric", "group", "against", "value"]

log = logging.getLogger(__name__)


def measure(synthetic: Cohort, test: Cohort) -> list[dict]:
    """The numbers of the published protocol, as metric rows against test; n counts the sample's haplotypes.

    wasserstein_pc1_6 (all: the sum; each axis), sinkhorn_pc1_2 (all; "test": of the test set to itself, the least
    that can be), distance_within_w1 and distance_between_w1 (Wasserstein distance of the distribution of Hamming
    distances within the sample, and between sample and test, to that within test). Give real people from outside
    the test set for the ceiling.

    Args:
        synthetic: the sample; nothing comes back (and the log says so) where it or test is not phased.
        test: held-out people over the same variants.

    Raises:
        ValueError: the cohorts differ in their variants, or one is empty.
    """
    same_variants(synthetic, test)
    if synthetic.haplotypes is None or test.haplotypes is None:
        log.warning("the published protocol is about haplotypes, and these genotypes are not phased: nothing measured")
        return []
    ours, real = (cohort.in_canonical_order().haplotypes.reshape(2 * len(cohort), -1) for cohort in (synthetic, test))
    return [*_axes(ours, real), *_distances(ours, real)]


def read_published(path: str | Path) -> pd.DataFrame:
    """Published figures as a metrics table: protocol "published", each generator named "X (published)".

    Args:
        path: TSV with the columns generator, metric, group, against, value; lines of # before them say where the
            figures come from.

    Raises:
        BadInput: the file has other columns, gives a number twice, or a value is none.
    """
    try:
        figures = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False, comment="#")
    except (OSError, ValueError) as error:
        raise BadInput(path, f"cannot be read as published figures ({error})", "give a TSV") from error
    if list(figures.columns) != COLUMNS:
        raise BadInput(path, f"has the columns {', '.join(figures.columns)}", f"give {', '.join(COLUMNS)}")
    value = pd.to_numeric(figures["value"], errors="coerce")
    if value.isna().any():
        raise BadInput(path, f"has a value that is no number ({figures['value'][value.isna()].iloc[0]!r})", "mend it")
    twice = figures.duplicated(COLUMNS[:-1])
    if twice.any():
        raise BadInput(path, f"gives a number twice ({' '.join(figures[twice].iloc[0, :-1])})", "keep one")
    tables = [
        metrics.table(
            part.drop(columns="generator").to_dict("records"),
            generator=f"{name} (published)",
            fraction=None,
            seed="",
            protocol=PROTOCOL,
        )
        for name, part in figures.assign(value=value).groupby("generator", sort=False)
    ]
    return pd.concat(tables, ignore_index=True)


def _axes(ours: np.ndarray, real: np.ndarray) -> list[dict]:
    axes = fit_axes(np.concatenate([real, ours]), structure.PCS)
    ours, real = axes.coordinates(ours), axes.coordinates(real)
    n = len(ours)
    distance = structure.wasserstein(ours, real)
    found = {f"PC{k + 1}": value for k, value in enumerate(distance)}
    if len(distance) == structure.PCS:
        found = {"all": distance.sum()} | found
    ours, real = ours[:, :2], real[:, :2]
    return [
        *(row("wasserstein_pc1_6", value, group=group, against="test", n=n) for group, value in found.items()),
        row("sinkhorn_pc1_2", structure.sinkhorn(ours, real), against="test", n=n),
        row("sinkhorn_pc1_2", structure.sinkhorn(real, real), group="test", against="test", n=len(real)),
    ]


def _distances(ours: np.ndarray, real: np.ndarray) -> list[dict]:
    within = pairwise.within(real)
    found = {
        "distance_within_w1": pairwise.wasserstein(pairwise.within(ours), within),
        "distance_between_w1": pairwise.wasserstein(pairwise.between(ours, real), within),
    }
    return [row(metric, value, against="test", n=len(ours)) for metric, value in found.items()]
