"""Compare the reference genome with the cohort's variants, and find the regions that are asked for."""

from typing import TYPE_CHECKING

import pandas as pd

from syngeno import logs
from syngeno.data import reference
from syngeno.data.store import open_store
from syngeno.errors import BadInput
from syngeno.workflow.regions import Region

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logs.start(snakemake.log[0])
source, output = snakemake.input, snakemake.output
reference.index(source.reference, output.index)

with (
    open_store(source.genotypes) as store,
    reference.Reference(source.reference, output.index) as fasta,
):
    if not store.phased:
        raise BadInput(source.genotypes, "is not phased, and has no haplotypes to write", "phase the cohort")
    sites = store.sites()
    contigs = list(dict.fromkeys(sites.contig.tolist()))
    placed = reference.place(snakemake.params.regions, contigs, fasta)
    reference.check_sites(fasta, sites)
table = pd.DataFrame(placed, columns=list(Region._fields))
table.to_csv(output.regions, sep="\t", index=False, lineterminator="\n")
logger.info("%d variants have the reference's base, %d regions", len(sites), len(placed))
