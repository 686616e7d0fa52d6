"""Audit a synthetic cohort: copies, kinship, membership inference with and without plants, risk per person."""

import os
from typing import TYPE_CHECKING

import pandas as pd

from syngeno import logs
from syngeno.data import cohort, samples
from syngeno.data.store import open_store
from syngeno.evaluate import audit, metrics

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logs.start(snakemake.log[0])
os.umask(0o077)  # the table of people names real ones: readable by their owner only
source, wildcards, planted = snakemake.input, snakemake.wildcards, snakemake.params.planted
table, members = samples.read_people(source.people), samples.read_people(source.members)
scores = pd.read_csv(source.scores, sep="\t", dtype={"sample": str}, keep_default_na=False) if source.scores else None

with open_store(source.genotypes) as store:
    found = audit.run(
        synthetic=cohort.read_cohort(source.vcf, source.labels, snakemake.params.label, store),
        train=cohort.real_cohort(store, members),
        test=cohort.real_cohort(store, table[table["split"] == "test"]),
        reference=cohort.real_cohort(store, table[table["split"] == "validation"]),
        seed=int(wildcards.seed),
        planted=planted,
        member_scores=None if scores is None else scores.set_index("sample")["score"],
    )

subject = {"generator": wildcards.generator, "fraction": int(wildcards.fraction), "seed": wildcards.seed}
numbers = [
    metrics.table(found.rows, variant=wildcards.released.strip("/"), **subject),
    metrics.table(found.planted_rows, variant=f"planted {planted:g} %", **subject),
]
metrics.write(pd.concat(numbers, ignore_index=True), snakemake.output.metrics)
found.people.to_csv(snakemake.output.people, sep="\t", index=False, float_format="%.6g")
logger.info("%d of %d people are listed as copies", (found.people["listed"] != "").sum(), len(found.people))
