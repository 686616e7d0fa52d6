"""Simulate a trait on the genotypes of a cohort."""

import tempfile
from typing import TYPE_CHECKING

from syngeno import logs
from syngeno.data import samples
from syngeno.data.readers import open_source
from syngeno.prepare import checks, simulate

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logs.start(snakemake.log[0])
source, params = snakemake.input, snakemake.params

with tempfile.TemporaryDirectory() as folder:
    checked = checks.check(
        list(source.genotypes),
        source.labels,
        "sample",
        index_folder=folder,
        chromosomes=params.chromosomes,
        intersect=params.samples == "intersect",
        **params.filter,
    )
    cases, causal = simulate.simulate_trait(
        [open_source(file["path"], file["index"]) for file in checked["sources"]],
        checked["contigs"],
        checked["samples"],
        pass_only=params.filter["pass_only"],
        **params.trait,
    )

table = simulate.add(samples.read_table(source.labels), checked["samples"], cases, source.labels)
table.to_csv(snakemake.output.samples, sep="\t", index=False)
causal.to_csv(snakemake.output.causal, sep="\t", index=False, float_format="%.6g")
logger.info("%d of %d samples are cases", cases.sum(), len(cases))
