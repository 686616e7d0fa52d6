"""An environment for each stage (`--sdm conda`): the pins of envs/*.yaml are enough for the scripts that run in them.

A stand-in for conda (conda/bin/conda) makes the environments, of pip pins alone. Snakemake itself runs in one that
holds nothing but Snakemake: scripts can import whatever it can, and beside all packages no pin would ever be missed.
"""

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from runs import ROOT, TINY, Run

from syngeno.evaluate import suites
from syngeno.models import catalogue
from syngeno.workflow import codehash

pytestmark = pytest.mark.workflow

STAND_IN = Path(__file__).parent / "conda/bin"
SCRIPTS = ROOT / "workflow/scripts"
ENVS = sorted((ROOT / "envs").glob("*.yaml"))
COHORT = TINY["cohorts"]["tiny"]
LATENT = next(iter(TINY["generators"]))
# Little work, of which every environment has some.
CONFIG = {
    "cohorts": {"tiny": {**COHORT, "simulate": {**COHORT["simulate"], "length": 5e4}}},
    "generators": {LATENT: TINY["generators"][LATENT]},
    "sample": {"shards": 1},
    "release": {"formats": ["plink" if shutil.which("plink2") else "vcf"]},
}
SYNTHETIC = f"results/tiny/{LATENT}/100/1"
FILES = {
    "evaluate": f"{SYNTHETIC}/metrics.fidelity.tsv",
    "formats": f"{SYNTHETIC}/SHA256SUMS",
    "impute": f"{SYNTHETIC}/imputation.tsv",
    "prepare": f"{SYNTHETIC}/synthetic.vcf.gz",
    "train": f"{SYNTHETIC}/history.tsv",
    "umap": "results/tiny/summary/paper_umap.svg",
}
# What scripts import by a name that they are given, by environment.
BY_NAME = {
    "train": [kind.module for kind in catalogue.KINDS.values() if kind.module],
    "evaluate": suites.MODULES.values(),
}


class CondaRun(Run):
    """The workflow with an environment for each stage, by a Snakemake that has none of their packages."""

    @property
    def environments(self):
        return self.folder / "environments"

    def command(self, *arguments):
        _, *command = super().command(*arguments)
        python = str(self.folder / "snakemake/bin/python")
        return [python, *command, "--sdm", "conda", "--conda-prefix", str(self.environments)]

    def environment(self, file):
        """Where Snakemake has put the environment of a file; a copy of the file lies beside it."""
        (copy,) = (one for one in self.environments.glob("*.yaml") if one.read_bytes() == file.read_bytes())
        return copy.with_suffix("")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    run = CondaRun(tmp_path_factory.mktemp("conda"), CONFIG)
    (pin,) = re.findall("^snakemake==.*", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    bare = run.folder / "snakemake.yaml"
    bare.write_text(yaml.safe_dump({"dependencies": [{"pip": [pin]}]}))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", os.pathsep.join([str(STAND_IN), str(Path(sys.executable).parent), os.environ["PATH"]]))
        subprocess.run(["conda", "env", "create", "--file", bare, "--prefix", bare.with_suffix("")], check=True)
        run(*FILES.values())
        yield run


def test_a_chain_runs_with_an_environment_for_each_stage(run):
    assert [*FILES] == [file.stem for file in ENVS]
    assert all((run.folder / path).exists() for path in FILES.values())
    said = "".join(path.read_text() for path in (run.folder / ".snakemake/log").glob("*.log"))
    used = set(re.findall(r"Activating conda environment: \S*/(\w+)", said))
    assert used == {run.environment(file).name for file in ENVS}


def test_snakemake_gives_its_scripts_no_package_of_theirs(run):
    done = subprocess.run([run.folder / "snakemake/bin/python", "-c", "import numpy"], capture_output=True, text=True)
    assert "No module named 'numpy'" in done.stderr


def scripts(env):
    """The scripts of the rules that name an environment."""
    named = re.compile(rf'"\.\./\.\./envs/{env}\.yaml".*?"\.\./scripts/(\w+/\w+\.py)"', re.DOTALL)
    for path in (ROOT / "workflow/rules").glob("*.smk"):
        yield from (SCRIPTS / script for script in named.findall(path.read_text()))


def imports(path):
    """Its import statements, those inside functions too; not that of Snakemake, which gives itself to scripts."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import) or (isinstance(node, ast.ImportFrom) and "snakemake" not in node.module):
            yield ast.unparse(node)


@pytest.mark.parametrize("file", ENVS, ids=lambda file: file.stem)
def test_whatever_its_scripts_import_is_there(run, file):
    """Also in those that this chain does not run."""
    paths = {*scripts(file.stem)}
    assert paths
    library = {name for script in paths for name in codehash.closure(script, *BY_NAME.get(file.stem, ()))}
    paths |= {SCRIPTS / "syngeno" / f"{name.replace('.', '/')}.py" for name in library}
    statements = "\n".join(sorted({statement for path in paths for statement in imports(path)}))
    python = run.environment(file) / "bin/python"
    environment = {**os.environ, "PYTHONPATH": str(SCRIPTS)}
    done = subprocess.run([python, "-c", statements], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
