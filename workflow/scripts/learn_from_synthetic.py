"""Train the paper's classifiers on synthetic people, real ones added, and ask them about test people."""

from typing import TYPE_CHECKING

from syngeno import classification, encoder, log, people, synthetic
from syngeno.store import open_store

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = log.start(snakemake.log[0])
source, table = snakemake.input, people.read_people(snakemake.input.people)

with open_store(source.genotypes) as store:
    fitted = encoder.load(source.encoder, store.fingerprint())
    drawn = synthetic.read_cohort(source.vcf, source.labels, snakemake.params.label, store)
    latents = synthetic.latents(source.shards, fitted, drawn.dosages)
    learners = classification.People(latents, drawn.dosages, drawn.label)
    if source.added:
        members = people.read_people(source.added)
        learners = learners.with_others(classification.real_people(store, fitted, members))
    validation, test = (
        classification.real_people(store, fitted, table[table["split"] == part]) for part in ("validation", "test")
    )

guesses = classification.guesses(
    learners,
    validation,
    test,
    seed=int(snakemake.wildcards.seed),
    threads=snakemake.threads,
    **snakemake.params.settings,
)

guesses.to_csv(snakemake.output.guesses, sep="\t", index=False)
logger.info("%d synthetic and %d real people learnt from", len(latents), len(learners.label) - len(latents))
