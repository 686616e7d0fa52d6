"""Measure how well the denoiser gives back people from each noise level."""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from syngeno import logs
from syngeno.evaluate import metrics
from syngeno.models.latent import losses
from syngeno.models.latent import model as latent_model

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logs.start(snakemake.log[0])
source, wildcards, latents = snakemake.input, snakemake.wildcards, Path(snakemake.input.latents).read_bytes()
model, data = latent_model.load_model(source.model, hashlib.sha256(latents).hexdigest()), np.load(source.latents)

rows = []
for part in ("train", "validation"):
    people, label = data[part], data[f"{part}_label"]
    errors = losses.errors(model, people, label, int(wildcards.seed), threads=snakemake.threads)
    rows += [
        metrics.row("reconstruction_error", error, group=f"noise {level:g}", against=part, n=len(people))
        for level, error in zip(losses.RECONSTRUCTION_LEVELS, errors, strict=True)
    ]

subject = {"generator": wildcards.generator, "fraction": int(wildcards.fraction), "seed": wildcards.seed}
metrics.write(metrics.table(rows, protocol="paper", **subject), snakemake.output.metrics)
logger.info("%d numbers", len(rows))
