"""Fit subpopulations and ancestral haplotype clusters on the training samples."""

from typing import TYPE_CHECKING

from syngeno import logs
from syngeno.data.store import open_store
from syngeno.models.base import TrainingData
from syngeno.models.haplotype import fitting, prior

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logs.start(snakemake.log[0])
source, settings, seed = snakemake.input, snakemake.params.settings, int(snakemake.wildcards.seed)

with open_store(source.genotypes) as store:
    fitted = fitting.learn(TrainingData.of(store, source), settings, seed=seed, threads=snakemake.threads)

prior.save(snakemake.output.clusters, fitted)
logger.info("%d segments, %d components of %d ancestries", fitted.segments, *fitted.components.alpha.shape)
