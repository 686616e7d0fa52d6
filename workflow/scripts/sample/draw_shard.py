"""Draw one shard of synthetic people by masked diffusion."""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from syngeno import logs
from syngeno.data import samples
from syngeno.models.haplotype import model as haplotype_model
from syngeno.models.haplotype import prior, reranker

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logs.start(snakemake.log[0])
source, params, shard = snakemake.input, snakemake.params, int(snakemake.wildcards.shard)
trained_on = hashlib.sha256(Path(source.founders).read_bytes()).hexdigest()
model, fitted = reranker.load_model(source.model, trained_on)
members, table = samples.read_people(source.members), samples.read_people(source.people)
count = {None: len(members), "train": (table["split"] == "train").sum()}.get(params.people, params.people)
plan = samples.label_plan(members["label"], count, params.labels)
part = np.array_split(plan, params.shards)[shard - 1]

drawn = haplotype_model.draw(
    prior.load(source.founders),
    model,
    fitted,
    part,
    seed=int(snakemake.wildcards.seed),
    shard=shard,
    **params.sampler,
)

np.savez_compressed(snakemake.output.people, symbols=drawn, label=part)
logger.info("%d people drawn", len(part))
