"""Train the paper's classifiers on synthetic people, real ones added, and ask them about test people."""

from typing import TYPE_CHECKING

from syngeno import logs
from syngeno.data import samples, synthetic
from syngeno.data.store import open_store
from syngeno.models.latent import encoder
from syngeno.paper import experiments

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logs.start(snakemake.log[0])
source, table = snakemake.input, samples.read_people(snakemake.input.people)

with open_store(source.genotypes) as store:
    fitted = encoder.load(source.encoder, store.fingerprint())
    drawn = synthetic.read_cohort(source.vcf, source.labels, snakemake.params.label, store)
    latents = synthetic.latents(source.shards, fitted, drawn.dosages)
    learners = experiments.People(latents, drawn.dosages, drawn.label)
    if source.added:
        members = samples.read_people(source.added)
        learners = learners.with_others(experiments.real_people(store, fitted, members))
    validation, test = (
        experiments.real_people(store, fitted, table[table["split"] == part]) for part in ("validation", "test")
    )

guesses = experiments.guesses(
    learners,
    validation,
    test,
    seed=int(snakemake.wildcards.seed),
    threads=snakemake.threads,
    **snakemake.params.settings,
)

guesses.to_csv(snakemake.output.guesses, sep="\t", index=False)
logger.info("%d synthetic and %d real people learnt from", len(latents), len(learners.label) - len(latents))
