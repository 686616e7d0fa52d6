"""Hold back copies of training people and those at the highest risk from the cohort to hand on."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from syngeno import logs
from syngeno.data import samples, vcf
from syngeno.data.store import open_store
from syngeno.errors import BadInput
from syngeno.evaluate import audit

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logs.start(snakemake.log[0])
source, output, params = snakemake.input, snakemake.output, snakemake.params
audited = pd.read_csv(source.audit, sep="\t", dtype={"sample": str}, keep_default_na=False)
label = samples.read_labels(source.labels, params.label)["label"]

withheld = audit.choose(audited, params.withhold)
if len(withheld) == len(audited):
    raise BadInput(source.vcf, "everybody would be withheld", "do not release this cohort, or set `withhold` lower")

with open_store(source.genotypes) as store:
    calls = vcf.read_calls(source.vcf, store.sites())
    released = calls.take(np.flatnonzero(~np.isin(calls.samples, withheld["sample"])))
    vcf.write_vcf(output.vcf, store.sites(), released.samples, released.chunks(), phased=released.phased)
samples.write_labels(output.labels, released.samples, label.loc[released.samples].to_numpy(), params.label)
withheld.to_csv(output.withheld, sep="\t", index=False, float_format="%.6g")
logger.info("%d of %d people withheld", len(withheld), len(audited))
