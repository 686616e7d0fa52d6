"""Attack many times as many samples as are released, drawn from the same fitted generator."""

from typing import TYPE_CHECKING

import numpy as np

from syngeno import logs
from syngeno.data import cohort, genetic_map, samples
from syngeno.data.store import open_store
from syngeno.evaluate import dose, metrics

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logs.start(snakemake.log[0])
source, params, wildcards = snakemake.input, snakemake.params, snakemake.wildcards
table, training = (samples.read_judged(path, params.labels) for path in (source.samples, source.training))
# Shards beyond those of the release are of the same labels, again and again.
label = np.tile(samples.read_labels(source.labels, params.label)["label"].to_numpy(str), max(params.doses))

with open_store(source.genotypes) as store:
    asked = {"haplotypes": True, "cm": genetic_map.places(store.contig, store.position, source.genetic_map)}
    rows = dose.measure(
        cohort.by_contig([source.store, *source.more], label, store),
        train=cohort.real_cohort(store, training, **asked),
        test=cohort.real_cohort(store, table[table["split"] == "test"], **asked),
        validation=cohort.real_cohort(store, table[table["split"] == "validation"], **asked),
        doses=params.doses,
        threads=snakemake.threads,
    )

subject = {"generator": wildcards.generator, "fraction": int(wildcards.fraction), "seed": wildcards.seed}
metrics.write(metrics.table(rows, **subject), snakemake.output.metrics)
logger.info("%s", ", ".join(f"{one['group']}: AUC {one['value']:.3f}" for one in rows))
