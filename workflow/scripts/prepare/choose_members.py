"""Choose the training people that a generator may see."""

from typing import TYPE_CHECKING

from syngeno import logs
from syngeno.data import samples

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logs.start(snakemake.log[0])
table = samples.read_people(snakemake.input.people)
fraction, seed = int(snakemake.wildcards.fraction), int(snakemake.wildcards.seed)

members = table.loc[samples.members(table, fraction, seed)]

members.to_csv(snakemake.output.members, sep="\t")
logger.info("%d of %d training people", len(members), (table["split"] == "train").sum())
