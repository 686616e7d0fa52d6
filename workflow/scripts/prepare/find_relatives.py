"""Look for relatives among the samples, before they are split."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from syngeno import logs
from syngeno.data.readers import open_source
from syngeno.prepare import relatives

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logs.start(snakemake.log[0])
output = snakemake.output
checked = json.loads(Path(snakemake.input.inputs).read_text())
samples = checked["samples"]
sources = [open_source(source["path"], source["index"]) for source in checked["sources"]]

spread = relatives.read_spread(sources, checked["contigs"], samples, snakemake.params.pass_only)
pairs, way = relatives.find(spread, samples, relatives.in_pedigree(sources[0].families, samples))
families, degree = relatives.families(pairs, samples)

pairs.to_csv(output.relatives, sep="\t", index=False, float_format="%.4f")
families.to_csv(output.families, sep="\t", index_label="sample")
Path(output.search).write_text(json.dumps({"by": way, "variants": len(spread.position), "together": degree}) + "\n")
logger.info("%d pairs by %s, at %d variants", len(pairs), way, len(spread.position))
