"""Impute synthetic people of one cohort to all variants that a reference panel has on a chromosome."""

from typing import TYPE_CHECKING

from syngeno import genetic_map, imputation, log, panel, people, vcf
from syngeno.errors import BadInput
from syngeno.store import open_store

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = log.start(snakemake.log[0])
source, wildcards = snakemake.input, snakemake.wildcards
if not imputation.available():
    raise BadInput("beagle", "is not installed", "install it (`apt install beagle`), or run with --sdm conda")
if set(people.read_people(source.members).index) != set(people.read_people(source.own).index):
    fact = "the people to impute were learnt from other training people than this cohort's"
    raise BadInput(f"generators.{wildcards.generator}", fact, "give both cohorts the same labels and split")

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
