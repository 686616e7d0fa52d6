"""Bring a cohort that another tool made to the sites and labels of the prepared cohort, or refuse it."""

from typing import TYPE_CHECKING

from syngeno import logs
from syngeno.data import samples, vcf
from syngeno.data.store import open_store
from syngeno.models import external

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logs.start(snakemake.log[0])
source, params = snakemake.input, snakemake.params
real = samples.read_people(source.real)

with open_store(source.genotypes) as store:
    sites = store.sites()
    calls, label = external.adopt(source.vcf, source.people, params.label, sites, real["label"], store.samples)
vcf.write_vcf(snakemake.output.vcf, sites, calls.samples, calls.chunks(), calls.phased)
samples.write_labels(snakemake.output.labels, calls.samples, label, params.label)
logger.info("%d people taken over", len(calls.samples))
