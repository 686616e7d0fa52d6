"""Train the paper's classifiers on synthetic people, real ones added, and ask them about test people."""

from typing import TYPE_CHECKING

from syngeno import logs
from syngeno.data import cohort, samples
from syngeno.data.store import open_store
from syngeno.models.latent import encoder
from syngeno.paper import classifiers

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logs.start(snakemake.log[0])
source, table = snakemake.input, samples.read_people(snakemake.input.people)

with open_store(source.genotypes) as store:
    fitted = encoder.load(source.encoder, store.fingerprint())
    drawn = cohort.read_cohort(source.vcf, source.labels, snakemake.params.label, store)
    latents = encoder.of_shards(source.shards, fitted, drawn.dosages)
    learners = classifiers.People(latents, drawn.dosages, drawn.label)
    if source.added:
        members = samples.read_people(source.added)
        learners = learners.with_others(classifiers.real_people(store, fitted, members))
    validation, test = (
        classifiers.real_people(store, fitted, table[table["split"] == part]) for part in ("validation", "test")
    )

guesses = classifiers.guesses(
    learners,
    validation,
    test,
    seed=int(snakemake.wildcards.seed),
    threads=snakemake.threads,
    **snakemake.params.settings,
)

guesses.to_csv(snakemake.output.guesses, sep="\t", index=False)
logger.info("%d synthetic and %d real people learnt from", len(latents), len(learners.label) - len(latents))
