"""Simulate the embedded cohort."""

from typing import TYPE_CHECKING

from syngeno import logs
from syngeno.prepare import simulate

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logs.start(snakemake.log[0])
settings = snakemake.params.simulate

simulate.write_cohort(
    snakemake.output.vcf,
    snakemake.output.samples,
    snakemake.output.genes,
    snakemake.output.causal,
    samples=settings["samples"],
    length=settings["length"],
    seed=settings["seed"],
    heritability=settings["heritability"],
    prevalence=settings["prevalence"],
    causal=settings["causal"],
)
logger.info("%d samples simulated", settings["samples"])
