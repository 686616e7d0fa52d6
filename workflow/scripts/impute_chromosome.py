"""Impute synthetic people of one cohort to all variants that a reference panel has on a chromosome."""

from typing import TYPE_CHECKING

from syngeno import genetic_map, log, panel, vcf
from syngeno.store import open_store

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = log.start(snakemake.log[0])
source, wildcards = snakemake.input, snakemake.wildcards

with open_store(source.typed) as store:
    at = store.sites()
with open_store(source.genotypes) as store:
    places = genetic_map.read(source.genetic_map).place(store.contig, store.position) if source.genetic_map else None
    panel.impute(
        vcf.read_calls(source.vcf, at),
        at,
        store,
        wildcards.contig,
        source.panel,
        snakemake.output.vcf,
        cm=places,
        seed=int(wildcards.seed),
        threads=snakemake.threads,
        memory_mb=snakemake.resources.mem_mb // 2,
    )
logger.info("chromosome %s imputed", wildcards.contig)
