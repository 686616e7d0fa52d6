"""Draw synthetic and real people side by side."""

from typing import TYPE_CHECKING

from syngeno import association, figures, ld, log, people, portraits, structure, synthetic
from syngeno.store import open_store

if TYPE_CHECKING:
    from snakemake.iocontainers import snakemake

logger = log.start(snakemake.log[0])
source, table = snakemake.input, people.read_people(snakemake.input.people)
with open_store(source.genotypes) as store:
    train, test = (synthetic.real_cohort(store, table[table["split"] == part]) for part in ("train", "test"))
    cohorts = {
        vcf.split("/")[-4]: synthetic.read_cohort(vcf, labels, snakemake.params.label, store)
        for vcf, labels in zip(source.vcf, source.labels, strict=True)
    }
panels = {**cohorts, "held-out people": test}

behind, *coordinates = structure.coordinates(train, *panels.values())
labels = {name: cohort.label for name, cohort in panels.items()}
pca = portraits.pca(dict(zip(panels, coordinates, strict=True)), labels, behind)
frequencies = portraits.allele_frequencies({name: one.frequency for name, one in panels.items()}, train.frequency)
sites, where = ld.densest_region(train)
blocks = {name: ld.matrix(one, sites) for name, one in panels.items()}

what, scans = association.scanned(train, *panels.values())
if scans:
    beside = dict(zip(panels, scans[1:], strict=True))
    scan = portraits.association(beside, scans[0], train.contig, train.position, what)
else:
    scan = figures.without("Nothing to scan for: everybody has the same label.")

figures.save(pca, snakemake.output.pca)
figures.save(frequencies, snakemake.output.allele_frequencies)
figures.save(portraits.ld_blocks(blocks, ld.matrix(train, sites), where), snakemake.output.ld_blocks)
figures.save(scan, snakemake.output.association)
logger.info("4 figures of %d cohorts", len(panels))
