"""Measure training samples by the protocol of published figures, and add these figures."""

from typing import TYPE_CHECKING

import pandas as pd

from syngeno import logs
from syngeno.data import cohort, samples
from syngeno.data.store import open_store
from syngeno.evaluate import metrics, published

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logs.start(snakemake.log[0])
source = snakemake.input
table = samples.read_samples(source.samples)

with open_store(source.genotypes) as store:
    rows = published.measure(
        cohort.real_cohort(store, table[table["split"] != "test"], haplotypes=True),
        cohort.real_cohort(store, table[table["split"] == "test"], haplotypes=True),
    )

ceiling = metrics.table(rows, generator="real train", fraction=None, seed=1, protocol="published")
metrics.write(pd.concat([ceiling, published.read_published(source.published)]), snakemake.output.metrics)
logger.info("%d numbers", len(rows))
