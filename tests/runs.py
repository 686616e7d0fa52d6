"""The workflow on a tiny cohort, as the tests run it in a temporary folder."""

import os
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]

TINY = {
    "cohorts": {
        "tiny": {
            "simulate": {"samples": 160, "length": 1.5e5},
            "label": "population",
            "split": {"train": 0.5, "validation": 0.1, "test": 0.4},
        }
    },
    "generators": {
        "latent": {
            "kind": "latent_diffusion",
            "denoiser": {"mlp_widths": [64, 32], "cnn_base": 8, "cnn_multipliers": [1, 2], "cnn_attention": [2]},
            "diffusion": {"steps": 50},
            "training": {"epochs": 3},
            "sampler": {"sampler": "ddim", "steps": 5},
        },
        "haplotypes": {
            "kind": "haplotype_diffusion",
            "clusters": {"number": 8},
            "reranker": {"epochs": 3, "least_steps": 30},
            "sampler": {"steps": 2, "candidates": 4},
        },
        "resampled": {"kind": "haplotype_diffusion", "model": "haplotypes", "sampler": {"steps": 1}},
        "independent": {"kind": "independent"},
        "markov": {"kind": "markov", "order": 3},
        "li_stephens": {"kind": "li_stephens"},
        "copycat": {"kind": "copycat"},
    },
    "sample": {"shards": 2},
    "evaluate": {
        "splits": {"fidelity": 5, "privacy": 5, "audit": 5},
        "utility": {"classifiers": ["logistic_regression"]},
        "ablation": {"Steps": ["haplotypes", "resampled"]},
    },
}


class Run:
    """A folder, a run file in it, and the workflow of some checkout."""

    def __init__(self, folder, config=TINY, root=ROOT):
        self.folder, self.root = Path(folder), Path(root)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.configure(config)

    def configure(self, config):
        (self.folder / "run.yaml").write_text(yaml.safe_dump(config))

    def command(self, *arguments):
        return [
            sys.executable, "-m", "snakemake", *arguments, "--snakefile", str(self.root / "Snakefile"),
            "--directory", str(self.folder), "--configfile", str(self.folder / "run.yaml"), "--cores", "2",
            "--max-threads", "1", "--scheduler", "greedy",
        ]  # fmt: skip

    def start(self, *arguments):
        # Threads that wait for each other by spinning make a busy machine slower by far.
        environment = {**os.environ, "OMP_WAIT_POLICY": "passive"}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)  # each job would compile the library anew
        return subprocess.Popen(
            self.command(*arguments),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment,
            start_new_session=True,
        )

    def __call__(self, *arguments, fails=False):
        process = self.start(*arguments)
        said, _ = process.communicate()
        assert (process.returncode != 0) == fails, said
        return said

    def planned(self, *arguments):
        """Jobs of a dry run: rule -> how many."""
        said = self(*arguments, "--dry-run", "--quiet", "host")
        if "Nothing to be done" in said:
            return {}
        table = said.split("Job stats:")[1].strip().splitlines()[2:]
        jobs = {}
        for line in table:
            if line.startswith("total"):
                break
            rule, count = line.split()
            jobs[rule] = int(count)
        return jobs

    def read(self, path):
        return (self.folder / "results" / path).read_bytes()
