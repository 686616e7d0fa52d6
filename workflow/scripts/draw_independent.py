"""Draw people allele by allele from the frequencies of their label."""

from typing import TYPE_CHECKING

from syngeno import controls, labels, log, people, vcf
from syngeno.store import open_store

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = log.start(snakemake.log[0])
members, params = people.read_people(snakemake.input.members), snakemake.params
wanted = labels.label_plan(members["label"], params.people or len(members), params.labels)
samples = vcf.synthetic_ids(len(wanted))

with open_store(snakemake.input.genotypes) as store:
    calls = controls.independent(
        store,
        store.rows(members.index),
        members["label"].to_numpy(),
        wanted,
        seed=int(snakemake.wildcards.seed),
        pooled=params.pooled,
    )
    vcf.write_vcf(snakemake.output.vcf, store.sites(), samples, calls, phased=store.phased)
labels.write_labels(snakemake.output.labels, samples, wanted, params.label)
logger.info("%d people drawn", len(samples))
