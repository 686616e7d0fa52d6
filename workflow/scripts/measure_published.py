"""Measure a synthetic cohort by the protocol of published figures."""

from typing import TYPE_CHECKING

from syngeno import log, metrics, people, published, synthetic
from syngeno.store import open_store

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = log.start(snakemake.log[0])
source, wildcards = snakemake.input, snakemake.wildcards
table = people.read_people(source.people)

with open_store(source.genotypes) as store:
    rows = published.measure(
        synthetic.read_cohort(source.vcf, source.labels, snakemake.params.label, store, haplotypes=True),
        synthetic.real_cohort(store, table[table["split"] == "test"], haplotypes=True),
    )

subject = {"generator": wildcards.generator, "fraction": int(wildcards.fraction), "seed": wildcards.seed}
metrics.write(metrics.table(rows, **subject, protocol="published"), snakemake.output.metrics)
logger.info("%d numbers", len(rows))
