"""Draw privacy, utility and fidelity from the metrics table."""

from typing import TYPE_CHECKING

from syngeno import logs
from syngeno.evaluate import metrics
from syngeno.report import style
from syngeno.report.figures import fidelity, privacy, tradeoff, utility

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logs.start(snakemake.log[0])
numbers = metrics.read(snakemake.input.metrics)
output = snakemake.output

style.save(tradeoff.tradeoff(numbers, snakemake.params.kinds, snakemake.params.markers), output.tradeoff)
style.save(privacy.aats(numbers), output.aats)
style.save(privacy.membership(numbers), output.membership)
style.save(privacy.relatives(numbers), output.relatives)
style.save(utility.utility(numbers), output.utility)
style.save(fidelity.spectrum(numbers), output.spectrum)
style.save(fidelity.ld_decay(numbers), output.ld_decay)
style.save(fidelity.structure(numbers), output.structure)
style.save(fidelity.published(numbers), output.published)
logger.info("%d figures of %d numbers", len(output), len(numbers))
