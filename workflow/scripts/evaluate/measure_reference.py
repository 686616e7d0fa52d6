"""Measure what depends on real samples alone and what a suite of metrics needs, once for all generators."""

from importlib import import_module
from typing import TYPE_CHECKING

from syngeno import logs
from syngeno.data import cohort, genetic_map, samples
from syngeno.data.store import open_store
from syngeno.evaluate import references

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logs.start(snakemake.log[0])
source, name = snakemake.input, snakemake.wildcards.suite
suite = import_module(f"syngeno.{snakemake.params.module}")
table, training = (samples.read_judged(path, snakemake.params.labels) for path in (source.samples, source.training))
parts = {"train": training} | {part: table[table["split"] == part] for part in ("test", "validation")}
machine = {"threads": snakemake.threads, "memory_mb": snakemake.resources.mem_mb // 2} if name == "imputation" else {}

with open_store(source.genotypes) as store:
    places = genetic_map.read(source.genetic_map).place(store.contig, store.position) if source.genetic_map else None
    asked = {"haplotypes": name in ("fidelity", "imputation"), "cm": places}
    real = {part: cohort.real_cohort(store, parts[part], **asked) for part in suite.COHORTS}
found = suite.reference(**real, seed=int(snakemake.wildcards.seed), **machine, **snakemake.params.settings)

references.save(found, snakemake.output.reference)
logger.info("%s by %s", snakemake.output.reference, ", ".join(f"{len(real[part])} {part} samples" for part in real))
