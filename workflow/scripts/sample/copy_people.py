"""Copy training people verbatim, for the eyes of the evaluation only."""

import os
from typing import TYPE_CHECKING

from syngeno import logs
from syngeno.data import samples as sample_tables
from syngeno.data import vcf
from syngeno.data.store import open_store
from syngeno.models import controls

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logs.start(snakemake.log[0])
os.umask(0o077)  # real people: readable by their owner only
members, params = sample_tables.read_people(snakemake.input.members), snakemake.params
wanted = members["label"].to_numpy()  # everybody once, whatever is drawn from the others
samples = vcf.synthetic_ids(len(wanted))

with open_store(snakemake.input.genotypes) as store:
    calls = controls.copycat(
        store,
        store.rows(members.index),
        members["label"].to_numpy(),
        wanted,
        seed=int(snakemake.wildcards.seed),
    )
    vcf.write_vcf(
        snakemake.output.vcf,
        store.sites(),
        samples,
        calls,
        phased=store.phased,
        header_lines=["##syngeno_control=copycat: these are REAL training people; never hand this file on"],
    )
sample_tables.write_labels(snakemake.output.labels, samples, wanted, params.label)
logger.info("%d people copied", len(samples))
