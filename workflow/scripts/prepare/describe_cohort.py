"""Describe the prepared cohort, and say which generators of the run suit it."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from syngeno import logs
from syngeno.data import samples
from syngeno.data.store import open_store
from syngeno.models.catalogue import KINDS
from syngeno.stats import linkage

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logs.start(snakemake.log[0])
table = samples.read_samples(snakemake.input.samples)
checked = json.loads(Path(snakemake.input.inputs).read_text())
known = zip(checked["contigs"], snakemake.input.linkage, strict=True)
unphased = [contig for contig, path in known if not json.loads(Path(path).read_text())["phased"]]

with open_store(snakemake.input.genotypes) as store:
    train = (table.loc[store.samples, "split"] == "train").to_numpy()
    label = table.loc[store.samples, "label"].to_numpy(str)
    r2 = linkage.neighbour_r2(store, np.flatnonzero(train), label[train])
    about = {
        "variants": len(store),
        "phased": store.phased,
        "chromosomes": len(checked["contigs"]),
        "phased_by_beagle": len(unphased) if store.phased else 0,
        "neighbour_r2": None if np.isnan(r2) else round(r2, 4),
        "linkage": linkage.linkage(r2),
    }

Path(snakemake.output.cohort).write_text(json.dumps(about) + "\n")
# This is no param, so that adding a generator to a run does not describe anything again.
suited = [
    name
    for name, settings in snakemake.config["generators"].items()
    if about["linkage"] and KINDS[settings["kind"]].suits == about["linkage"]
]
logger.log(
    logs.NOTICE,
    "%s: %s variants (r2 of neighbours %.3f), %s%s",
    snakemake.wildcards.cohort,
    about["linkage"] or "too few",
    r2,
    "phased by Beagle" if about["phased_by_beagle"] else "phased" if about["phased"] else "unphased",
    f", which {' and '.join(suited)} {'suits' if len(suited) == 1 else 'suit'}" if suited else "",
)
late = sorted(set(unphased) - {*checked["unphased"], *checked["to_phase"]})
wanted = snakemake.config["cohorts"][snakemake.wildcards.cohort]["phasing"] != "never"
if late and wanted and about["linkage"] == "linked":
    fact = f"calls without phase come only beyond the first records of {len(late)} chromosomes ({', '.join(late[:5])})"
    logger.log(logs.NOTICE, "%s: all are modelled as dosages; `phasing: always` phases these", fact)
