"""Write the landing page of a cohort."""

import json
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from syngeno import logs
from syngeno.data import samples
from syngeno.evaluate import metrics
from syngeno.report import contents, html, landing
from syngeno.version import VERSION

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logs.start(snakemake.log[0])
source, params = snakemake.input, snakemake.params
table = samples.read_samples(source.samples)
judged = samples.judged(table, params.labels)

page = landing.landing_page(
    metrics.read(source.metrics),
    cohort=snakemake.wildcards.cohort,
    version=VERSION,
    date=date.today().isoformat(),
    samples=table,
    judged=judged,
    about=json.loads(Path(source.cohort).read_text()),
    relatives=samples.read_relatives(source.relatives, judged).dropna(),
    looked_for=json.loads(Path(source.search).read_text())["by"],
    generators=[landing.Generator(**one) for one in params.generators],
    withheld=params.withheld,
    pictures=[
        html.picture(contents.COHORT[key], caption, Path(source[key]).read_text())
        for key, caption in params.captions.items()
    ],
)

Path(snakemake.output.landing).write_text(page)
logger.info("%d generators", len(params.generators))
