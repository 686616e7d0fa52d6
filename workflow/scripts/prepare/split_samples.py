"""Split the samples into training, validation and test."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from syngeno import logs
from syngeno.data import samples
from syngeno.prepare import relatives

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logs.start(snakemake.log[0])
source, output, params = snakemake.input, snakemake.output, snakemake.params
label, family, settings = params.label, params.family, dict(params.split)
seed = settings.pop("seed")
labels = samples.read_labels(source.labels, label, family)
labels = labels.loc[json.loads(Path(source.inputs).read_text())["samples"]]
samples.refuse_unknown(params.wanted or [], labels["label"])
# This is no param: the split does not depend on it.
samples.refuse_unknown(snakemake.config["sample"]["proportions"] or [], labels["label"], "sample.proportions")

if "column" in settings:
    parts = samples.split_by_column(labels, settings["column"], settings["validation"], seed, family)
elif source.families:
    found = samples.read_samples(source.families)["family"]
    parts = relatives.split_together(labels, settings, seed, family, found)
else:
    parts = samples.split(labels, settings, seed, family)

columns = [label] if isinstance(label, str) else label
samples.write_samples(output.samples, labels, parts, [*columns, *([family] if family else [])])
logger.info("%s", ", ".join(f"{count} {part}" for part, count in parts.value_counts().items()))
