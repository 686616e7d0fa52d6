"""Measure nearest neighbours as the paper does, among a hundred samples in the encoder's space."""

from typing import TYPE_CHECKING

import numpy as np

from syngeno import logs
from syngeno.data import samples
from syngeno.data.store import open_store
from syngeno.evaluate import adversarial_accuracy, metrics
from syngeno.models.latent import encoder

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logs.start(snakemake.log[0])
source, wildcards, settings = snakemake.input, snakemake.wildcards, snakemake.params.settings
real, table = np.load(source.latents), samples.read_samples(source.samples)
with open_store(source.genotypes) as store:
    fitted = encoder.load(source.encoder, store.fingerprint())
    heldout = encoder.encode(fitted, store.dosage_columns(store.rows(table.index[table["split"] == "test"])))
latents = real["train"]  # where training samples are judged in the place of synthetic ones
if source.synthetic:
    with open_store(source.synthetic) as drawn:
        latents = encoder.encode(fitted, drawn.dosages()) if drawn.latents_shape is None else drawn.latents

rows = adversarial_accuracy.measure_few(
    latents, real["train"], heldout, real["validation"], seed=int(wildcards.seed), **settings
)

subject = {"generator": wildcards.generator, "fraction": int(wildcards.fraction), "seed": wildcards.seed}
metrics.write(metrics.table(rows, protocol="paper", **subject), snakemake.output.metrics)
logger.info("%d numbers", len(rows))
