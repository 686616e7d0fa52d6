"""Draw one shard of synthetic people in the encoder's space."""

from typing import TYPE_CHECKING

import numpy as np

from syngeno import log, people, sampling, training

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = log.start(snakemake.log[0])
params, mask = snakemake.params, np.load(snakemake.input.latents)["mask"]
model = training.load_model(snakemake.input.model, mask)
members = people.read_people(snakemake.input.members)
plan = people.label_plan(members["label"], params.people or len(members), params.labels)
shard = int(snakemake.wildcards.shard)
part = np.array_split(plan, params.shards)[shard - 1]

latents = sampling.draw(
    model,
    np.searchsorted(model["labels"], part),
    int(snakemake.wildcards.seed),
    shard=shard,
    threads=snakemake.threads,
    **params.sampler,
)

np.savez(snakemake.output.latents, latents=latents, label=part)
logger.info("%d people drawn", len(part))
