"""Draw privacy, utility and fidelity from the metrics table."""

from typing import TYPE_CHECKING

from syngeno import exposure, figures, frontier, log, metrics, resemblance, usefulness

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = log.start(snakemake.log[0])
numbers = metrics.read(snakemake.input.metrics)
output = snakemake.output

figures.save(frontier.frontier(numbers, snakemake.params.kinds), output.frontier)
figures.save(exposure.aats(numbers), output.aats)
figures.save(exposure.membership(numbers), output.membership)
figures.save(exposure.relatives(numbers), output.relatives)
figures.save(usefulness.utility(numbers), output.utility)
figures.save(resemblance.spectrum(numbers), output.spectrum)
figures.save(resemblance.ld_decay(numbers), output.ld_decay)
figures.save(resemblance.structure(numbers), output.structure)
figures.save(resemblance.published(numbers), output.published)
logger.info("%d figures of %d numbers", len(output), len(numbers))
