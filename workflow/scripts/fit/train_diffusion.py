"""Train the diffusion model, going on from a saved state if there is one."""

import hashlib
import json
import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from syngeno import logs
from syngeno.models.latent import model as latent_model
from syngeno.training import loop
from syngeno.workflow import cluster

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logs.start(snakemake.log[0])
params, wildcards = snakemake.params, snakemake.wildcards
latents, data = Path(snakemake.input.latents).read_bytes(), np.load(snakemake.input.latents)
config = {**params.diffusion, **params.training, "network": params.denoiser}
settings = json.dumps([config, wildcards.seed, params.code])
saving = loop.Saving(
    Path(params.state),
    hashlib.sha256(settings.encode() + latents).hexdigest(),
    every=snakemake.config["generators"][wildcards.generator]["training"]["save_every"],
    until=cluster.until(),
)

model, history = latent_model.train(
    data["train"],
    data["train_label"],
    data["mask"],
    data["labels"].tolist(),
    validation=(data["validation"], data["validation_label"]),
    config=config,
    seed=int(wildcards.seed),
    saving=saving,
    threads=snakemake.threads,
)

latent_model.save_model(Path(snakemake.output.model), {**model, "trained_on": hashlib.sha256(latents).hexdigest()})
pd.DataFrame(history).to_csv(snakemake.output.history, sep="\t", index=False)
Path(params.state).unlink()
best = min((row["validation_loss"] for row in history if row["kept"]), default=math.nan)
logger.info("%d epochs, best validation loss %.4f", len(history), best)
