"""Ask the denoiser whom it knows: its loss on members and on held-out people."""

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from syngeno import logs
from syngeno.data import samples
from syngeno.data.store import open_store
from syngeno.models.latent import encoder, losses
from syngeno.models.latent import model as latent_model

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logs.start(snakemake.log[0])
os.umask(0o077)  # the scores name real people: readable by their owner only
source, latents = snakemake.input, Path(snakemake.input.latents).read_bytes()
model, data = latent_model.load_model(source.model, hashlib.sha256(latents).hexdigest()), np.load(source.latents)
table, members = samples.read_people(source.people), samples.read_people(source.members)
test = table[table["split"] == "test"]

with open_store(source.genotypes) as store:
    fitted = encoder.load(source.encoder, store.fingerprint())
    heldout = encoder.encode(fitted, store.dosage_columns(store.rows(test.index)))

loss = losses.losses(
    model,
    np.concatenate([data["train"], heldout]),
    np.concatenate([data["train_label"], np.searchsorted(model["labels"], test["label"])]),
    int(snakemake.wildcards.seed),
    threads=snakemake.threads,
)

part = np.repeat(["member", "heldout"], [len(members), len(test)])
scores = pd.DataFrame({"sample": [*members.index, *test.index], "part": part, "score": -loss})
scores.to_csv(snakemake.output.scores, sep="\t", index=False, float_format="%.8g")
logger.info(
    "mean loss %.4f of members, %.4f of held-out people", *(loss[part == one].mean() for one in pd.unique(part))
)
