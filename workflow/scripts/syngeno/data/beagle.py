"""Beagle 5 (Browning, Zhou & Browning, Am J Hum Genet 2018), which phases and imputes from a reference panel."""

import logging
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from syngeno.data import genetic_map, vcf
from syngeno.data.cohort import Cohort
from syngeno.data.store import Sites
from syngeno.workflow import tools

log = logging.getLogger(__name__)

# Genotypes of a panel below which imputation takes half the time without Java's optimising compiler and its parallel
# collection of garbage (280 samples x 3,584 variants: 3.3 in place of 6.4 s of CPU); of 18 million, a fifth more.
FEW = 5_000_000
SHORT = " -XX:+UseSerialGC -XX:TieredStopAtLevel=1"


@dataclass(frozen=True)
class Beagle:
    """How Beagle runs: its seed, its threads, the memory of its Java machine, and the folder of its files."""

    folder: Path
    seed: int
    threads: int
    memory_mb: int

    def run(self, *, short: bool = False, **arguments: object) -> None:
        """Call Beagle with `name=value` arguments; raises RuntimeError, with the end of its output, if it fails.

        A `short` run is one that ends before Java's optimising compiler pays.
        """
        given = arguments | {"nthreads": self.threads, "seed": self.seed}
        java = f"-Xmx{self.memory_mb}m -Djava.io.tmpdir={self.folder}{SHORT * short}"
        named = [f"{name}={value}" for name, value in given.items()]
        tools.run("Beagle", [tools.BEAGLE, *named], self.folder, {"JAVA_TOOL_OPTIONS": java})


def available() -> bool:
    """Whether Beagle 5 can be called."""
    return tools.available(tools.BEAGLE)


def impute(
    panel: Cohort,
    phased: bool,
    target: Cohort,
    typed: np.ndarray,
    *,
    seed: int,
    threads: int = 1,
    memory_mb: int = 4000,
) -> np.ndarray:
    """Dosages float32 (target samples, variants) that Beagle imputes from a panel for samples that are typed at some.

    The haplotypes of a panel that is `phased` are taken as they are, other panels are phased first. Of the target
    samples Beagle reads unphased genotypes, at the variants that are `typed`, bool (variants,).
    """
    with tempfile.TemporaryDirectory(prefix="syngeno-imputation-") as name:
        folder = Path(name)
        java = Beagle(folder, seed, threads, memory_mb)
        maps = {}  # without one, Beagle takes 1 cM for 1 Mb
        if panel.cm is not None:
            maps["map"] = folder / "map"
            genetic_map.write_plink(maps["map"], panel.contig, panel.position, panel.cm)
        _write(folder / "target.vcf.gz", target.at(typed), phased=False)
        _write(folder / "panel.vcf.gz", panel, phased)
        reference = folder / "panel.vcf.gz"
        if not phased:
            began = time.monotonic()
            java.run(gt=reference, out=folder / "phased", em="false", **maps)
            log.info("phased a panel of %d samples, %.0f s", len(panel), time.monotonic() - began)
            reference = folder / "phased.vcf.gz"
        short = panel.dosages.size < FEW
        java.run(short=short, gt=folder / "target.vcf.gz", ref=reference, out=folder / "imputed", **maps)
        return _read_dosages(folder / "imputed.vcf.gz", panel, len(target))


def _write(path: Path, cohort: Cohort, phased: bool) -> None:
    names = (np.full(len(cohort.position), letter) for letter in ".AC")
    sites = Sites(cohort.contig, cohort.position, *names, dict.fromkeys(cohort.contig.tolist(), 0))
    ids = [f"{path.name}{number}" for number in range(len(cohort))]  # Beagle refuses ids that are in both files
    chunks = vcf.Calls(ids, cohort.haplotypes, True).chunks() if phased else vcf.unphased_calls(cohort.dosages)
    vcf.write_vcf(path, sites, ids, chunks, phased)


def _read_dosages(path: Path, panel: Cohort, samples: int) -> np.ndarray:
    place = {site: i for i, site in enumerate(zip(panel.contig.tolist(), panel.position.tolist(), strict=True))}
    dosages = np.full((samples, len(place)), np.nan, dtype=np.float32)
    vcf.index(path)  # tells htslib the contigs, which Beagle does not declare
    opened, _ = vcf.open_vcf(path)
    for variant in vcf.variants(path, opened):
        dosages[:, place[variant.CHROM, variant.POS]] = variant.format("DS")[:, 0]
    absent = int(np.isnan(dosages[0]).sum())
    if absent:
        raise RuntimeError(f"Beagle left out {absent} of {len(place)} variants")
    return dosages
