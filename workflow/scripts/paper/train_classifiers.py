"""Train the paper's classifiers and let them guess the labels of test samples."""

from typing import TYPE_CHECKING

from syngeno import logs
from syngeno.data import samples
from syngeno.data.store import open_store
from syngeno.models.latent import encoder
from syngeno.paper import classifiers

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logs.start(snakemake.log[0])
source, params, table = snakemake.input, snakemake.params, samples.read_samples(snakemake.input.samples)

with open_store(source.genotypes) as store:
    fitted = encoder.load(source.encoder, store.fingerprint())
    training = [classifiers.real_samples(store, fitted, samples.read_samples(path)) for path in source.real]
    if source.synthetic:
        training.insert(0, classifiers.synthetic_samples(source.synthetic, source.labels, params.label, store, fitted))
    validation, test = (
        classifiers.real_samples(store, fitted, table[table["split"] == part]) for part in ("validation", "test")
    )

guesses = classifiers.guesses(
    classifiers.together(*training),
    validation,
    test,
    seed=int(snakemake.wildcards.seed),
    threads=snakemake.threads,
    **params.settings,
)

guesses.to_csv(snakemake.output.guesses, sep="\t", index=False)
logger.info("trained on %s samples, %d guessed", " + ".join(str(len(part.label)) for part in training), len(guesses))
