"""Simulate the embedded cohort."""

from typing import TYPE_CHECKING

from syngeno import logs
from syngeno.prepare import simulate

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logs.start(snakemake.log[0])
output, settings = snakemake.output, snakemake.params.simulate

simulate.write_cohort(output.vcf, output.samples, output.genes, output.causal, **settings)
logger.info("%d samples simulated", settings["samples"])
