"""Encode training and validation samples."""

from typing import TYPE_CHECKING

import numpy as np

from syngeno import logs
from syngeno.data import samples
from syngeno.data.store import open_store
from syngeno.models.latent import encoder

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logs.start(snakemake.log[0])
table, training = samples.read_samples(snakemake.input.samples), samples.read_samples(snakemake.input.training)
validation, labels = table[table["split"] == "validation"], sorted(table["label"].unique())

with open_store(snakemake.input.genotypes) as store:
    fitted = encoder.load(snakemake.input.encoder, store.fingerprint())
    np.savez(
        snakemake.output.latents,
        train=encoder.encode(fitted, store.dosage_columns(store.rows(training.index))),
        train_label=np.searchsorted(labels, training["label"]),
        validation=encoder.encode(fitted, store.dosage_columns(store.rows(validation.index))),
        validation_label=np.searchsorted(labels, validation["label"]),
        labels=np.array(labels),
        mask=fitted.mask,
    )

logger.info("%d training and %d validation samples", len(training), len(validation))
