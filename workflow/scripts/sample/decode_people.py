"""Decode all shards and write them as one VCF with labels."""

from typing import TYPE_CHECKING

import numpy as np

from syngeno import logs
from syngeno.data import samples as data_samples
from syngeno.data import vcf
from syngeno.data.store import open_store
from syngeno.models.latent import encoder

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logs.start(snakemake.log[0])
shards = [np.load(path) for path in snakemake.input.shards]
latents, label = (np.concatenate([shard[name] for shard in shards]) for name in ("latents", "label"))
samples = vcf.synthetic_ids(len(label))
rng = np.random.default_rng([int(snakemake.wildcards.seed), 4])

with open_store(snakemake.input.genotypes) as store:
    fitted = encoder.load(snakemake.input.encoder, store.fingerprint())
    calls = vcf.unphased_calls(encoder.decode(fitted, latents, rng))
    vcf.write_vcf(snakemake.output.vcf, store.sites(), samples, calls, phased=False)
data_samples.write_labels(snakemake.output.labels, samples, label, snakemake.params.label)
logger.info("%d people", len(samples))
