"""Tune a control (independent, Markov, copying, factors) on validation people and draw synthetic people from it."""

import json
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from syngeno import logs
from syngeno.data import genetic_map, vcf
from syngeno.data import samples as sample_tables
from syngeno.data.store import open_store

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logs.start(snakemake.log[0])
source, params, seed = snakemake.input, snakemake.params, int(snakemake.wildcards.seed)
members, table = sample_tables.read_people(source.members), sample_tables.read_people(source.people)
validation = table[table["split"] == "validation"]
count = {None: len(members), "train": (table["split"] == "train").sum()}.get(params.people, params.people)
wanted = sample_tables.label_plan(members["label"], count, params.labels)
samples = vcf.synthetic_ids(len(wanted))
control, settings, more = import_module(f"syngeno.{params.module}"), dict(params.settings), {}

with open_store(source.genotypes) as store:
    train = store, store.rows(members.index), members["label"].to_numpy()
    if params.kind == "copying":
        more = {"place": genetic_map.places(store.contig, store.position, source.get("genetic_map"))}
    chosen = store.rows(validation.index), validation["label"].to_numpy()
    settings |= control.tune(*train, *chosen, seed=seed, **settings, **more)
    calls = control.draw(*train, wanted, seed=seed, **settings, **more)
    vcf.write_vcf(snakemake.output.vcf, store.sites(), samples, calls, phased=store.phased)
sample_tables.write_labels(snakemake.output.labels, samples, wanted, params.label)
Path(snakemake.output.settings).write_text(json.dumps(settings, indent=2) + "\n")
logger.info("%d people drawn by the %s control with %s", len(samples), params.kind, settings)
