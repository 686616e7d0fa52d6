"""Each stage against the best tool for it: seconds and peak memory side by side, by people and by variants.

Filtering against bcftools (which looks at frequencies and missing calls only), pruning, principal axes and kinship
against plink2, neighbours against scikit-learn, on a simulated cohort; what is not installed is left out. Every
measurement is a process of its own, with one thread; of Python, the start and the imports (some two seconds) are left
out of the time and not of the memory:

    PYTHONPATH=workflow/scripts python tests/benchmarks/stages.py FOLDER [people] [variants]

Prints a line per stage and size and writes them to FOLDER/stages.tsv and, on logarithmic axes, FOLDER/stages.svg.
"""

import contextlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import psutil

from syngeno.data import samples
from syngeno.data.readers import open_source
from syngeno.data.store import StoreWriter, open_store
from syngeno.prepare import filters, ld_pruning, simulate
from syngeno.stats import kinship, pca
from syngeno.stats import nearest as nearest_samples

SHARES = (0.25, 0.5, 1.0)
TRAIT = {"heritability": 0.5, "prevalence": 0.3, "causal": 20}  # of the simulated cohort, for nothing here
BASES = 62  # of a simulated chromosome for each variant
ALONE = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "BLOSC_NTHREADS")}
THRESHOLDS = {"call_rate": 0.95, "maf": 0.01, "hwe": 1e-6}


def filtered(folder: Path, name: str = "filtered", thresholds: dict = THRESHOLDS) -> None:
    """VCF to store, as the rule does."""
    table = samples.read_table(folder / "samples.tsv")
    names, label = table["sample"].tolist(), table["population"].to_numpy()
    with StoreWriter(folder / f"{name}.zarr.zip", names, {"1": 0}) as writer:
        source, train = open_source(folder / "cohort.vcf.gz"), np.ones(len(names), bool)
        filters.filter_contig([source], "1", names, train, label, **thresholds, seed=1, writer=writer)


def pruned(folder: Path) -> None:
    """Marks of unlinked variants."""
    with open_store(folder / "cohort.zarr.zip") as store:
        ld_pruning.keep_unlinked(store.dosage_rows(), window=200, step=50, r2=0.8)


def on_axes(folder: Path) -> None:
    """Ten principal axes."""
    with open_store(folder / "cohort.zarr.zip") as store:
        dosages = store.dosages()
    pca.fit_axes(dosages, 10).coordinates(dosages)


def related(folder: Path) -> None:
    """Pairs of relatives."""
    with open_store(folder / "cohort.zarr.zip") as store:
        kinship.relatives(store.dosages(), store.samples)


def nearest(folder: Path) -> None:
    """The nearest other of each person."""
    with open_store(folder / "cohort.zarr.zip") as store:
        dosages = store.dosages()
    nearest_samples.nearest(dosages[::2], dosages[1::2], "l1")


def nearest_elsewhere(folder: Path) -> None:
    """The same by scikit-learn."""
    from sklearn.neighbors import NearestNeighbors

    with open_store(folder / "cohort.zarr.zip") as store:
        dosages = store.dosages().astype(np.float32)
    NearestNeighbors(n_neighbors=1, algorithm="brute", metric="manhattan").fit(dosages[1::2]).kneighbors(dosages[::2])


PLINK = "plink2 --threads 1 --bfile {0}/cohort --out {0}/plink "
# Stage: our function, and the other tool, a command or a function.
STAGES = {
    "filter": (
        filtered,
        "bcftools view --min-af 0.01:minor --exclude 'F_MISSING>0.05' --output-type u {0}/cohort.vcf.gz"
        " | bcftools query --format '%CHROM\\t%POS\\t%REF\\t%ALT[\\t%GT]\\n' > {0}/filtered.tsv",
    ),
    "prune": (pruned, PLINK + "--indep-pairwise 200 50 0.8"),
    "axes": (on_axes, PLINK + "--pca approx 10"),
    "kinship": (related, PLINK + "--make-king-table --king-table-filter 0.0884"),
    "neighbours": (nearest, nearest_elsewhere),
}


def prepare(folder: Path, count: int, variants: int) -> None:
    """A cohort in all the forms that are asked for: as many people, and about as many variants."""
    files = [folder / name for name in ("cohort.vcf.gz", "samples.tsv", "genes", "causal")]
    simulate.write_cohort([files[0]], *files[1:], samples=count, length=BASES * variants, seed=1, **TRAIT)
    filtered(folder, "cohort", dict.fromkeys(THRESHOLDS))
    if shutil.which("plink2"):
        command = ["plink2", "--vcf", files[0], "--max-alleles", "2", "--make-bed", "--out", folder / "cohort"]
        subprocess.run([*command, "--set-all-var-ids", "@:#:$r:$a"], check=True, stdout=subprocess.DEVNULL)


