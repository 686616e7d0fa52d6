"""Measure nearest neighbours as the paper does, among a hundred people in the encoder's space."""

from typing import TYPE_CHECKING

import numpy as np

from syngeno import logs
from syngeno.data import cohort, samples
from syngeno.data.store import open_store
from syngeno.evaluate import adversarial_accuracy, metrics
from syngeno.models.latent import encoder

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logs.start(snakemake.log[0])
source, wildcards, data = snakemake.input, snakemake.wildcards, np.load(snakemake.input.latents)
table = samples.read_people(source.people)
with open_store(source.genotypes) as store:
    fitted = encoder.load(source.encoder, store.fingerprint())
    drawn = cohort.read_cohort(source.vcf, source.labels, snakemake.params.label, store)
    latents = encoder.of_shards(source.shards, fitted, drawn.dosages)
    heldout = encoder.encode(fitted, store.dosage_columns(store.rows(table.index[table["split"] == "test"])))

numbers = adversarial_accuracy.measure_few(
    latents,
    data["train"],
    heldout,
    data["validation"],
    seed=int(wildcards.seed),
    generator=wildcards.generator,
    fraction=int(wildcards.fraction),
    **snakemake.params.settings,
)

metrics.write(numbers, snakemake.output.metrics)
logger.info("%d numbers", len(numbers))
