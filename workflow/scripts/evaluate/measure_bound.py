"""Bound how likely the masked diffusion finds held-out people, and ask it whom it knows."""

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from syngeno import logs
from syngeno.data import samples, sequences
from syngeno.data.store import open_store
from syngeno.evaluate import metrics
from syngeno.models.haplotype import model as haplotype_model
from syngeno.models.haplotype import prior, reranker

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logs.start(snakemake.log[0])
source, params, wildcards = snakemake.input, snakemake.params, snakemake.wildcards
model, fitted = reranker.load_model(source.model, hashlib.sha256(Path(source.founders).read_bytes()).hexdigest())
members, table = samples.read_people(source.members), samples.read_people(source.people)
test = table[table["split"] == "test"]
asked = pd.concat([members, test])

with open_store(source.genotypes) as store:
    nats = haplotype_model.nats(
        prior.load(source.founders),
        model,
        fitted,
        sequences.viewed(store, params.space),
        store.rows(asked.index),
        asked["label"].to_numpy(),
        seed=int(wildcards.seed),
        **params.sampler,
    )

heldout = nats[len(nats) // len(asked) * len(members) :]
rows = metrics.rows(heldout, test["label"].to_numpy())
subject = {"generator": wildcards.generator, "fraction": int(wildcards.fraction), "seed": wildcards.seed}
metrics.write(metrics.table(rows, **subject), snakemake.output.likelihood)

os.umask(0o077)  # the scores name real people: readable by their owner only
part = np.repeat(["member", "heldout"], [len(members), len(test)])
score = -nats.reshape(len(asked), -1).sum(1)
scores = pd.DataFrame({"sample": asked.index, "part": part, "score": score})
scores.to_csv(snakemake.output.scores, sep="\t", index=False, float_format="%.8g")
logger.info(
    "%.1f nats per sequence of members, %.1f of held-out people",
    *(-score[part == one].mean() * len(asked) / len(nats) for one in pd.unique(part)),
)
