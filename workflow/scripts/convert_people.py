"""Write synthetic people in the formats that the run asks for, and checksums of all that is handed on."""

from typing import TYPE_CHECKING

from syngeno import formats, log

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = log.start(snakemake.log[0])
source, asked = snakemake.input, snakemake.params.formats

people = formats.convert(
    source.vcf,
    source.labels,
    asked,
    threads=snakemake.threads,
    memory_mb=max(formats.LEAST_MEMORY, snakemake.resources.mem_mb // 2),
)
logger.info("%d people as %s", len(people.samples), ", ".join(dict.fromkeys(["vcf", *asked])))
