"""Draw the training curve."""

from typing import TYPE_CHECKING

import pandas as pd

from syngeno import figures, log

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = log.start(snakemake.log[0])
history = pd.read_csv(snakemake.input.history, sep="\t")

figures.save(figures.training(history), snakemake.output.figure)
logger.info("%d epochs", len(history))
