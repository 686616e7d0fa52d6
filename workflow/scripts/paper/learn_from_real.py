"""Train the paper's classifiers on real people and ask them about test people."""

from typing import TYPE_CHECKING

from syngeno import logs
from syngeno.data import samples
from syngeno.data.store import open_store
from syngeno.models.latent import encoder
from syngeno.paper import classifiers

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logs.start(snakemake.log[0])
source, table = snakemake.input, samples.read_people(snakemake.input.people)
parts = [samples.read_people(source.members), *(table[table["split"] == part] for part in ("validation", "test"))]

with open_store(source.genotypes) as store:
    fitted = encoder.load(source.encoder, store.fingerprint())
    members, validation, test = (classifiers.real_people(store, fitted, part) for part in parts)

guesses = classifiers.guesses(
    members,
    validation,
    test,
    seed=int(snakemake.wildcards.seed),
    threads=snakemake.threads,
    **snakemake.params.settings,
)

guesses.to_csv(snakemake.output.guesses, sep="\t", index=False)
logger.info("%d people learnt from, %d asked about", len(members.label), len(guesses))
