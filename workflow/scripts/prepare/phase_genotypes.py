"""Phase the calls of one chromosome, where linkage allows."""

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from syngeno import logs
from syngeno.data import genetic_map, samples
from syngeno.data.store import open_store
from syngeno.prepare import phasing
from syngeno.stats import linkage
from syngeno.workflow import tools

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logs.start(snakemake.log[0])
source, contig = snakemake.input, snakemake.wildcards.contig
table = samples.read_samples(source.samples)
known = [json.loads(Path(path).read_text()) for path in source.linkage]
r2 = linkage.joint_r2([one["neighbour_r2"] for one in known], [one["variants"] for one in known])

with open_store(source.store) as store:
    wanted = snakemake.params.phasing == "always" or linkage.linkage(r2) == "linked"
    if wanted and not store.phased:
        tools.require(tools.BEAGLE)
        logger.info("phasing %d variants of chromosome %s", len(store), contig)
        phasing.phase(
            store,
            table.loc[store.samples, "split"].to_numpy(str),
            genetic_map.places(store.contig, store.position, source.get("genetic_map")),
            snakemake.output.store,
            seed=snakemake.params.seed,
            memory_mb=snakemake.resources.mem_mb // 2,
        )
    else:
        logger.info("chromosome %s stays as it is (r2 of neighbours %.3f)", contig, r2)
        shutil.copyfile(source.store, snakemake.output.store)
