"""Measure a synthetic cohort by one battery of metrics."""

from importlib import import_module
from typing import TYPE_CHECKING

from syngeno import log, metrics, people, synthetic
from syngeno.store import open_store

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = log.start(snakemake.log[0])
battery, source, wildcards = (
    import_module(f"syngeno.{snakemake.wildcards.battery}"),
    snakemake.input,
    snakemake.wildcards,
)
table, members = people.read_people(source.people), people.read_people(source.members)

with open_store(source.genotypes) as store:
    rows = battery.measure(
        synthetic=synthetic.read_cohort(source.vcf, source.labels, snakemake.params.label, store),
        train=synthetic.real_cohort(store, members),
        test=synthetic.real_cohort(store, table[table["split"] == "test"]),
        seed=int(wildcards.seed),
        **snakemake.params.settings,
    )

numbers = metrics.table(rows, generator=wildcards.generator, fraction=int(wildcards.fraction), seed=wildcards.seed)
metrics.write(numbers, snakemake.output.metrics)
logger.info("%d numbers", len(numbers))
