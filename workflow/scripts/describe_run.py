"""Write what made the report."""

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from syngeno import log, people, tables

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = log.start(snakemake.log[0])
source = snakemake.input

page = tables.run(
    snakemake.params.settings,
    people.read_people(source.people),
    pd.read_csv(source.variants, sep="\t", dtype={"contig": str}),
    pd.read_csv(source.relatives, sep="\t"),
)

Path(snakemake.output.run).write_text(page)
logger.info("%d characters", len(page))
