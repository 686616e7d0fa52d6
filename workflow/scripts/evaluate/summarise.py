"""Gather all metrics of a cohort into one table with envelopes."""

from typing import TYPE_CHECKING

import pandas as pd

from syngeno import logs
from syngeno.evaluate import envelope, metrics

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logs.start(snakemake.log[0])
source, params = snakemake.input, snakemake.params
measured = [*source.metrics, *source.released, *source.likelihood, *source.imputation, *source.dose]
ours = [metrics.read(path) for path in measured]
for path in source.concordance:
    fraction, seed = path.split("/")[-3:-1]
    rows = pd.read_csv(path, sep="\t", keep_default_na=False, na_values={"low": "", "high": ""}).to_dict("records")
    ours += [
        metrics.table(rows, generator=name, fraction=int(fraction), seed=seed)
        for name, fractions in params.encoded.items()
        if int(fraction) in fractions
    ]
envelopes = {
    name: pd.read_csv(path, sep="\t", keep_default_na=False, na_values=dict.fromkeys(envelope.ABSENT, ""))
    for name, path in zip(params.suites, source.envelope, strict=True)
}
covered = [row for name, one in envelopes.items() for row in envelope.coverage(one, name)]

# An envelope is of sets about as large as a generator's own; those trained on fewer samples are not held against it.
numbers = pd.concat(ours, ignore_index=True)
whole = numbers["fraction"] == 100
beside = metrics.with_rmse_ratio(metrics.with_envelope(numbers[whole], pd.concat(envelopes.values())))
numbers = metrics.over_seeds(pd.concat([beside, numbers[~whole]], ignore_index=True))
others = [metrics.read(path) for path in [*source.published, *source.paper, *source.lira]]
others.append(metrics.table(covered, generator="real", fraction=None, seed=1))

metrics.write(pd.concat([numbers, *others], ignore_index=True), snakemake.output.metrics)
logger.info("%d numbers", len(numbers))
