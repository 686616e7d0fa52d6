"""The page on adding a generator is right: its four edits, made in a copy, give a generator that runs."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from runs import ROOT, TINY, Run

PAGE = ROOT / "docs/developers/add-a-generator.md"
# A block's first line says to which file it belongs, and for a file that is there, where in it.
BLOCK = re.compile(r'```\w+\n# ([\w/.]+)(?:, after the line "([^\n]+)"|, (at the end))?\n(.*?)```', re.DOTALL)
FILES = {
    "workflow/scripts/syngeno/models/constant.py",
    "workflow/scripts/syngeno/models/catalogue.py",
    "workflow/schemas/config.schema.yaml",
    "tests/unit/models/test_constant.py",
}


@pytest.fixture(scope="module")
def edited(tmp_path_factory):
    """A copy of what the page edits and what that needs, with the blocks of the page in their places."""
    root = tmp_path_factory.mktemp("edited")
    for folder in ("workflow", "envs", "config", "resources", "docs/reference"):
        shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    (root / "tests/unit/models").mkdir(parents=True)
    for file in ("Snakefile", "pyproject.toml", "tests/stores.py", "tests/settings.py"):
        shutil.copy(ROOT / file, root / file)
    for file, after, end, text in BLOCK.findall(PAGE.read_text()):
        path = root / file
        if after:
            lines = path.read_text().split("\n")
            assert lines.count(after) == 1, f"{file}: {after}"
            lines.insert(lines.index(after) + 1, text.rstrip("\n"))
            path.write_text("\n".join(lines))
        elif end:
            path.write_text(path.read_text() + text)
        else:
            assert not path.exists()
            path.write_text(text)
    return root


def python(root, *arguments):
    done = subprocess.run([sys.executable, *arguments], cwd=root, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_block_of_code_has_a_place_and_there_are_four_files():
    page = PAGE.read_text()
    assert len(BLOCK.findall(page)) == page.count("```") // 2
    assert {file for file, *_ in BLOCK.findall(page)} == FILES


def test_it_is_fitted_saved_loaded_and_sampled(edited):
    assert re.search(r"\b4 passed", python(edited, "-m", "pytest", "-p", "no:cacheprovider", "tests/unit/models", "-v"))


def test_lint_has_nothing_to_say(edited):
    python(edited, "-m", "ruff", "check", "--no-cache", ".")
    python(edited, "-m", "ruff", "format", "--no-cache", "--check", ".")


def test_its_keys_are_checked_and_stand_in_the_reference(edited):
    script = """
import sys
from pathlib import Path
import yaml
sys.path[:0] = ["workflow/scripts", "docs/reference"]
from syngeno.errors import BadInput
from syngeno.models.catalogue import KINDS
from syngeno.workflow import runfile
from generate import config_page
schema = Path("workflow/schemas/config.schema.yaml")
run = {"cohorts": {"mine": {"simulate": {}, "label": "population"}}, "generators": {"mine": {"kind": "constant"}}}
runfile.check(run, schema)
run["generators"]["mine"]["pooled"] = True
try:
    runfile.check(run, schema)
except BadInput as error:
    print(error)
print(config_page(yaml.safe_load(schema.read_text()), KINDS))
"""
    told = python(edited, "-c", script)
    assert "generators.mine: there is no key 'pooled'; known keys: kind, fractions, canaries" in told
    assert "\n### constant\n" in told


def test_the_rules_take_it(edited, tmp_path):
    config = TINY | {"generators": {"toy": {"kind": "constant"}, "independent": {"kind": "independent"}}}
    del config["evaluate"]
    jobs = Run(tmp_path / "run", config, root=Path(edited)).planned("results/tiny/toy/100/1/synthetic.vcf.gz")
    assert jobs["fit_generator"] == jobs["write_cohort"] == 1
    assert jobs["draw"] == TINY["sample"]["shards"]
