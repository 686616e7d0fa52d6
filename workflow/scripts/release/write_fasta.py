"""Write the DNA of synthetic samples, and find their variants in it again."""

from typing import TYPE_CHECKING

import pandas as pd

from syngeno import logs
from syngeno.data.reference import Reference
from syngeno.export import fasta
from syngeno.workflow.regions import Region

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logs.start(snakemake.log[0])
source = snakemake.input
table = pd.read_csv(source.regions, sep="\t", dtype={"name": str, "contig": str})
regions = [Region(*row) for row in table.itertuples(index=False)]
chosen = fasta.choose(source.vcf, snakemake.params.samples)

with Reference(source.reference, source.index_of_reference) as reference:
    checked = fasta.write_genomes(snakemake.output.genomes, source.vcf, chosen, reference, regions)
logger.info("%d samples, %d variants put in and found again", len(chosen), checked["recalled"].sum())
