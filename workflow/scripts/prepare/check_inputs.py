"""Check every input and compare them with each other."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from syngeno import logs
from syngeno.prepare import checks

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logs.start(snakemake.log[0])
params = snakemake.params
Path(snakemake.output.index).mkdir()

checked = checks.check(
    list(snakemake.input.genotypes),
    snakemake.input.labels,
    params.label,
    index_folder=snakemake.output.index,
    family=params.family,
    genes=snakemake.input.get("genes") or None,
    genetic_map=snakemake.input.get("genetic_map") or None,
    chromosomes=params.chromosomes,
    intersect=params.samples == "intersect",
    # This is no param, so that adding a generator to a run does not prepare anything again.
    haplotypes=any(settings.get("space") == "haplotype" for settings in snakemake.config["generators"].values()),
    phasing=params.phasing,
    **params.filter,
)

Path(snakemake.output.inputs).write_text(json.dumps(checked, indent=1) + "\n")
logger.info("%d samples, %d chromosomes", len(checked["samples"]), len(checked["contigs"]))
