"""The workflow as a module of another one, fetched from a repository, as snakedeploy sets it up."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = [
    pytest.mark.workflow,
    pytest.mark.skipif(not (ROOT / ".git").exists(), reason="the tree is no git repository"),
]

SNAKEFILE = """
SETTINGS = {{
    "cohorts": {{"tiny": {{"simulate": {{"samples": 40, "length": 20000}}, "label": "population"}}}},
    "generators": {{"independent": {{"kind": "independent"}}}},
}}

module syngeno:
    snakefile: github("someone/syngeno", path="workflow/Snakefile", commit="{commit}")
    config: SETTINGS

use rule * from syngeno as syngeno_*
"""


def test_a_module_from_a_repository_brings_its_library(tmp_path):
    commit = subprocess.run(["git", "-C", ROOT, "rev-parse", "HEAD"], check=True, capture_output=True, text=True)
    (tmp_path / "Snakefile").write_text(SNAKEFILE.format(commit=commit.stdout.strip()))
    environment = os.environ | {
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        # git fetches from this tree what Snakemake asks the repository's host for.
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{ROOT.as_uri()}.insteadOf",
        "GIT_CONFIG_VALUE_0": "https://github.com/someone/syngeno",
    }
    target = tmp_path / "results/tiny/prepare/inputs.json"
    command = [sys.executable, "-m", "snakemake", str(target.relative_to(tmp_path)), "--cores", "1"]
    run = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr
    assert target.exists()
