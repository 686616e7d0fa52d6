"""Split the samples into training, validation and test."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from syngeno import logs
from syngeno.data import samples

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logs.start(snakemake.log[0])
label, family, settings = snakemake.params.label, snakemake.params.family, dict(snakemake.params.split)
seed = settings.pop("seed")
labels = samples.read_labels(snakemake.input.labels, label, family)
labels = labels.loc[json.loads(Path(snakemake.input.inputs).read_text())["samples"]]
samples.refuse_unknown(snakemake.params.wanted or [], labels["label"])

if "column" in settings:
    parts = samples.split_by_column(labels, settings["column"], settings["validation"], seed, family)
else:
    parts = samples.split(labels, settings, seed, family)

columns = [label] if isinstance(label, str) else label
samples.write_samples(snakemake.output.samples, labels, parts, [*columns, *([family] if family else [])])
logger.info("%s", ", ".join(f"{count} {part}" for part, count in parts.value_counts().items()))
