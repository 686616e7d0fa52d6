"""Make the reference genome of a simulated cohort: random bases, with the REF allele at every variant."""

from typing import TYPE_CHECKING

from syngeno import logs
from syngeno.data import reference

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logs.start(snakemake.log[0])
reference.simulate(snakemake.output.reference, snakemake.input.vcf, snakemake.params.seed)
logger.info("%d chromosomes written", len(snakemake.input.vcf))
