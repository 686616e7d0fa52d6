"""Fetch the public files that cohorts name."""

from pathlib import Path
from typing import TYPE_CHECKING

from syngeno import logs
from syngeno.workflow import download

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logs.start(snakemake.log[0])

for table, folder in zip(snakemake.input.tables, snakemake.params.folders, strict=True):
    fetched = download.fetch_all(Path(table), Path(folder), threads=snakemake.threads)
    logger.info("%d files of %s are in %s", fetched, Path(table).name, folder)
