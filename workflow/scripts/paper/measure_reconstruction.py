"""Measure how well the denoiser reconstructs samples from each noise level."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from syngeno import logs
from syngeno.data.store import open_store
from syngeno.evaluate import metrics
from syngeno.models.base import TrainingData
from syngeno.models.latent import losses
from syngeno.models.latent.model import LatentDiffusion

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logs.start(snakemake.log[0])
source, params, wildcards = snakemake.input, snakemake.params, snakemake.wildcards
latents = np.load(source.latents)

with open_store(source.genotypes) as store:
    data = TrainingData.of(store, source, params.needs)
    fitted = LatentDiffusion.load(Path(source.model), data, params.settings, threads=snakemake.threads)

rows = []
for part in ("train", "validation"):
    x, label = latents[part], latents[f"{part}_label"]
    errors = losses.errors(fitted.model, x, label, int(wildcards.seed))
    rows += [
        metrics.row("reconstruction_error", error, group=f"noise {level:g}", against=part, n=len(x))
        for level, error in zip(losses.RECONSTRUCTION_LEVELS, errors, strict=True)
    ]

subject = {"generator": wildcards.generator, "fraction": int(wildcards.fraction), "seed": wildcards.seed}
metrics.write(metrics.table(rows, protocol="paper", **subject), snakemake.output.metrics)
logger.info("%d numbers", len(rows))
