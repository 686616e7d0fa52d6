"""Write the chapter about the paper: its page of tables, and figures."""

from pathlib import Path
from typing import TYPE_CHECKING

from syngeno import chapter, figures, kenneweg, log, metrics, people, reproduction

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = log.start(snakemake.log[0])
source, output = snakemake.input, snakemake.output
numbers, published = metrics.read(source.metrics), kenneweg.read(source.published)
labels = people.read_people(source.people)["label"].nunique()
denoisers = {name: kenneweg.denoiser(settings) for name, settings in snakemake.params.generators.items()}

Path(output.page).write_text(chapter.page(numbers, published, denoisers, labels))
figures.save(reproduction.recovery(numbers), output.recovery)
figures.save(reproduction.aats(numbers), output.aats)
figures.save(reproduction.augmentation(numbers), output.augmentation)
figures.save(reproduction.convergence(numbers), output.convergence)
logger.info("1 page and 4 figures of %d numbers", len(numbers))
