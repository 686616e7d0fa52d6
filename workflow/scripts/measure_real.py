"""Measure real people against real people: the envelope of one battery."""

from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING

from syngeno import envelope, log, people, synthetic
from syngeno.store import open_store

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = log.start(snakemake.log[0])
battery = import_module(f"syngeno.{snakemake.wildcards.battery}")
table = people.read_people(snakemake.input.people)
split = table["split"].value_counts()

with open_store(snakemake.input.genotypes) as store:
    real = synthetic.real_cohort(store, table)
numbers = envelope.real_vs_real(
    partial(battery.measure, **snakemake.params.settings),
    real,
    share_test=split["test"] / split["train"],
    splits=snakemake.params.splits,
    seed=1,
)

numbers.to_csv(snakemake.output.envelope, sep="\t", index=False, float_format="%.6g")
logger.info("%d numbers over %d splits of %d people", len(numbers), snakemake.params.splits, len(table))
