"""Score training and held-out samples by a fitted generator: its likelihood, and an attack on the model itself."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from syngeno import logs
from syngeno.data import samples
from syngeno.data.store import open_store
from syngeno.evaluate import metrics
from syngeno.models.base import TrainingData, generator_class

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logs.start(snakemake.log[0])
source, params, wildcards = snakemake.input, snakemake.params, snakemake.wildcards
table, training = (samples.read_judged(path, params.labels) for path in (source.samples, source.training))
test, seed = table[table["split"] == "test"], int(wildcards.seed)
left_out = table[(table["split"] == "train") & ~table.index.isin(training.index)] if params.left_out else table[:0]
chosen = pd.concat([training, left_out, test])
rows, scores = [], np.full(len(chosen), np.nan)

with open_store(source.genotypes) as store:
    data = TrainingData.of(store, source, params.needs)
    fitted = generator_class(params.model).load(Path(source.model), data, params.settings, threads=snakemake.threads)
    asked = store.rows(chosen.index), chosen["label"].to_numpy(str)
    if params.likelihood:
        # Training samples are scored only where the model itself is attacked.
        first = 0 if params.whitebox else len(training)
        log_p = fitted.log_prob(*(part[first:] for part in asked), seed=seed).reshape(len(chosen) - first, -1)
        rows = metrics.likelihood_rows(-log_p[len(log_p) - len(test) :].ravel(), test["label"].to_numpy(str))
        scores[first:] = log_p.sum(axis=1)
    elif params.whitebox:
        scores = fitted.member_score(*asked, seed=seed)
    if not params.whitebox:
        scores[:] = np.nan

subject = {"generator": wildcards.generator, "fraction": int(wildcards.fraction), "seed": wildcards.seed}
metrics.write(metrics.table(rows, **subject), snakemake.output.likelihood)
os.umask(0o077)  # the scores name real samples: readable by their owner only
part = np.repeat(["train", "left out", "test"], [len(training), len(left_out), len(test)])
scored = pd.DataFrame({"sample": chosen.index, "part": part, "score": scores}).dropna()
scored.to_csv(snakemake.output.scores, sep="\t", index=False, float_format="%.8g")
logger.info("%d numbers, %d samples scored", len(rows), len(scored))
