"""Draw synthetic and real samples side by side."""

from typing import TYPE_CHECKING

from syngeno import logs
from syngeno.data import cohort, samples
from syngeno.data.store import open_store
from syngeno.evaluate import association
from syngeno.report import style
from syngeno.report.figures import cohorts as figures
from syngeno.stats import ld, structure

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logs.start(snakemake.log[0])
source, params = snakemake.input, snakemake.params
table = samples.read_judged(source.samples, params.labels)
with open_store(source.genotypes) as store:
    train, test = (cohort.real_cohort(store, table[table["split"] == part]) for part in ("train", "test"))
    panels = {
        name: cohort.read_cohort(drawn, labels, params.label, store)
        for name, drawn, labels in zip(params.generators, source.synthetic, source.labels, strict=True)
    }
panels["held-out samples"] = test

behind, *coordinates = structure.coordinates(train, *panels.values())
labels = {name: panel.label for name, panel in panels.items()}
pca = figures.pca(dict(zip(panels, coordinates, strict=True)), labels, behind)
frequencies = figures.allele_frequencies({name: panel.frequency for name, panel in panels.items()}, train.frequency)
sites, where = ld.densest_region(train)
blocks = figures.ld_blocks(
    {name: ld.matrix(panel, sites) for name, panel in panels.items()}, ld.matrix(train, sites), where
)
what, scans = association.scanned(train, *panels.values())
scan = style.without("Nothing to scan for: all samples have the same label.")
if scans:
    beside = dict(zip(panels, scans[1:], strict=True))
    scan = figures.association(beside, scans[0], train.contig, train.position, what)

style.save(pca, snakemake.output.pca)
style.save(frequencies, snakemake.output.allele_frequencies)
style.save(blocks, snakemake.output.ld_blocks)
style.save(scan, snakemake.output.association)
logger.info("4 figures of %d cohorts", len(panels))
