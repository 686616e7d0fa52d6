"""What every rule costs, by people and variants: the workflow on simulated cohorts, one after the other.

    python tests/benchmarks/cost.py FOLDER PEOPLE:VARIANTS[:GENERATOR+...] ...

Variants are those of a frequency of 1 % or more, about, and none are pruned. A generator of each kind (or those named)
is judged by all batteries; the diffusion of latents is trained for two epochs only. Prints, for each rule and size, how
many jobs there were, the seconds, CPU seconds and peak memory of the largest of them (Snakemake's benchmarks), and
writes the same to FOLDER/cost.tsv, and the sizes of what is kept to FOLDER/disk.tsv.
"""

import subprocess
import sys
from pathlib import Path

import pandas as pd
import yaml

ROOT = Path(__file__).parents[2]
RULES = {path.stem for path in (ROOT / "workflow/scripts").glob("*/*.py")}
BASES = 330  # of both simulated chromosomes together, for a variant that is kept
CONFIG = {
    "generators": {
        "haplotypes": {"kind": "haplotype_diffusion"},
        "latent": {
            "kind": "latent_diffusion",
            "training": {"epochs": 2},
            "sampler": {"sampler": "ddim", "steps": 50},
        },
        "li_stephens": {"kind": "li_stephens"},
        "independent": {"kind": "independent"},
    },
    "evaluate": {"splits": {"fidelity": 5, "privacy": 5, "audit": 5, "utility": 2}},
}


def run(folder: Path, people: int, variants: int, generators: list[str]) -> pd.DataFrame:
    """A row for each job of a run on so many people and about so many variants, with these generators."""
    folder.mkdir(parents=True, exist_ok=True)
    cohort = {"simulate": {"samples": people, "length": BASES * variants / 2}, "label": "population"}
    config = {"cohorts": {"cost": cohort | {"filter": {"hwe": 0}, "prune": {"r2": None}}}, **CONFIG}
    config["generators"] = {name: CONFIG["generators"][name] for name in generators}
    (folder / "run.yaml").write_text(yaml.safe_dump(config))
    command = ["snakemake", "prepare", "evaluate", "--cores", "1", "--rerun-incomplete", "--quiet", "rules", "progress"]
    command += ["--snakefile", ROOT / "Snakefile", "--directory", folder, "--configfile", folder / "run.yaml"]
    subprocess.run([sys.executable, "-m", *map(str, command)], check=True)
    kept = pd.read_csv(folder / "results/cost/prepare/variants.tsv", sep="\t")
    rows = []
    for path in (folder / "results/benchmarks").rglob("*.tsv"):
        parts = path.relative_to(folder / "results/benchmarks").with_suffix("").parts
        rule = next(part for part in parts if part in RULES)
        job = pd.read_csv(path, sep="\t").iloc[0]
        size = {"rule": rule, "people": people, "variants": int(kept["unlinked"].sum())}
        rows.append({**size, "seconds": job["s"], "cpu": job["cpu_time"], "mb": job["max_rss"]})
    return pd.DataFrame(rows)


def disk(folder: Path) -> pd.DataFrame:
    """Megabytes of each kind of file, a generator's or a chromosome's together."""
    files = [path for path in (folder / "results").rglob("*") if path.is_file()]
    sizes = pd.DataFrame({"file": [path.name for path in files], "mb": [path.stat().st_size / 1e6 for path in files]})
    return sizes.groupby("file", as_index=False).sum()


def main(folder: Path, sizes: list[str]) -> None:
    """Run, print and write."""
    jobs, kept = [], []
    for size in sizes:
        people, variants, *named = size.split(":")
        generators = named[0].split("+") if named else list(CONFIG["generators"])
        own = folder / size.replace(":", "_")
        jobs.append(run(own, int(people), int(variants), generators))
        kept.append(disk(own).assign(people=int(people), variants=jobs[-1]["variants"].iloc[0]))
        by_rule = pd.concat(jobs).groupby(["rule", "people", "variants"])
        table = by_rule[["seconds", "cpu", "mb"]].max().assign(jobs=by_rule.size()).round(1)
        table.to_csv(folder / "cost.tsv", sep="\t")
        pd.concat(kept).to_csv(folder / "disk.tsv", sep="\t", index=False, float_format="%.3f")
        print(table.to_string(), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
