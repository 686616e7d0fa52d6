"""Hold back duplicates of training samples and the samples at the highest risk from the cohort to release."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from syngeno import logs
from syngeno.data import samples, store, vcf
from syngeno.errors import BadInput
from syngeno.evaluate import risk

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logs.start(snakemake.log[0])
source, output, params = snakemake.input, snakemake.output, snakemake.params
about = vcf.synthetic_line(dict(snakemake.wildcards.items()), params.kind)
audited = pd.read_csv(source.audit, sep="\t", dtype={"sample": str, "label": str}, keep_default_na=False)
label = samples.read_labels(source.labels, params.label)["label"]

withheld = risk.choose(audited, params.withhold)
composition = risk.composition(audited, withheld)
if len(withheld) == len(audited):
    raise BadInput(source.store, "all samples would be withheld", "do not release it, or set `withhold` lower")

with store.open_store(source.store) as drawn:
    kept = np.flatnonzero(~np.isin(drawn.samples, withheld["sample"]))
    ids = [drawn.samples[row] for row in kept]
    latents = None if drawn.latents is None else drawn.latents[kept]
    store.write_like(output.store, drawn.sites(), ids, drawn.iterate(kept), phased=drawn.phased, latents=latents)
    vcf.write_vcf(output.vcf, drawn.sites(), ids, drawn.iterate(kept), phased=drawn.phased, about=about)
samples.write_labels(output.labels, ids, label.loc[ids].to_numpy(), params.label)
withheld.to_csv(output.withheld, sep="\t", index=False, float_format="%.6g")
composition.to_csv(output.composition, sep="\t", index=False)
by_label = ", ".join(f"{one.label} {one.withheld} of {one.drawn}" for one in composition.itertuples())
logger.info("%d of %d samples withheld: %s", len(withheld), len(audited), by_label)
