"""Draw privacy, utility and decay of linkage from the metrics table."""

from typing import TYPE_CHECKING

from syngeno import figures, log, metrics

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = log.start(snakemake.log[0])
numbers = metrics.read(snakemake.input.metrics)

figures.save(figures.aats(numbers), snakemake.output.aats)
figures.save(figures.recovery(numbers), snakemake.output.recovery)
figures.save(figures.ld_decay(numbers), snakemake.output.ld_decay)
logger.info("3 figures of %d numbers", len(numbers))
