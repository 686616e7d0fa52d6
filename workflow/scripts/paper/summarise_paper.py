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
read = partial(pd.read_csv, sep="\t", dtype=str, keep_default_na=False)
tables = [metrics.read(path) for path in [*snakemake.input.metrics, *snakemake.input.reconstruction]]
for path in snakemake.input.real:
    fraction, seed = map(int, path.split("/")[-3:-1])
    tables.append(experiments.of_real(read(path), fraction=fraction, seed=seed))
of_seed = defaultdict(dict)
for path in snakemake.input.synthetic:
    generator, fraction, seed = path.split("/")[-5:-2]
    if fraction == "100":
        of_seed[int(seed)][generator] = read(path)
tables += [experiments.between(one, seed=seed) for seed, one in of_seed.items()]

numbers = metrics.over_seeds(pd.concat(tables, ignore_index=True))

metrics.write(numbers, snakemake.output.metrics)
logger.info("%d numbers", len(numbers))
