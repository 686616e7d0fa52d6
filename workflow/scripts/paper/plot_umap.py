"""Draw real and synthetic samples on one map of their neighbourhoods."""

from typing import TYPE_CHECKING

import numpy as np

from syngeno import logs
from syngeno.data import samples
from syngeno.data.store import open_store
from syngeno.models.latent import encoder
from syngeno.report import style
from syngeno.report.figures import neighbourhood

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logs.start(snakemake.log[0])
source, table = snakemake.input, samples.read_samples(snakemake.input.samples)
with open_store(source.genotypes) as store:
    fitted = encoder.load(source.encoder, store.fingerprint())
    heldout = encoder.encode(fitted, store.dosage_columns(store.rows(table.index[table["split"] == "test"])))
sets = dict(zip(neighbourhood.REAL, (np.load(source.latents)["train"], heldout), strict=True))
for name, path in zip(snakemake.params.generators, source.synthetic, strict=True):
    with open_store(path) as drawn:
        sets[name] = drawn.latents

style.save(neighbourhood.draw(neighbourhood.embed(sets, seed=1)), snakemake.output.figure)
logger.info("%d sets of samples", len(sets))
