"""Dry runs and lint never open the env files, so this does: pins agree, and every import of a stage is covered."""

import ast
import re
import sys
from pathlib import Path

import pytest
import yaml

from syngeno.evaluate import suites
from syngeno.models import catalogue
from syngeno.workflow import codehash

ROOT = Path(__file__).parents[3]
LIBRARY = ROOT / "workflow/scripts/syngeno"
ENVS = sorted((ROOT / "envs").glob("*.yaml"))

# Where the name to import is not the name to install.
PACKAGE_OF = {
    "sklearn": "scikit-learn",
    "allel": "scikit-allel",
    "bed_reader": "bed-reader",
    "yaml": "pyyaml",
    "ot": "pot",
    "umap": "umap-learn",
}
# Not in the env files: Snakemake puts itself on the path of its scripts (and is imported for type checkers only).
MODELS = [kind.module for kind in catalogue.KINDS.values() if kind.model]
GIVEN = {"snakemake", "syngeno"}


def pins(lines):
    found = {}
    for line in lines:
        match = re.fullmatch(r"([A-Za-z0-9-]+)==([0-9.]+)", line.strip())
        if match:
            found[match[1]] = match[2]
    return found


def pip_part(env):
    return next(part["pip"] for part in env["dependencies"] if isinstance(part, dict))


def imports(path):
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module)
    return {name.split(".")[0] for name in names}


def needed(script, extra=()):
    """Packages that a script and the library modules behind it import."""
    packages = imports(script)
    for name in codehash.closure(script, *extra):
        packages |= imports(LIBRARY / f"{name.replace('.', '/')}.py")
    packages -= set(sys.stdlib_module_names) | GIVEN
    return {PACKAGE_OF.get(name, name) for name in packages}


def rules():
    """(rule, env file, script) of every rule with a script."""
    for path in sorted((ROOT / "workflow/rules").glob("*.smk")):
        for body in re.split(r"\n(?=rule |checkpoint )", path.read_text()):
            script = re.search(r'"\.\./scripts/(\w+/\w+\.py)"', body)
            if script:
                env = re.search(r'"\.\./\.\./envs/(\w+\.yaml)"', body)
                yield re.match(r"(?:rule|checkpoint) (\w+)", body)[1], env and env[1], script[1]


@pytest.mark.parametrize("path", ENVS, ids=lambda path: path.stem)
class TestEnvFile:
    def test_has_channels_and_pins_only(self, path):
        env = yaml.safe_load(path.read_text())
        assert set(env) == {"channels", "dependencies"}
        assert "defaults" not in env["channels"]
        assert len(pins(pip_part(env))) == len(pip_part(env))

    def test_agrees_with_requirements(self, path):
        ours = pins((ROOT / "requirements.txt").read_text().splitlines())
        for package, version in pins(pip_part(yaml.safe_load(path.read_text()))).items():
            assert ours.get(package) == version, f"{package} in {path.name}"


@pytest.mark.parametrize(("rule", "env", "script"), list(rules()))
def test_env_covers_the_imports_of_the_rule(rule, env, script):
    assert env, f"rule {rule} has no conda env"
    offered = pins(pip_part(yaml.safe_load((ROOT / "envs" / env).read_text())))
    extra = {
        "measure_envelope": suites.MODULES.values(),
        "measure_cohort": suites.MODULES.values(),
        "fit_generator": MODELS,
        "draw": MODELS,
        "score_individuals": MODELS,
    }.get(rule, ())
    missing = needed(ROOT / "workflow/scripts" / script, extra) - set(offered)
    assert not missing, f"rule {rule}: {env} lacks {sorted(missing)}"


def test_every_script_belongs_to_a_rule_of_its_name():
    scripts = {path.stem for path in (ROOT / "workflow/scripts").glob("*/*.py") if path.parent.name != "syngeno"}
    assert scripts == {Path(script).stem for _, _, script in rules()}
    assert all(rule == Path(script).stem for rule, _, script in rules())


def test_the_plain_environment_can_write_the_report():
    """Snakemake needs pygments for its report and does not require it; the test environment has it by way of pytest."""
    assert "pygments" in pins((ROOT / "requirements.txt").read_text().splitlines())
