# Checks the run file and says what it asks for; owns the wildcards. No rules here.

import json
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.utils import validate

SCRIPTS = Path(workflow.current_basedir) / ".." / "scripts"
sys.path.insert(0, str(SCRIPTS))

from syngeno import codehash, runfile
from syngeno.errors import BadInput

try:
    runfile.check(config, Path(workflow.source_path("../schemas/config.schema.yaml")))
except BadInput as error:
    raise WorkflowError(str(error)) from None

validate(config, "../schemas/config.schema.yaml")

try:
    runfile.check_sense(config)
    runfile.check_files(config)
except BadInput as error:
    raise WorkflowError(str(error)) from None


COHORTS = list(config["cohorts"])
GENERATORS = list(config["generators"])
# A control's cohort can hold real people: it is evaluated, and never a product of the run.
PRODUCTS = [
    name
    for name, settings in config["generators"].items()
    if settings["kind"] != "copycat"
]
ENCODED = [
    name
    for name, settings in config["generators"].items()
    if settings["kind"] == "diffusion"
]
BATTERIES = ["fidelity", "privacy", "utility"]


wildcard_constraints:
    cohort="|".join(COHORTS),
    generator="|".join(GENERATORS),
    fraction=r"\d+",
    seed=r"\d+",
    shard=r"\d+",
    contig=r"[A-Za-z0-9_.*:-]+",
    battery="|".join(BATTERIES),


def of_kind(kind):
    """The generators of one kind, as a wildcard constraint."""
    names = [
        name
        for name, settings in config["generators"].items()
        if settings["kind"] == kind
    ]
    return "|".join(names) or "(?!)"


def code(script, *modules):
    """Hash of the library modules that a script's result depends on (see syngeno/codehash.py)."""
    return codehash.of_script(SCRIPTS / f"{script}.py", *modules)


def cohort(section):
    """A params or input function: one section of the cohort's settings."""
    return lambda wildcards: config["cohorts"][wildcards.cohort].get(section)


def generator(section):
    """A params function: one section of the generator's settings."""
    return lambda wildcards: config["generators"][wildcards.generator].get(section)


def battery_settings(wildcards):
    """A params function: the settings of one battery; the privacy battery encodes as the cohort does."""
    settings = dict(config["evaluate"][wildcards.battery])
    if wildcards.battery == "privacy":
        encoder = config["cohorts"][wildcards.cohort]["encoder"]
        settings |= {key: encoder[key] for key in ("components", "max_components")}
    return settings


def genotype_files(wildcards):
    """The cohort's genotype files: its own, or the simulated ones."""
    settings = config["cohorts"][wildcards.cohort]
    if "simulate" in settings:
        return [
            f"results/{wildcards.cohort}/prepare/simulated/{contig}.vcf.gz"
            for contig in (1, 2)
        ]
    return runfile.paths(config, settings["genotypes"])


def plink_parts(wildcards):
    """The .bim and .fam beside a .bed."""
    return runfile.plink_parts(genotype_files(wildcards))


def label_file(wildcards):
    """The cohort's table of people: its own, or the simulated one."""
    settings = config["cohorts"][wildcards.cohort]
    if "simulate" in settings:
        return f"results/{wildcards.cohort}/prepare/simulated/people.tsv"
    return runfile.paths(config, settings["labels"])[0]


def gene_file(wildcards):
    """The cohort's gene intervals, if it has any."""
    settings = config["cohorts"][wildcards.cohort]
    if "simulate" in settings:
        return f"results/{wildcards.cohort}/prepare/simulated/genes.bed.gz"
    return runfile.paths(config, settings["genes"])[0] if settings["genes"] else []


def contigs(pattern):
    """An input function: the pattern for every contig that the checked inputs hold."""

    def files(wildcards):
        with checkpoints.check_inputs.get(
            cohort=wildcards.cohort
        ).output.inputs.open() as file:
            names = json.load(file)["contigs"]
        return expand(pattern, cohort=wildcards.cohort, contig=names)

    return files
