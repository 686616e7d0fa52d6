"""Learn ancestries and founder haplotypes from the members."""

from typing import TYPE_CHECKING

from syngeno import logs
from syngeno.data import samples, sequences
from syngeno.data.store import open_store
from syngeno.models.haplotype import prior

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logs.start(snakemake.log[0])
source, params = snakemake.input, snakemake.params
members, table = samples.read_people(source.members), samples.read_people(source.people)
validation = table[table["split"] == "validation"]

with open_store(source.genotypes) as store:
    learnt = prior.learn(
        sequences.viewed(store, params.space),
        store.rows(members.index),
        members["label"].to_numpy(),
        store.rows(validation.index),
        validation["label"].to_numpy(),
        founders_per_chromosome=params.founders,
        segment=params.segment,
        carriers=params.carriers,
        ancestry_size=params.ancestry,
        seed=int(snakemake.wildcards.seed),
        membership=params.membership,
    )

prior.save(snakemake.output.founders, learnt)
founders = learnt.chromosomes[0].leave.shape[1]
logger.info("%d founders along %d segments, %d ancestries", founders, learnt.segments, len(learnt.label))
