"""Measure how well a reference panel fills in held-out real samples that are typed as the synthetic ones are."""

from typing import TYPE_CHECKING

from syngeno import logs
from syngeno.data import cohort, genetic_map, samples
from syngeno.data.store import open_store
from syngeno.errors import BadInput
from syngeno.evaluate import imputation, metrics
from syngeno.models import imputed
from syngeno.workflow import tools

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logs.start(snakemake.log[0])
source, wildcards = snakemake.input, snakemake.wildcards
tools.require(tools.BEAGLE)
if set(samples.read_samples(source.training).index) != set(samples.read_samples(source.own).index):
    fact = "the samples to impute were drawn by a model of other training samples than this cohort's"
    raise BadInput(f"generators.{wildcards.generator}", fact, "give both cohorts the same labels and split")
table, training = (samples.read_judged(path, snakemake.params.labels) for path in (source.samples, source.training))

with open_store(source.typed) as store:
    at = store.sites()
with open_store(source.genotypes) as store:
    places = genetic_map.read(source.genetic_map).place(store.contig, store.position) if source.genetic_map else None
    rows = imputation.measure_panel(
        imputed.as_cohort(source.panel, store, places),
        cohort.real_cohort(store, table[table["split"] == "test"], cm=places),
        imputed.typed_in(at, store),
        cohort.real_cohort(store, training).frequency,
        seed=int(wildcards.seed),
        threads=snakemake.threads,
        memory_mb=snakemake.resources.mem_mb // 2,
    )

numbers = metrics.table(rows, generator=wildcards.generator, fraction=int(wildcards.fraction), seed=wildcards.seed)
metrics.write(numbers, snakemake.output.metrics)
logger.info("%d numbers", len(numbers))
