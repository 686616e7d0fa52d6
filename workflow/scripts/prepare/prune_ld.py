"""Mark the variants of one chromosome that stay when linked ones are pruned."""

from typing import TYPE_CHECKING

import numpy as np

from syngeno import logs
from syngeno.data import samples
from syngeno.data.store import open_store
from syngeno.prepare import ld_pruning

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logs.start(snakemake.log[0])
table, settings = samples.read_samples(snakemake.input.samples), snakemake.params.prune

with open_store(snakemake.input.store) as store:
    kept = ld_pruning.keep_unlinked(
        store.dosage_rows((table["split"] == "train").to_numpy()),
        window=settings["window"],
        step=settings["step"],
        r2=settings["r2"],
    )

np.save(snakemake.output.kept, kept)
logger.info("%d of %d variants kept", kept.sum(), len(kept))
