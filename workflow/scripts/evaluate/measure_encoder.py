"""Measure how many genotypes of validation samples survive encoding and decoding."""

from typing import TYPE_CHECKING

import pandas as pd

from syngeno import logs, streams
from syngeno.data import samples
from syngeno.data.store import open_store
from syngeno.evaluate import metrics
from syngeno.models.latent import encoder

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logs.start(snakemake.log[0])
table = samples.read_samples(snakemake.input.samples)
validation = table[table["split"] == "validation"]
rng = streams.rng("encoder_concordance", int(snakemake.wildcards.seed))

with open_store(snakemake.input.genotypes) as store:
    fitted = encoder.load(snakemake.input.encoder, store.fingerprint())
    shares = encoder.concordance(fitted, store.dosages(store.rows(validation.index)), rng)

rows = [
    metrics.row("decode_concordance", share, group=group, against="validation", n=len(validation))
    for group, share in zip(("all", "most_likely"), shares, strict=True)
]
pd.DataFrame(rows).to_csv(snakemake.output.concordance, sep="\t", index=False)
logger.info("%.2f %% of held-out genotypes survive encoding and decoding", 100 * shares[0])
