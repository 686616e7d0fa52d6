"""Figures that are compared with the literature, computed as there, and the literature's own.

The protocol of Dang et al. (2023) and of those before them on haplotypes of one region: "real" is the held-out test
set; principal axes are refitted on test and the model's samples together, centred and unscaled; distances on them are
those of `structure`; pairwise Hamming distances are compared as distributions. The ceiling is what real samples give
that are not in the test set. On the published split of `kg3_chr15_10k` all 4,006 haplotypes outside the test fifth
(training and validation samples together) give 1.459, .00262 and 10.7 / 5.3 as published; fewer samples do not.
"""

import logging
from pathlib import Path

import numpy as np
import pandas as pd

from syngeno.data.cohort import Cohort, same_variants
from syngeno.errors import BadInput
from syngeno.evaluate import fidelity, metrics
from syngeno.evaluate.metrics import row
from syngeno.stats import pairwise, structure
from syngeno.stats.pca import fit_axes

PROTOCOL = "published"
COLUMNS = ["generator", "metric", "group", "against", "value"]

log = logging.getLogger(__name__)


def measure(synthetic: Cohort, test: Cohort) -> list[dict]:
    """The numbers of the published protocol, as metric rows against test; n counts synthetic haplotypes.

    They are named as in `fidelity`; sinkhorn_pc1_2 of the group "test" is that of the test set to itself, the least
    that can be. Nothing comes back (and the log says so) where one of the cohorts is not phased. Raises ValueError
    where they differ in their variants, or one is empty.
    """
    same_variants(synthetic, test)
    if synthetic.haplotypes is None or test.haplotypes is None:
        log.warning("the published protocol is about haplotypes, and these genotypes are not phased: nothing measured")
        return []
    ours, real = (cohort.in_canonical_order().haplotypes.reshape(2 * len(cohort), -1) for cohort in (synthetic, test))
    axes = fit_axes(np.concatenate([real, ours]), structure.PCS)
    ours_on_axes, real_on_axes = axes.coordinates(ours), axes.coordinates(real)
    pcs, real_pcs = ours_on_axes[:, :2], real_on_axes[:, :2]
    return [
        *fidelity.wasserstein_rows(ours_on_axes, real_on_axes),
        row("sinkhorn_pc1_2", structure.sinkhorn(pcs, real_pcs), against="test", n=len(ours)),
        row("sinkhorn_pc1_2", structure.sinkhorn(real_pcs, real_pcs), group="test", against="test", n=len(real)),
        *fidelity.distance_rows(ours, real, pairwise.within(real)),
    ]


def read_published(path: str | Path) -> pd.DataFrame:
    """Published figures of a table of `COLUMNS` as a metrics table: each generator is called "X (published)"."""
    figures = read_figures(path, COLUMNS)
    tables = [
        metrics.table(
            part.drop(columns="generator").to_dict("records"),
            generator=f"{name} (published)",
            fraction=None,
            seed="",
            protocol=PROTOCOL,
        )
        for name, part in figures.groupby("generator", sort=False)
    ]
    return pd.concat(tables, ignore_index=True)


def read_figures(path: str | Path, columns: list[str]) -> pd.DataFrame:
    """Read a TSV of printed figures, of which lines of # say where they come from: text, and the number `value`.

    Raises BadInput for other columns, a value that is no number, and a figure given twice.
    """
    try:
        figures = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False, comment="#")
    except (OSError, ValueError) as error:
        raise BadInput(path, f"cannot be read as a table of figures ({error})", "give a TSV") from error
    if list(figures.columns) != columns:
        raise BadInput(path, f"has the columns {', '.join(figures.columns)}", f"give {', '.join(columns)}")
    value = pd.to_numeric(figures["value"], errors="coerce")
    if value.isna().any():
        raise BadInput(path, f"has a value that is no number ({figures['value'][value.isna()].iloc[0]!r})", "mend it")
    twice = figures.duplicated(columns[:-1])
    if twice.any():
        raise BadInput(path, f"gives a figure twice ({' '.join(figures[twice].iloc[0, :-1])})", "keep one")
    return figures.assign(value=value)
