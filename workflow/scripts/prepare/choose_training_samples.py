"""Choose the training samples that a generator is fitted on."""

from typing import TYPE_CHECKING

from syngeno import logs
from syngeno.data import samples

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logs.start(snakemake.log[0])
table = samples.read_samples(snakemake.input.samples)
fraction, seed = int(snakemake.wildcards.fraction), int(snakemake.wildcards.seed)

training = table.loc[samples.training_samples(table, fraction, seed)]

training.to_csv(snakemake.output.training, sep="\t")
logger.info("%d of %d training samples", len(training), (table["split"] == "train").sum())
