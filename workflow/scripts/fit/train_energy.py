"""Train what tells people from mosaics of founders, going on from a saved state if there is one."""

import hashlib
import json
import math
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from syngeno import logs
from syngeno.data import samples, sequences
from syngeno.data.store import open_store
from syngeno.models.haplotype import model as haplotype_model
from syngeno.models.haplotype import prior, reranker
from syngeno.training import loop
from syngeno.training.device import pick_device
from syngeno.workflow import cluster

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logs.start(snakemake.log[0])
source, params, wildcards = snakemake.input, snakemake.params, snakemake.wildcards
members, table = samples.read_people(source.members), samples.read_people(source.people)
validation = table[table["split"] == "validation"]
founders = Path(source.founders).read_bytes()
# Another kind of device draws other mosaics, which a saved state does not go on against.
settings = json.dumps([params.training, params.components, wildcards.seed, params.code, pick_device().type])
saving = loop.Saving(
    Path(params.state),
    hashlib.sha256(settings.encode() + founders).hexdigest(),
    every=snakemake.config["generators"][wildcards.generator]["training"]["save_every"],
    until=cluster.until(),
)

with open_store(source.genotypes) as store:
    model, fitted, history = haplotype_model.train(
        prior.load(source.founders),
        sequences.viewed(store, params.space),
        store.rows(members.index),
        members["label"].to_numpy(),
        store.rows(validation.index),
        validation["label"].to_numpy(),
        components=params.components,
        config=params.training,
        seed=int(wildcards.seed),
        saving=saving,
        threads=snakemake.threads,
    )

trained_on = hashlib.sha256(founders).hexdigest()
reranker.save_model(Path(snakemake.output.model), {**model, "trained_on": trained_on}, fitted)
pd.DataFrame(history).to_csv(snakemake.output.history, sep="\t", index=False)
Path(params.state).unlink()
best = min((row["validation_loss"] for row in history if row["kept"]), default=math.nan)
logger.info("%d epochs, best validation loss %.4f (0.6931: not to be told apart)", len(history), best)
