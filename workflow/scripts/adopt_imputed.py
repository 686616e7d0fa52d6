"""Take the cohort's variants out of imputed people, as one VCF with labels."""

from typing import TYPE_CHECKING

from syngeno import external, labels, log, people, vcf
from syngeno.store import open_store

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = log.start(snakemake.log[0])
source, params = snakemake.input, snakemake.params
real = people.read_people(source.people)

with open_store(source.genotypes) as store:
    sites = store.sites()
    calls = external.read_files(source.vcf, sites)
label = external.labels_of(calls.samples, source.vcf[0], source.labels, params.label, real["label"])
vcf.write_vcf(snakemake.output.vcf, sites, calls.samples, calls.chunks(), calls.phased)
labels.write_labels(snakemake.output.labels, calls.samples, label, params.label)
logger.info("%d people with %d variants", len(calls.samples), len(sites))
