"""Draw variants of a generator beside each other, and write the same numbers as a table."""

from pathlib import Path
from typing import TYPE_CHECKING

from syngeno import ablation, figures, log, metrics

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = log.start(snakemake.log[0])
numbers, variants = metrics.read(snakemake.input.metrics), snakemake.params.variants

figures.save(ablation.figure(numbers, variants), snakemake.output.figure)
Path(snakemake.output.page).write_text(ablation.page(numbers, variants))
logger.info("%d variants", sum(map(len, variants.values())))
