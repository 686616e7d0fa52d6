"""Encode members and validation people; measure what survives the way there and back."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from syngeno import encoder, log, metrics, people
from syngeno.store import open_store

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = log.start(snakemake.log[0])
table, members = people.read_people(snakemake.input.people), people.read_people(snakemake.input.members)
validation, labels = table[table["split"] == "validation"], sorted(table["label"].unique())
rng = np.random.default_rng([int(snakemake.wildcards.seed), 3])

with open_store(snakemake.input.genotypes) as store:
    fitted = encoder.load(snakemake.input.encoder, store.fingerprint())
    held_out = store.dosages(store.rows(validation.index))
    np.savez(
        snakemake.output.latents,
        train=encoder.encode(fitted, store.dosages(store.rows(members.index))),
        train_label=np.searchsorted(labels, members["label"]),
        validation=encoder.encode(fitted, held_out),
        validation_label=np.searchsorted(labels, validation["label"]),
        labels=np.array(labels),
        mask=fitted.mask,
    )

sampled, most_likely = encoder.concordance(fitted, held_out, rng)
rows = [
    metrics.row("decode_concordance", sampled, against="validation", n=len(validation)),
    metrics.row("decode_concordance", most_likely, group="most_likely", against="validation", n=len(validation)),
]
pd.DataFrame(rows).to_csv(snakemake.output.concordance, sep="\t", index=False)
logger.info("%.2f %% of held-out genotypes survive encoding and decoding", 100 * sampled)
