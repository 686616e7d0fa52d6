"""Train the diffusion model, going on from a saved state if there is one."""

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from syngeno import log, training

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = log.start(snakemake.log[0])
params, seed, data = snakemake.params, int(snakemake.wildcards.seed), np.load(snakemake.input.latents)
settings = dict(params.training)
save_every = settings.pop("save_every")
config = {**params.diffusion, **settings, "network": params.denoiser}
made_of = json.dumps([config, seed, params.code]).encode() + Path(snakemake.input.latents).read_bytes()

model, history = training.train(
    data["train"],
    data["train_label"],
    data["mask"],
    data["labels"].tolist(),
    validation=(data["validation"], data["validation_label"]),
    config=config,
    seed=seed,
    state_path=Path(params.state),
    fingerprint=hashlib.sha256(made_of).hexdigest(),
    threads=snakemake.threads,
    save_every=save_every,
)

training.save_model(Path(snakemake.output.model), model)
pd.DataFrame(history).to_csv(snakemake.output.history, sep="\t", index=False)
Path(params.state).unlink()
logger.info("%d epochs, best validation loss %.4f", len(history), min(row["validation_loss"] for row in history))
