"""Check a cohort that another tool made, with the other inputs, before any work starts."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from syngeno import logs
from syngeno.data import samples
from syngeno.data.readers import open_source
from syngeno.models import external

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logs.start(snakemake.log[0])
source, label = snakemake.input, snakemake.params.label
checked = json.loads(Path(source.inputs).read_text())
real = samples.read_labels(source.real, label).loc[checked["samples"]]
known = samples.judged(real, snakemake.params.labels)["label"]

files = [open_source(file["path"], file["index"]) for file in checked["sources"]]
found = external.check(source.genotypes, source.labels, label, checked["contigs"], known, checked["samples"], files)
Path(snakemake.output.samples).write_text("\n".join(found) + "\n")
logger.info("%d samples", len(found))
