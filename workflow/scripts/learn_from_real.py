"""Train the paper's classifiers on real people and ask them about test people."""

from typing import TYPE_CHECKING

from syngeno import classification, encoder, log, people
from syngeno.store import open_store

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = log.start(snakemake.log[0])
source, table = snakemake.input, people.read_people(snakemake.input.people)
parts = [people.read_people(source.members), *(table[table["split"] == part] for part in ("validation", "test"))]

with open_store(source.genotypes) as store:
    fitted = encoder.load(source.encoder, store.fingerprint())
    members, validation, test = (classification.real_people(store, fitted, part) for part in parts)

guesses = classification.guesses(
    members,
    validation,
    test,
    seed=int(snakemake.wildcards.seed),
    threads=snakemake.threads,
    **snakemake.params.settings,
)

guesses.to_csv(snakemake.output.guesses, sep="\t", index=False)
logger.info("%d people learnt from, %d asked about", len(members.label), len(guesses))
