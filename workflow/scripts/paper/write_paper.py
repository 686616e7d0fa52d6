"""Write the chapter about the paper: its page of tables, and figures."""

from pathlib import Path
from typing import TYPE_CHECKING

from syngeno import logs
from syngeno.data import samples
from syngeno.evaluate import metrics
from syngeno.paper import printed
from syngeno.report import paper_page, style
from syngeno.report.figures import paper

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logs.start(snakemake.log[0])
source, output = snakemake.input, snakemake.output
numbers, published = metrics.read(source.metrics), printed.read(source.published)
labels = samples.read_samples(source.samples)["label"].nunique()
denoisers = {name: printed.denoiser(settings) for name, settings in snakemake.params.generators.items()}

Path(output.page).write_text(paper_page.page(numbers, published, denoisers, labels))
style.save(paper.recovery(numbers), output.recovery)
style.save(paper.aats(numbers), output.aats)
style.save(paper.augmentation(numbers), output.augmentation)
style.save(paper.convergence(numbers), output.convergence)
logger.info("1 page and 4 figures of %d numbers", len(numbers))
