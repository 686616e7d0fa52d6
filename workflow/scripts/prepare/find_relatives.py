"""List pairs of relatives, where there are enough variants to estimate kinship."""

from typing import TYPE_CHECKING

import pandas as pd

from syngeno import logs
from syngeno.data import samples
from syngeno.data.store import open_store
from syngeno.stats import kinship

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logs.start(snakemake.log[0])
split = samples.read_samples(snakemake.input.samples)["split"]

with open_store(snakemake.input.genotypes) as store:
    contigs, variants = len(set(store.contig.tolist())), len(store)
    if kinship.meaningful(contigs, variants):
        pairs = kinship.relatives(store.dosages(), store.samples)
        logger.info("%d pairs of second degree or closer; they stay where the split put them", len(pairs))
    else:
        pairs = pd.DataFrame(columns=["sample_a", "sample_b", "kinship", "degree"])
        logger.info("not looked for: %d variants on %d chromosomes are too few to estimate kinship", variants, contigs)

for side in ("a", "b"):
    pairs[f"split_{side}"] = split.reindex(pairs[f"sample_{side}"]).to_numpy()
pairs.to_csv(snakemake.output.relatives, sep="\t", index=False, float_format="%.4f")
