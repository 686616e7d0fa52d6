"""Draw real and synthetic people on one map of who is near whom."""

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
source, table = snakemake.input, samples.read_people(snakemake.input.people)
with open_store(source.genotypes) as store:
    fitted = encoder.load(source.encoder, store.fingerprint())
    heldout = encoder.encode(fitted, store.dosage_columns(store.rows(table.index[table["split"] == "test"])))
shards: dict[str, list] = {}
for path in source.shards:
    shards.setdefault(path.split("/")[-5], []).append(np.load(path)["latents"])

sets = dict(zip(neighbourhood.REAL, (np.load(source.latents)["train"], heldout), strict=True))
places = neighbourhood.embed(sets | {name: np.concatenate(one) for name, one in shards.items()}, seed=1)

style.save(neighbourhood.draw(places), snakemake.output.figure)
logger.info("%d sets of people", len(places))
