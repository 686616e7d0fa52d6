"""Find the nearest neighbours between a synthetic and the real cohorts, for all suites that ask for them."""

from typing import TYPE_CHECKING

from syngeno import logs
from syngeno.data import cohort, samples
from syngeno.data.store import open_store
from syngeno.evaluate import neighbours, references

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logs.start(snakemake.log[0])
source = snakemake.input
table, training = (samples.read_judged(path, snakemake.params.labels) for path in (source.samples, source.training))

with open_store(source.genotypes) as store:
    found = neighbours.measure(
        cohort.synthetic_cohort(source.store, source.labels, snakemake.params.label, store, training),
        cohort.real_cohort(store, training),
        cohort.real_cohort(store, table[table["split"] == "test"]),
    )

references.save(found, snakemake.output.neighbours)
logger.info("neighbours of %s", "; ".join(found.rows))
