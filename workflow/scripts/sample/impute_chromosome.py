"""Impute synthetic samples of one cohort to all variants that a reference panel has on a chromosome."""

from typing import TYPE_CHECKING

from syngeno import logs
from syngeno.data import genetic_map
from syngeno.data.store import open_store
from syngeno.models import external, imputed

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logs.start(snakemake.log[0])
source, wildcards = snakemake.input, snakemake.wildcards

with open_store(source.typed) as store:
    at = store.sites()
with open_store(source.genotypes) as store:
    places = genetic_map.read(source.genetic_map).place(store.contig, store.position) if source.genetic_map else None
    imputed.impute(
        external.read([source.vcf], at).calls,
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
