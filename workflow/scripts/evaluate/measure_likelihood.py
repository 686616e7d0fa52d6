"""Measure how likely held-out people are under a control that can say it, in nats."""

import json
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from syngeno import logs
from syngeno.data import genetic_map, samples
from syngeno.data.store import open_store
from syngeno.evaluate import metrics

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logs.start(snakemake.log[0])
source, wildcards, kind = snakemake.input, snakemake.wildcards, snakemake.params.kind
members, table = samples.read_people(source.members), samples.read_people(source.people)
test = table[table["split"] == "test"]
control, settings = import_module(f"syngeno.{snakemake.params.module}"), json.loads(Path(source.settings).read_text())

with open_store(source.genotypes) as store:
    if kind == "copying":
        place = genetic_map.places(store.contig, store.position, source.get("genetic_map"))
        settings |= {"place": place, "threads": snakemake.threads}
    train = store.rows(members.index), members["label"].to_numpy()
    heldout = store.rows(test.index), test["label"].to_numpy()
    nats = control.nats(store, *train, *heldout, **settings)

rows = metrics.rows(nats, test["label"].to_numpy())
subject = {"generator": wildcards.generator, "fraction": int(wildcards.fraction), "seed": wildcards.seed}
metrics.write(metrics.table(rows, **subject), snakemake.output.likelihood)
logger.info("%.1f nats per held-out sequence by the %s control", nats.mean(), kind)
