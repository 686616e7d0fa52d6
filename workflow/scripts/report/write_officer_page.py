"""Write the page on which a data-protection officer decides, as HTML and as Markdown."""

import hashlib
import json
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from syngeno import logs
from syngeno.data import samples
from syngeno.evaluate import metrics
from syngeno.report import html, officer
from syngeno.version import VERSION

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logs.start(snakemake.log[0])
source, wildcards, params = snakemake.input, snakemake.wildcards, snakemake.params
judged = samples.judged(samples.read_samples(source.samples), params.labels)
drawn = [len(samples.read_labels(path, params.label)) for path in source.drawn]
with Path(source.vcf).open("rb") as file:
    checksum = hashlib.file_digest(file, "sha256").hexdigest()

page = officer.page(
    metrics.read(source.metrics),
    officer.Release(
        cohort=wildcards.cohort,
        generator=wildcards.generator,
        fraction=int(wildcards.fraction),
        seed=int(wildcards.seed),
        sentence=params.sentence,
        source=params.source,
        epsilon=params.settings.get("training", {}).get("epsilon"),
        variants=json.loads(Path(source.cohort).read_text())["variants"],
        contigs=pd.read_csv(source.variants, sep="\t", dtype={"contig": str})["contig"].tolist(),
        checksum=checksum,
        training=samples.read_samples(source.training)["label"],
        synthetic=samples.read_labels(source.labels, params.label)["label"],
        withheld=pd.read_csv(source.withheld, sep="\t", dtype=str, keep_default_na=False) if source.withheld else None,
        drawn=drawn,
        others=params.others,
    ),
    version=VERSION,
    date=date.today().isoformat(),
    samples=judged,
    relatives=samples.read_relatives(source.relatives, judged).dropna(),
    looked_for=json.loads(Path(source.search).read_text())["by"],
)

Path(snakemake.output.html).write_text(html.page("officer", **page._asdict()))
Path(snakemake.output.markdown).write_text(html.markdown("officer", **page._asdict()))
logger.info("%s", page.verdict)
