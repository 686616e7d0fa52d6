"""Write the audit page: what each attack can detect, then what it detected."""

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from syngeno import logs
from syngeno.evaluate import metrics
from syngeno.report import audit_page

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logs.start(snakemake.log[0])
numbers = metrics.read(snakemake.input.metrics)
tables = [pd.read_csv(path, sep="\t", dtype={"sample": str}, keep_default_na=False) for path in snakemake.input.samples]
audited = dict(zip(snakemake.params.runs, tables, strict=True))

Path(snakemake.output.audit).write_text(audit_page.audit_page(numbers, audited))
logger.info("%d synthetic cohorts", len(audited))
