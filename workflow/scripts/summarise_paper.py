"""Gather the paper's experiments over generators, fractions and seeds."""

from typing import TYPE_CHECKING

import pandas as pd

from syngeno import comparison, log, metrics

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = log.start(snakemake.log[0])
tables = [metrics.read(path) for path in [*snakemake.input.metrics, *snakemake.input.reconstruction]]
for path in snakemake.input.real:
    fraction, seed = map(int, path.split("/")[-3:-1])
    guesses = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False)
    tables.append(comparison.of_real(guesses, fraction=fraction, seed=seed))

numbers = metrics.over_seeds(pd.concat(tables, ignore_index=True))

metrics.write(numbers, snakemake.output.metrics)
logger.info("%d numbers", len(numbers))
