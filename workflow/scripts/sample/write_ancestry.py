"""Write the true local ancestry of the samples of all shards, and the proportions that they were drawn with."""

from typing import TYPE_CHECKING

from syngeno import logs
from syngeno.data import store
from syngeno.data.local_ancestry import LocalAncestry

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logs.start(snakemake.log[0])
source, output = snakemake.input, snakemake.output
drawn = LocalAncestry.joined([LocalAncestry.load(path) for path in source.shards])
with store.open_store(source.store) as cohort:
    drawn.write(output.tracts, output.proportions, cohort.samples, cohort)
logger.info("%d tracts of %s", len(drawn.tracts), ", ".join(drawn.names))
