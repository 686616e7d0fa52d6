"""Measure a synthetic cohort by the protocol of published figures."""

from typing import TYPE_CHECKING

from syngeno import logs
from syngeno.data import cohort, samples
from syngeno.data.store import open_store
from syngeno.evaluate import metrics, published

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logs.start(snakemake.log[0])
source, wildcards = snakemake.input, snakemake.wildcards
table = samples.read_samples(source.samples)

with open_store(source.genotypes) as store:
    rows = published.measure(
        cohort.synthetic_cohort(
            source.store,
            source.labels,
            snakemake.params.label,
            store,
            samples.read_samples(source.training),
            haplotypes=True,
        ),
        cohort.real_cohort(store, table[table["split"] == "test"], haplotypes=True),
    )

subject = {"generator": wildcards.generator, "fraction": int(wildcards.fraction), "seed": wildcards.seed}
metrics.write(metrics.table(rows, **subject, protocol="published"), snakemake.output.metrics)
logger.info("%d numbers", len(rows))