def measured(command: list[str] | str) -> tuple[float, float]:
    """Seconds and peak megabytes of a command and of what it starts; seconds as it says itself, if it does."""
    begun, peak = time.perf_counter(), 0
    shell, pipes = isinstance(command, str), {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    process = psutil.Popen(command, shell=shell, env=os.environ | ALONE, text=True, **pipes)
    while process.poll() is None:
        with contextlib.suppress(psutil.NoSuchProcess):
            peak = max(peak, sum(one.memory_info().rss for one in [process, *process.children(recursive=True)]))
        time.sleep(0.005)
    seconds = time.perf_counter() - begun
    if process.returncode:
        sys.exit(f"failed: {command}")
    said = re.search(r"^(\d+\.\d+) seconds$", process.stdout.read(), re.M)
    return float(said[1]) if said else seconds, peak / 1e6


def alone(stage: str, column: str, folder: str) -> None:
    """Run one function and say how long it took: not what the interpreter and imports do."""
    begun = time.perf_counter()
    STAGES[stage][int(column)](Path(folder))
    print(f"{time.perf_counter() - begun:.4f} seconds")


def compared(folder: Path, varied: str) -> list[dict[str, object]]:
    """A row for each stage: seconds and megabytes of ours and of the other tool, on the cohort in this folder."""
    with open_store(folder / "cohort.zarr.zip") as store:
        size = {"varied": varied, "people": len(store.samples), "variants": len(store)}
    rows = []
    for stage, (_, tool) in STAGES.items():
        ours = measured([sys.executable, __file__, "--one", stage, "0", str(folder)])
        if callable(tool):
            theirs = measured([sys.executable, __file__, "--one", stage, "1", str(folder)])
        elif shutil.which(tool.split()[0]):
            theirs = measured(tool.format(folder))
        else:
            continue
        name = "scikit-learn" if callable(tool) else tool.split()[0]
        row = dict(zip(("seconds", "mb", "tool_seconds", "tool_mb"), ours + theirs, strict=True))
        rows.append({"stage": stage, "tool": name, **size, **row, "ratio": row["seconds"] / row["tool_seconds"]})
        print("{stage:>10} {people:7} {variants:8} {seconds:8.1f} {mb:6.0f}".format(**rows[-1]), end=" ")
        print("{tool:>12} {tool_seconds:8.1f} {tool_mb:6.0f} {ratio:6.1f}".format(**rows[-1]), flush=True)
    return rows


def drawn(table: pd.DataFrame, path: Path) -> None:
    """Seconds by people and by variants, a panel each."""
    matplotlib.use("svg")
    figure, panels = plt.subplots(1, 2, figsize=(11, 4.5), sharey=True, layout="constrained")
    for panel, varied in zip(panels, ("people", "variants"), strict=True):
        for number, (stage, rows) in enumerate(table[table["varied"] == varied].groupby("stage", sort=False)):
            rows = rows.sort_values(varied)
            panel.plot(rows[varied], rows["seconds"], "o-", color=f"C{number}", label=stage)
            label = f"{stage}, {rows['tool'].iloc[0]}"
            panel.plot(rows[varied], rows["tool_seconds"], "s:", color=f"C{number}", label=label)
        panel.set(xscale="log", yscale="log", xlabel=varied)
    panels[0].set_ylabel("seconds")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside right center")
    figure.savefig(path)


def main(folder: Path, count: int = 2504, variants: int = 10_000) -> None:
    """Measure, print, write and draw."""
    folder.mkdir(parents=True, exist_ok=True)
    print("     stage  people variants  seconds     MB         tool  seconds     MB  ratio")
    rows = []
    for varied in ("people", "variants"):
        for share in SHARES:
            sizes = [
                int(whole * (share if name == varied else 1))
                for name, whole in (("people", count), ("variants", variants))
            ]
            with tempfile.TemporaryDirectory(dir=folder) as one:
                prepare(Path(one), *sizes)
                rows += compared(Path(one), varied)
    table = pd.DataFrame(rows)
    table.to_csv(folder / "stages.tsv", sep="\t", index=False, float_format="%.3f")
    drawn(table, folder / "stages.svg")


if __name__ == "__main__":
    if sys.argv[1] == "--one":
        alone(*sys.argv[2:])
    else:
        main(Path(sys.argv[1]), *map(int, sys.argv[2:]))
