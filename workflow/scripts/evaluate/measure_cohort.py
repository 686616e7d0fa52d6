"""Measure a synthetic cohort by one suite of metrics."""

from importlib import import_module
from typing import TYPE_CHECKING

from syngeno import logs
from syngeno.data import cohort, genetic_map, samples
from syngeno.data.store import open_store
from syngeno.evaluate import metrics, neighbours, references

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logs.start(snakemake.log[0])
source, wildcards = snakemake.input, snakemake.wildcards
suite = import_module(f"syngeno.{snakemake.params.module}")
table, training = (samples.read_judged(path, snakemake.params.labels) for path in (source.samples, source.training))
real = {
    "train": training,
    "test": table[table["split"] == "test"],
}

with open_store(source.genotypes) as store:
    places = genetic_map.read(source.genetic_map).place(store.contig, store.position) if source.genetic_map else None
    asked = {"haplotypes": wildcards.suite == "fidelity", "cm": places}
    cohorts = {part: cohort.real_cohort(store, real[part], **asked).in_canonical_order() for part in real}
    drawn = cohort.synthetic_cohort(source.store, source.labels, snakemake.params.label, store, real["train"], **asked)
cohorts["synthetic"] = drawn.in_canonical_order()
del drawn  # the same samples in another order
known = {"real": references.load(suite.Reference, source.reference)}
if source.to_real:
    known |= {part: references.load(neighbours.Neighbours, source[part]) for part in ("among_real", "to_real")}
rows = suite.measure(**cohorts, **known, seed=int(wildcards.seed), **snakemake.params.settings)

subject = {"generator": wildcards.generator, "fraction": int(wildcards.fraction), "seed": wildcards.seed}
metrics.write(metrics.table(rows, variant=wildcards.released.strip("/"), **subject), snakemake.output.metrics)
logger.info("%d numbers, beside %d training and %d test samples", len(rows), len(real["train"]), len(real["test"]))
