"""Fit the encoder on the members."""

from typing import TYPE_CHECKING

from syngeno import encoder, log, people
from syngeno.store import open_store

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = log.start(snakemake.log[0])
members, settings = people.read_people(snakemake.input.members), snakemake.params.encoder

with open_store(snakemake.input.genotypes) as store:
    fitted = encoder.fit(
        store.dosage_columns(store.rows(members.index)),
        store.block,
        components=settings["components"],
        max_components=settings["max_components"],
    )
    encoder.save(snakemake.output.encoder, fitted, store.fingerprint())

logger.info("%d blocks, %d components, on %d people", len(fitted.mask), fitted.mask.sum(), len(members))
