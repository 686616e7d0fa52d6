"""Audit a synthetic cohort: duplicates, kinship, membership inference with and without canaries, risk of samples."""

import os
from typing import TYPE_CHECKING

import pandas as pd

from syngeno import logs
from syngeno.data import cohort, genetic_map, samples
from syngeno.data.store import open_store
from syngeno.evaluate import audit, membership, metrics, neighbours, references

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logs.start(snakemake.log[0])
os.umask(0o077)  # the table of samples names real ones: readable by their owner only
source, wildcards, canaries = snakemake.input, snakemake.wildcards, snakemake.params.canaries
table, training = (samples.read_judged(path, snakemake.params.labels) for path in (source.samples, source.training))
scores = pd.read_csv(source.scores, sep="\t", dtype={"sample": str}, keep_default_na=False) if source.scores else None

with open_store(source.genotypes) as store:
    asked = {"haplotypes": True, "cm": genetic_map.places(store.contig, store.position, source.genetic_map)}
    found = audit.run(
        synthetic=cohort.synthetic_cohort(
            source.store, source.labels, snakemake.params.label, store, training, **asked
        ),
        train=cohort.real_cohort(store, training, **asked),
        test=cohort.real_cohort(store, table[table["split"] == "test"], **asked),
        validation=cohort.real_cohort(store, table[table["split"] == "validation"], **asked),
        seed=int(wildcards.seed),
        real=references.load(audit.Reference, source.reference),
        among_real=references.load(neighbours.Neighbours, source.among_real),
        to_real=references.load(neighbours.Neighbours, source.to_real),
        planted=canaries,
        threads=snakemake.threads,
        relatives=samples.read_relatives(source.relatives, table),
        model_scores=None if scores is None else scores.set_index("sample")["score"],
    )

subject = {"generator": wildcards.generator, "fraction": int(wildcards.fraction), "seed": wildcards.seed}
numbers = [metrics.table(found.rows, variant=wildcards.released.strip("/"), **subject)]
numbers += [
    metrics.table(rows, variant=f"{membership.PLANTED} {canaries:g} %, {kind}", **subject)
    for kind, rows in found.planted_rows.items()
]
metrics.write(pd.concat(numbers, ignore_index=True), snakemake.output.metrics)
found.samples.to_csv(snakemake.output.audited, sep="\t", index=False, float_format="%.6g")
logger.info("%d of %d samples are listed as duplicates", (found.samples["listed"] != "").sum(), len(found.samples))
