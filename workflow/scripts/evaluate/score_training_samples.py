"""Score all training samples of a cohort by a synthetic cohort, whether its generator was fitted on them or not."""

import os
from typing import TYPE_CHECKING

from syngeno import logs
from syngeno.data import cohort, genetic_map, samples
from syngeno.data.store import open_store
from syngeno.evaluate.attacks import shadows

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logs.start(snakemake.log[0])
os.umask(0o077)  # the scores name real samples: readable by their owner only
source, params = snakemake.input, snakemake.params
table, training = (samples.read_judged(path, params.labels) for path in (source.samples, source.training))
left_out = table[(table["split"] == "train") & ~table.index.isin(training.index)]

with open_store(source.genotypes) as store:
    asked = {"haplotypes": True, "cm": genetic_map.places(store.contig, store.position, source.genetic_map)}
    synthetic = cohort.synthetic_cohort(source.store, source.labels, params.label, store, training, **asked)
    fitted, others, reference = (
        cohort.real_cohort(store, part, **asked) for part in (training, left_out, table[table["split"] == "validation"])
    )
    scored = shadows.scores(synthetic, fitted, others, reference, snakemake.threads)

scored.to_csv(snakemake.output.scores, sep="\t", index=False, float_format="%.8g")
logger.info("%d samples that the generator was fitted on and %d others scored", len(fitted), len(others))
