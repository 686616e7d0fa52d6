"""Phase the calls of one chromosome, where linkage allows."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from syngeno import logs
from syngeno.data import genetic_map, samples
from syngeno.data.store import open_store
from syngeno.prepare import linkage, phasing

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logs.start(snakemake.log[0])
source, contig = snakemake.input, snakemake.wildcards.contig
table = samples.read_samples(source.samples)
counts = pd.concat([pd.read_csv(path, sep="\t", dtype={"contig": str}) for path in source.counts])
r2 = linkage.joint_r2(counts["neighbour_r2"], counts["kept"])

with open_store(source.store) as store:
    wanted = snakemake.params.phasing == "always" or linkage.linkage(r2) == "linked"
    if wanted and len(store) > 1 and not store.phased:
        logger.info("phasing %d variants of chromosome %s", len(store), contig)
        phasing.phase(
            store,
            table.loc[store.samples, "split"].to_numpy(str),
            genetic_map.places(store.contig, store.position, source.get("genetic_map")),
            snakemake.output.store,
            seed=snakemake.params.seed,
            threads=snakemake.threads,
            memory_mb=snakemake.resources.mem_mb // 2,
        )
    else:
        logger.info("chromosome %s stays as it is (r2 of neighbours %.3f)", contig, r2)
        Path(snakemake.output.store).unlink(missing_ok=True)
        os.link(source.store, snakemake.output.store)
