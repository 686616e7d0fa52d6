"""Compare classifiers trained on synthetic, real and mixed samples."""

from functools import partial
from typing import TYPE_CHECKING

import pandas as pd

from syngeno import logs
from syngeno.evaluate import metrics
from syngeno.paper import experiments

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logs.start(snakemake.log[0])
source, params, wildcards = snakemake.input, snakemake.params, snakemake.wildcards
read = partial(pd.read_csv, sep="\t", dtype=str, keep_default_na=False)
synthetic = dict(zip(params.added, map(read, source.synthetic), strict=True))
real = dict(zip(params.compared, map(read, source.real), strict=True))

numbers = experiments.of_generator(
    synthetic,
    real,
    generator=wildcards.generator,
    fraction=int(wildcards.fraction),
    seed=int(wildcards.seed),
    paper=read(source.paper) if source.paper else None,
)

metrics.write(numbers, snakemake.output.metrics)
logger.info("%d numbers", len(numbers))
