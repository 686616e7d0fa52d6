"""Measure real samples against real samples: the envelope of one suite."""

from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING

from syngeno import logs
from syngeno.data import cohort, genetic_map, samples
from syngeno.data.store import open_store
from syngeno.evaluate import envelope

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logs.start(snakemake.log[0])
source, params, name = snakemake.input, snakemake.params, snakemake.wildcards.suite
suite = import_module(f"syngeno.{snakemake.params.module}")
table = samples.read_judged(source.samples, params.labels)
split = table["split"].value_counts()
shares = {part: split.get(part, 0) / split["train"] for part in ("test", "validation")}

with open_store(source.genotypes) as store:
    chart = genetic_map.read(source.genetic_map) if source.genetic_map else None
    cm = None if chart is None else chart.place(store.contig, store.position)
    real = cohort.real_cohort(store, table, haplotypes=name in ("fidelity", "audit"), cm=cm).in_canonical_order()
known = {"relatives": samples.read_relatives(source.relatives, table)} if source.relatives else {}
numbers = envelope.real_vs_real(
    partial(suite.measure, **params.settings, **known),
    real,
    shares={part: share for part, share in shares.items() if part in suite.COHORTS},
    splits=params.splits,
    seed=1,
)

numbers.to_csv(snakemake.output.envelope, sep="\t", index=False, float_format="%.6g")
logger.info("%d numbers over %d splits of %d samples", len(numbers), params.splits, len(table))
