"""Filter the variants of one chromosome into a store."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from syngeno import logs
from syngeno.data import samples
from syngeno.data.readers import open_source
from syngeno.data.store import StoreWriter, open_store
from syngeno.prepare import filters
from syngeno.stats import linkage

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logs.start(snakemake.log[0])
checked = json.loads(Path(snakemake.input.inputs).read_text())
table = samples.read_samples(snakemake.input.samples)
contig, settings = snakemake.wildcards.contig, dict(snakemake.params.filter)
settings.pop("sample_call_rate")  # of which samples the inputs are checked

with StoreWriter(
    snakemake.output.store, table.index.tolist(), {contig: checked["contig_lengths"].get(contig, 0)}
) as writer:
    counts = filters.filter_contig(
        [open_source(source["path"], source["index"]) for source in checked["sources"]],
        contig,
        table.index.tolist(),
        (table["split"] == "train").to_numpy(),
        table["label"].to_numpy(),
        writer=writer,
        # This is no param, so that adding a generator to a run does not prepare anything again.
        haplotypes=contig not in checked["to_phase"]
        and any(one.get("space") == "haplotype" for one in snakemake.config["generators"].values()),
        **settings,
    )

with open_store(snakemake.output.store) as store:
    r2, train = float("nan"), (table["split"] == "train").to_numpy()
    if contig in checked["to_phase"] and not store.phased:  # linkage decides whether it is
        r2 = linkage.neighbour_r2(store, np.flatnonzero(train), table["label"].to_numpy(str)[train])
    about = {"phased": store.phased, "variants": len(store), "neighbour_r2": None if np.isnan(r2) else r2}
Path(snakemake.output.linkage).write_text(json.dumps(about) + "\n")
pd.DataFrame([{"contig": contig, **counts}]).to_csv(snakemake.output.counts, sep="\t", index=False)
logger.info("%d of %d variants kept", counts["kept"], counts["read"])
