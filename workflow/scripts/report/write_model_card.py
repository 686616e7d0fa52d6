"""Write the model card of a synthetic cohort."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from syngeno import logs
from syngeno.data import samples
from syngeno.evaluate import metrics
from syngeno.report import model_card

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logs.start(snakemake.log[0])
source, wildcards, params = snakemake.input, snakemake.wildcards, snakemake.params
chosen = json.loads(Path(source.chosen).read_text()) if source.chosen else {}

page = model_card.model_card_page(
    metrics.read(source.metrics),
    cohort=wildcards.cohort,
    generator=wildcards.generator,
    fraction=int(wildcards.fraction),
    seed=int(wildcards.seed),
    sentence=params.sentence,
    source=params.source,
    suits=params.suits,
    linkage=json.loads(Path(source.cohort).read_text())["linkage"],
    settings=params.settings | chosen,
    training=samples.read_samples(source.training)["label"],
    synthetic=samples.read_labels(source.labels, params.label)["label"],
    withheld=pd.read_csv(source.withheld, sep="\t", keep_default_na=False) if source.withheld else None,
)

Path(snakemake.output.card).write_text(page)
logger.info("%d characters", len(page))
