"""Write what made the report."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from syngeno import logs
from syngeno.data import samples
from syngeno.report import scorecard

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logs.start(snakemake.log[0])
source = snakemake.input
table = samples.read_samples(source.samples)

variants = pd.read_csv(source.variants, sep="\t", dtype={"contig": str})

page = scorecard.run_page(
    snakemake.params.settings,
    snakemake.params.generators,
    table,
    variants,
    samples.read_relatives(source.relatives, table),
    json.loads(Path(source.search).read_text())["by"],
)

Path(snakemake.output.run).write_text(page)
logger.info("%d characters", len(page))
