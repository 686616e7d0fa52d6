"""Fit a generator on the training samples, going on from a saved state if there is one."""

import hashlib
import json
import math
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from syngeno import logs
from syngeno.data.store import open_store
from syngeno.models.base import TrainingData, generator_class
from syngeno.training.checkpoint import Checkpoint
from syngeno.workflow import cluster

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logs.start(snakemake.log[0])
source, output, params, seed = snakemake.input, snakemake.output, snakemake.params, int(snakemake.wildcards.seed)

with open_store(source.genotypes) as store:
    data = TrainingData.of(store, source, params.needs)
    # Complete; of these, the result depends on `params.settings` alone.
    settings = snakemake.config["generators"][snakemake.wildcards.generator]
    fitted_on = json.dumps([params.settings, seed, params.code, data.fingerprint()])
    checkpoint = Checkpoint(
        Path(params.state),
        hashlib.sha256(fitted_on.encode()).hexdigest(),
        every=settings.get("save_every", math.inf),
        until=cluster.until(),
    )
    fitted = generator_class(params.model).fit(
        data, settings, seed=seed, threads=snakemake.threads, checkpoint=checkpoint
    )

fitted.save(Path(output.model))
Path(output.chosen).write_text(json.dumps(fitted.chosen, indent=2) + "\n")
pd.DataFrame(fitted.history, columns=None if fitted.history else ["epoch"]).to_csv(
    output.history, sep="\t", index=False
)
Path(params.state).unlink(missing_ok=True)
logger.info("fitted on %d training samples, chosen: %s", len(data.rows), fitted.chosen)
