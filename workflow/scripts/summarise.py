"""Gather all metrics of a cohort into one table with envelopes."""

from typing import TYPE_CHECKING

import pandas as pd

from syngeno import log, metrics

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = log.start(snakemake.log[0])
tables = [metrics.read(path) for path in snakemake.input.metrics]
for path in snakemake.input.concordance:
    fraction, seed = path.split("/")[-3:-1]
    rows = pd.read_csv(path, sep="\t", keep_default_na=False, na_values={"low": "", "high": ""}).to_dict("records")
    tables += [
        metrics.table(rows, generator=name, fraction=int(fraction), seed=seed) for name in snakemake.params.encoded
    ]
envelope = pd.concat([pd.read_csv(path, sep="\t", keep_default_na=False) for path in snakemake.input.envelope])

# An envelope is of sets about as large as a generator's own; one that saw fewer people is not held against it.
numbers = pd.concat(tables, ignore_index=True)
whole = numbers["fraction"] == 100
numbers = pd.concat([metrics.with_envelope(numbers[whole], envelope), numbers[~whole]], ignore_index=True)
numbers = metrics.over_seeds(numbers)

metrics.write(numbers, snakemake.output.metrics)
logger.info("%d numbers", len(numbers))
