"""Write the scorecard and the whole metrics table as pages."""

from pathlib import Path
from typing import TYPE_CHECKING

from syngeno import logs
from syngeno.evaluate import metrics
from syngeno.report import scorecard

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logs.start(snakemake.log[0])
numbers = metrics.read(snakemake.input.metrics)

Path(snakemake.output.scorecard).write_text(scorecard.scorecard_page(numbers))
Path(snakemake.output.metrics).write_text(scorecard.all_metrics(numbers))
logger.info("%d generators", numbers["generator"].nunique())
