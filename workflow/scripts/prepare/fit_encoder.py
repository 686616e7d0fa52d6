"""Fit the encoder on the training samples."""

from typing import TYPE_CHECKING

from syngeno import logs
from syngeno.data import samples
from syngeno.data.store import open_store
from syngeno.models.latent import encoder

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logs.start(snakemake.log[0])
training, settings = samples.read_samples(snakemake.input.training), snakemake.params.encoder

with open_store(snakemake.input.genotypes) as store:
    fitted = encoder.fit(
        store.dosage_columns(store.rows(training.index)),
        store.block,
        components=settings["components"],
        max_components=settings["max_components"],
    )
    encoder.save(snakemake.output.encoder, fitted, store.fingerprint())

logger.info("%d blocks, %d components, on %d samples", len(fitted.mask), fitted.mask.sum(), len(training))
