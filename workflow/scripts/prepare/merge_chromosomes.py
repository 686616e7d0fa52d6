"""Merge the kept variants of all chromosomes into one store with blocks."""

from contextlib import ExitStack
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from syngeno import logs
from syngeno.data.store import open_store
from syngeno.prepare import blocks, ld_pruning

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logs.start(snakemake.log[0])
counts = pd.concat([pd.read_csv(path, sep="\t", dtype={"contig": str}) for path in snakemake.input.counts])
kept = [np.load(path) for path in snakemake.input.kept]
genes = snakemake.input.get("genes")

with ExitStack() as opened:
    total = ld_pruning.join(
        [opened.enter_context(open_store(path)) for path in snakemake.input.stores],
        kept,
        snakemake.output.genotypes,
        genes=blocks.read_genes(genes) if genes else None,
        window=snakemake.params.window,
        counts=counts.drop(columns="contig").sum().to_dict(),
    )

counts["unlinked"] = [int(mask.sum()) for mask in kept]
counts.to_csv(snakemake.output.counts, sep="\t", index=False)
logger.info("%d variants of %d chromosomes", total, len(kept))
