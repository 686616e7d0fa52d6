"""Choose the training people that a generator may see."""

from typing import TYPE_CHECKING

from syngeno import log, people

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = log.start(snakemake.log[0])
table = people.read_people(snakemake.input.people)
fraction, seed = int(snakemake.wildcards.fraction), int(snakemake.wildcards.seed)

members = table.loc[people.members(table, fraction, seed)]

members.to_csv(snakemake.output.members, sep="\t")
logger.info("%d of %d training people", len(members), (table["split"] == "train").sum())
