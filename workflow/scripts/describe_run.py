"""Write what made the report."""

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from syngeno import kinship, log, people, tables

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = log.start(snakemake.log[0])
source = snakemake.input

variants = pd.read_csv(source.variants, sep="\t", dtype={"contig": str})
looked_for = kinship.meaningful((variants["unlinked"] > 0).sum(), variants["unlinked"].sum())

page = tables.run(
    snakemake.params.settings,
    people.read_people(source.people),
    variants,
    pd.read_csv(source.relatives, sep="\t") if looked_for else None,
)

Path(snakemake.output.run).write_text(page)
logger.info("%d characters", len(page))
