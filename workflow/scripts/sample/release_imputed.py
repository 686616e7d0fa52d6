"""Leave withheld samples out of those imputed to all variants of the panel."""

from typing import TYPE_CHECKING

import pandas as pd
import pysam.bcftools

from syngeno import logs
from syngeno.data import vcf

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logs.start(snakemake.log[0])
source = snakemake.input
released = pd.read_csv(source.labels, sep="\t", dtype=str)["sample"]

with vcf.whole(snakemake.output.vcf) as unfinished:
    arguments = ["--no-version", "--samples", ",".join(released), "--output-type", "z", "--output", str(unfinished)]
    pysam.bcftools.view(*arguments, source.vcf, catch_stdout=False)
logger.info("%d samples", len(released))
