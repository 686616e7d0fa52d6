"""Gather the paper's experiments over generators, fractions and seeds."""

from collections import defaultdict
from functools import partial
from typing import TYPE_CHECKING

import pandas as pd

from syngeno import logs
from syngeno.evaluate import metrics
from syngeno.paper import experiments

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logs.start(snakemake.log[0])
source, params = snakemake.input, snakemake.params
read = partial(pd.read_csv, sep="\t", dtype=str, keep_default_na=False)
tables = [metrics.read(path) for path in [*source.metrics, *source.reconstruction]]
for (fraction, seed), path in zip(params.real, source.real, strict=True):
    tables.append(experiments.of_real(read(path), fraction=fraction, seed=seed))
by_seed = defaultdict(dict)
for (generator, fraction, seed), path in zip(params.synthetic, source.synthetic, strict=True):
    if fraction == 100:
        by_seed[seed][generator] = read(path)
tables += [experiments.between(guesses, seed=seed) for seed, guesses in by_seed.items()]

numbers = metrics.over_seeds(pd.concat(tables, ignore_index=True))

metrics.write(numbers, snakemake.output.metrics)
logger.info("%d numbers", len(numbers))
