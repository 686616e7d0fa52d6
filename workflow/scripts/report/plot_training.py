"""Draw the training curve."""

from typing import TYPE_CHECKING

import pandas as pd

from syngeno import logs
from syngeno.report import style

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logs.start(snakemake.log[0])
history = pd.read_csv(snakemake.input.history, sep="\t")

style.save(style.training(history), snakemake.output.figure)
logger.info("%d epochs", len(history))
