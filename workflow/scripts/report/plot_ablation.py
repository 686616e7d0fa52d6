"""Draw variants of a generator beside each other, and write the same numbers as a table."""

from pathlib import Path
from typing import TYPE_CHECKING

from syngeno import logs
from syngeno.evaluate import metrics
from syngeno.report import ablation, style

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logs.start(snakemake.log[0])
numbers, variants = metrics.read(snakemake.input.metrics), snakemake.params.variants

style.save(ablation.figure(numbers, variants), snakemake.output.figure)
Path(snakemake.output.page).write_text(ablation.page(numbers, variants))
logger.info("%d variants", sum(map(len, variants.values())))
