"""Fit subpopulations and ancestral haplotype clusters on the training samples."""

from typing import TYPE_CHECKING

from syngeno import logs
from syngeno.data import genetic_map, samples
from syngeno.data.store import open_store
from syngeno.models.base import TrainingData
from syngeno.models.haplotype import prior

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logs.start(snakemake.log[0])
source, params = snakemake.input, snakemake.params

with open_store(source.genotypes) as store:
    data = TrainingData.of_tables(
        store,
        samples.read_samples(source.samples),
        samples.read_samples(source.training),
        genetic_map.places(store.contig, store.position, source.get("genetic_map")),
    )
    fitted = prior.learn(data, params.settings, seed=int(snakemake.wildcards.seed))

prior.save(snakemake.output.clusters, fitted)
logger.info("%d segments, %d subpopulations", fitted.segments, len(fitted.label))
