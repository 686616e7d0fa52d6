"""Impute held-out samples from synthetic and from training samples."""

from typing import TYPE_CHECKING

from syngeno import logs
from syngeno.data import cohort, genetic_map, samples
from syngeno.data.store import open_store
from syngeno.evaluate import imputation, metrics, references

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logs.start(snakemake.log[0])
source, wildcards = snakemake.input, snakemake.wildcards
table, training = (samples.read_judged(path, snakemake.params.labels) for path in (source.samples, source.training))

with open_store(source.genotypes) as store:
    places = genetic_map.read(source.genetic_map).place(store.contig, store.position) if source.genetic_map else None
    asked = {"haplotypes": True, "cm": places}
    rows = imputation.measure(
        synthetic=cohort.synthetic_cohort(
            source.store, source.labels, snakemake.params.label, store, training, **asked
        ),
        train=cohort.real_cohort(store, training, **asked),
        test=cohort.real_cohort(store, table[table["split"] == "test"], **asked),
        seed=int(wildcards.seed),
        real=references.load(imputation.Reference, source.reference),
        threads=snakemake.threads,
        memory_mb=snakemake.resources.mem_mb // 2,
        **snakemake.params.settings,
    )

numbers = metrics.table(rows, generator=wildcards.generator, fraction=int(wildcards.fraction), seed=wildcards.seed)
metrics.write(numbers, snakemake.output.metrics)
logger.info("%d numbers", len(numbers))
