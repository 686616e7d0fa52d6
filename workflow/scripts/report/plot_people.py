"""Draw synthetic and real people side by side."""

from typing import TYPE_CHECKING

from syngeno import logs
from syngeno.data import cohort as data_cohort
from syngeno.data import samples
from syngeno.data.store import open_store
from syngeno.evaluate import association
from syngeno.report import style
from syngeno.report.figures import cohorts as cohort_figures
from syngeno.stats import ld, structure

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = logs.start(snakemake.log[0])
source, table = snakemake.input, samples.read_people(snakemake.input.people)
with open_store(source.genotypes) as store:
    train, test = (data_cohort.real_cohort(store, table[table["split"] == part]) for part in ("train", "test"))
    cohorts = {
        vcf.split("/")[-4]: data_cohort.read_cohort(vcf, labels, snakemake.params.label, store)
        for vcf, labels in zip(source.vcf, source.labels, strict=True)
    }
panels = {**cohorts, "held-out people": test}

behind, *coordinates = structure.coordinates(train, *panels.values())
labels = {name: cohort.label for name, cohort in panels.items()}
pca = cohort_figures.pca(dict(zip(panels, coordinates, strict=True)), labels, behind)
frequencies = cohort_figures.allele_frequencies({name: one.frequency for name, one in panels.items()}, train.frequency)
sites, where = ld.densest_region(train)
blocks = {name: ld.matrix(one, sites) for name, one in panels.items()}

what, scans = association.scanned(train, *panels.values())
if scans:
    beside = dict(zip(panels, scans[1:], strict=True))
    scan = cohort_figures.association(beside, scans[0], train.contig, train.position, what)
else:
    scan = style.without("Nothing to scan for: everybody has the same label.")

style.save(pca, snakemake.output.pca)
style.save(frequencies, snakemake.output.allele_frequencies)
style.save(cohort_figures.ld_blocks(blocks, ld.matrix(train, sites), where), snakemake.output.ld_blocks)
style.save(scan, snakemake.output.association)
logger.info("4 figures of %d cohorts", len(panels))
