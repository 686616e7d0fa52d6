"""Write synthetic samples in the formats that the run asks for, and checksums of all that is released."""

from typing import TYPE_CHECKING

from syngeno import logs
from syngeno.data import samples
from syngeno.export import plink2

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logs.start(snakemake.log[0])
source, asked = snakemake.input, snakemake.params.formats
known = samples.read_samples(source.samples)["label"].unique()
several = not isinstance(snakemake.params.label, str)

converted = plink2.convert(
    source.vcf,
    source.labels,
    asked,
    known=[label.split(samples.JOINT) if several else [label] for label in known],
    threads=snakemake.threads,
    memory_mb=max(plink2.LEAST_MEMORY, snakemake.resources.mem_mb // 2),
)
logger.info("%d samples as %s", len(converted.samples), ", ".join(dict.fromkeys(["vcf", *asked])))
