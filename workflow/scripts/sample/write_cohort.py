"""Write the samples of all shards as one VCF with labels, and as a store."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from syngeno import logs
from syngeno.data import samples, store, vcf

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logs.start(snakemake.log[0])
source, output, params = snakemake.input, snakemake.output, snakemake.params
about = vcf.synthetic_line(dict(snakemake.wildcards.items()), params.kind)
table, training = samples.read_samples(source.samples), samples.read_samples(source.training)
label = samples.labels_to_draw(table, training, params.size, params.labels)
ids = vcf.synthetic_ids(len(label), json.loads(Path(source.inputs).read_text())["synthetic_prefix"])

store.concatenate(source.shards, output.store, ids)
with store.open_store(output.store) as drawn:
    calls = drawn.iterate(np.arange(len(ids)))
    vcf.write_vcf(output.vcf, drawn.sites(), ids, calls, phased=drawn.phased, about=about)
samples.write_labels(output.labels, ids, label, params.label)
logger.info("%d samples", len(ids))
