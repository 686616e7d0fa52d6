"""Draw one shard of synthetic people in the encoder's space."""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from syngeno import logs
from syngeno.data import samples
from syngeno.models.latent import model as latent_model

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logs.start(snakemake.log[0])
params, latents = snakemake.params, Path(snakemake.input.latents).read_bytes()
model = latent_model.load_model(snakemake.input.model, hashlib.sha256(latents).hexdigest())
members = samples.read_people(snakemake.input.members)
table = samples.read_people(snakemake.input.people)
count = {None: len(members), "train": (table["split"] == "train").sum()}.get(params.people, params.people)
plan = samples.label_plan(members["label"], count, params.labels)
shard = int(snakemake.wildcards.shard)
part = np.array_split(plan, params.shards)[shard - 1]

drawn = latent_model.draw(
    model,
    np.searchsorted(model["labels"], part),
    int(snakemake.wildcards.seed),
    shard=shard,
    threads=snakemake.threads,
    **params.sampler,
)

np.savez(snakemake.output.latents, latents=drawn, label=part)
logger.info("%d people drawn", len(part))
