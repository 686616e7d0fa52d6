"""Write the scorecard and the whole metrics table as pages."""

from pathlib import Path
from typing import TYPE_CHECKING

from syngeno import log, metrics, tables

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = log.start(snakemake.log[0])
numbers = metrics.read(snakemake.input.metrics)

Path(snakemake.output.scorecard).write_text(tables.scorecard(numbers))
Path(snakemake.output.metrics).write_text(tables.all_metrics(numbers))
logger.info("%d generators", numbers["generator"].nunique())
