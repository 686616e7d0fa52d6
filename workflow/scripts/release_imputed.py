"""Leave those who are withheld out of imputed people with all variants of the panel."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pysam
import pysam.bcftools

from syngeno import log

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = log.start(snakemake.log[0])
source, output = snakemake.input, Path(snakemake.output.vcf)
released = pd.read_csv(source.labels, sep="\t", dtype=str)["sample"]
unfinished = output.with_name(f".{output.name}.part")

arguments = ["--no-version", "--samples", ",".join(released), "--output-type", "z", "--output", str(unfinished)]
pysam.bcftools.view(*arguments, source.vcf, catch_stdout=False)
pysam.tabix_index(str(unfinished), preset="vcf", force=True)
os.replace(f"{unfinished}.tbi", snakemake.output.index)
os.replace(unfinished, output)
logger.info("%d people", len(released))
