"""Bring a cohort that another tool made to the sites and labels of the prepared cohort, or refuse it."""

from typing import TYPE_CHECKING

from syngeno import logs
from syngeno.data import samples, store, vcf
from syngeno.models import external

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logs.start(snakemake.log[0])
source, output, params = snakemake.input, snakemake.output, snakemake.params
about = vcf.synthetic_line(dict(snakemake.wildcards.items()), params.kind)
real = samples.read_judged(source.samples, params.labels)

with store.open_store(source.genotypes) as cohort:
    sites = cohort.sites()
    calls, labels = external.adopt(source.vcf, source.labels, params.label, sites, real["label"], cohort.samples)
store.write_like(output.store, sites, calls.samples, calls.chunks(), phased=calls.phased)
vcf.write_vcf(output.vcf, sites, calls.samples, calls.chunks(), calls.phased, about)
samples.write_labels(output.labels, calls.samples, labels, params.label)
logger.info("%d samples adopted", len(calls.samples))
