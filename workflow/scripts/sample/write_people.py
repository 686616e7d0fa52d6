"""Write the people of all shards as one VCF with labels."""

from typing import TYPE_CHECKING

from syngeno import logs
from syngeno.data import samples as data_samples
from syngeno.data import sequences, vcf
from syngeno.data.store import open_store

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logs.start(snakemake.log[0])
label, symbols = sequences.gathered(snakemake.input.shards)
samples = vcf.synthetic_ids(len(label))

with open_store(snakemake.input.genotypes) as store:
    seen = sequences.viewed(store, snakemake.params.space)
    vcf.write_vcf(
        snakemake.output.vcf, store.sites(), samples, sequences.call_chunks(seen, symbols), phased=seen.phased
    )
data_samples.write_labels(snakemake.output.labels, samples, label, snakemake.params.label)
logger.info("%d people", len(samples))
