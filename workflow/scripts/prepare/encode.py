"""Encode members and validation people."""

from typing import TYPE_CHECKING

import numpy as np

from syngeno import logs
from syngeno.data import samples
from syngeno.data.store import open_store
from syngeno.models.latent import encoder

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logs.start(snakemake.log[0])
table, members = samples.read_people(snakemake.input.people), samples.read_people(snakemake.input.members)
validation, labels = table[table["split"] == "validation"], sorted(table["label"].unique())

with open_store(snakemake.input.genotypes) as store:
    fitted = encoder.load(snakemake.input.encoder, store.fingerprint())
    np.savez(
        snakemake.output.latents,
        train=encoder.encode(fitted, store.dosage_columns(store.rows(members.index))),
        train_label=np.searchsorted(labels, members["label"]),
        validation=encoder.encode(fitted, store.dosage_columns(store.rows(validation.index))),
        validation_label=np.searchsorted(labels, validation["label"]),
        labels=np.array(labels),
        mask=fitted.mask,
    )

logger.info("%d members and %d validation people", len(members), len(validation))
