"""Attack a generator by shadow models, its runs over seeds, and give each training sample a risk."""

import os
from typing import TYPE_CHECKING

import pandas as pd

from syngeno import logs
from syngeno.evaluate import membership, metrics
from syngeno.evaluate.attacks import shadows

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logs.start(snakemake.log[0])
source, wildcards = snakemake.input, snakemake.wildcards
text = {"dtype": {"sample": str, "label": str}, "keep_default_na": False}
runs, model = ([pd.read_csv(path, sep="\t", **text) for path in paths] for paths in (source.shadows, source.model))
found = shadows.measure(runs, [one.set_index("sample")["score"] for one in model], seed=snakemake.params.seed)

subject = {"generator": wildcards.generator, "fraction": int(wildcards.fraction), "seed": "all"}
numbers = [
    metrics.table(rows, variant=variant, **subject)
    for variant, rows in ((membership.LIRA, found.rows), (membership.PLAIN, found.plain_rows))
]
metrics.write(pd.concat(numbers, ignore_index=True), snakemake.output.metrics)
os.umask(0o077)  # the table names real samples: readable by their owner only
found.individuals.to_csv(snakemake.output.individuals, sep="\t", index=False, float_format="%.6g")
logger.info("%d runs; by shadow models the strongest attack is %s", len(runs), found.strongest)
