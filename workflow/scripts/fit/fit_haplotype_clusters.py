"""Fit subpopulations and ancestral haplotype clusters, or unlinked variants, on the training samples."""

from typing import TYPE_CHECKING

from syngeno import logs
from syngeno.data.store import open_store
from syngeno.models.base import TrainingData
from syngeno.models.haplotype import fitted, fitting

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logs.start(snakemake.log[0])
source, settings, seed = snakemake.input, snakemake.params.settings, int(snakemake.wildcards.seed)

with open_store(source.genotypes) as store:
    learnt = fitting.learn(TrainingData.of(store, source), settings, seed=seed, threads=snakemake.threads)

fitted.save(snakemake.output.clusters, learnt)
said = ", ".join(f"{name.replace('_', ' ')} {number}" for name, number in learnt.chosen.items())
logger.info("%d segments; %s", sum(learnt.lengths), said)
