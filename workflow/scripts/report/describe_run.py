"""Write what made the report."""

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from syngeno import logs
from syngeno.data import samples
from syngeno.report import scorecard
from syngeno.stats import kinship

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logs.start(snakemake.log[0])
source = snakemake.input

variants = pd.read_csv(source.variants, sep="\t", dtype={"contig": str})
looked_for = kinship.meaningful((variants["unlinked"] > 0).sum(), variants["unlinked"].sum())

page = scorecard.run_page(
    snakemake.params.settings,
    snakemake.params.generators,
    samples.read_samples(source.samples),
    variants,
    pd.read_csv(source.relatives, sep="\t") if looked_for else None,
)

Path(snakemake.output.run).write_text(page)
logger.info("%d characters", len(page))
