"""Draw one shard of synthetic samples from a fitted generator."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from syngeno import logs
from syngeno.data import samples, store, vcf
from syngeno.models.base import TrainingData, generator_class

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logs.start(snakemake.log[0])
source, params, wildcards = snakemake.input, snakemake.params, snakemake.wildcards
table, training = samples.read_samples(source.samples), samples.read_samples(source.training)
shard, seed = int(wildcards.shard) - 1, int(wildcards.seed)
label = samples.labels_to_draw(table, training, params.size, params.labels)
# Shards beyond those of the cohort are more samples of the same labels.
part = np.array_split(np.arange(len(label)), params.shards)[shard % params.shards]

with store.open_store(source.genotypes) as cohort:
    data = TrainingData.of(cohort, source, params.needs)
    fitted = generator_class(params.model).load(Path(source.model), data, params.settings, threads=snakemake.threads)
    drawn = fitted.sample(label[part], seed=seed, shard=shard, **params.asked)
    ids = np.array(vcf.synthetic_ids(len(label)))[part].tolist()
    store.write_like(
        snakemake.output.store, cohort.sites(), ids, drawn.calls, phased=drawn.phased, latents=drawn.latents
    )
    if drawn.local_ancestry:
        drawn.local_ancestry.save(snakemake.output.ancestry)
logger.info("%d samples drawn", len(part))
