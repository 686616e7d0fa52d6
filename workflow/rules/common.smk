# Checks the run file and says what it asks for; owns the wildcards. No rules here.

import errno
import json
import os
import sys
from functools import cache
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.utils import validate

REPOSITORY = repository(workflow.current_basedir)
SCRIPTS = REPOSITORY / "workflow" / "scripts"
RESOURCES = REPOSITORY / "resources"
sys.path.insert(0, str(SCRIPTS))

from syngeno import logs
from syngeno.errors import BadInput
from syngeno.evaluate import suites
from syngeno.models.catalogue import KINDS
from syngeno.report import contents
from syngeno.workflow import cluster, codehash, console, runfile
from syngeno.workflow.plan import Plan

try:
    runfile.check(config, Path(workflow.source_path("../schemas/config.schema.yaml")))
    validate(config, "../schemas/config.schema.yaml")
    runfile.check_sense(config)
    # Also where Snakemake calls itself for that one job.
    fetching = any(argument.split(":")[0] == "download" for argument in sys.argv)
    runfile.check_files(config, RESOURCES, fetching=fetching)
except BadInput as error:
    sys.exit(
        f"{logs.REFUSED}{error}"
    )  # one line; an exception would be shown with this place in this file


CONSOLE = console.Console(
    quiet=any(about.name == "RULES" for about in workflow.output_settings.quiet or ()),
    dry=lambda: workflow.dryrun,
)
if workflow.is_main_process:
    CONSOLE.listen(logger)
else:  # a job on a cluster: what it says goes to the cluster's log
    os.environ.pop(logs.QUIET, None)

PLAN = Plan(config)
COHORTS = PLAN.cohorts
DOWNLOADS = sorted(
    {one["download"] for one in config["cohorts"].values() if one.get("download")}
)
HASHED = cache(codehash.of_script)
SUITES = list(suites.MODULES)
PAPER = config["evaluate"].get("paper")
LIRA = (config["evaluate"]["lira"] or {}).get("fraction")
WITHHOLDS = config["release"]["withhold"] is not None
RELEASED = "released/" if WITHHOLDS else ""  # where the samples lie that are released


wildcard_constraints:
    cohort="|".join(COHORTS),
    generator="|".join(PLAN.generators),
    fraction=r"\d+",
    seed=r"\d+",
    shard=r"\d+",
    added=r"\d+",
    contig=r"[A-Za-z0-9_.*:-]+",
    suite="|".join(SUITES),
    released="(released/)?",


def fractions(name):
    """The fractions at which a generator is fitted."""
    return PLAN.fractions(name)


def kind_of(name):
    """What the catalogue says of a generator."""
    return PLAN.kind(name)


def of(**flags):
    """The generators whose kind has these flags of the catalogue, as a wildcard constraint."""
    return PLAN.of(**flags)


def runs(pattern, where=lambda kind: True, newest=False, **more):
    """An input function: the pattern for every synthetic cohort of generators whose kind is so.

    Those of the rule's cohort, or of all where the rule has none; `newest` takes the largest fraction and the first
    seed only.
    """

    def files(wildcards):
        cohorts = [wildcards.cohort] if "cohort" in wildcards.keys() else COHORTS
        found = []
        for run in PLAN.runs(cohorts, where, newest=newest):
            found += expand(pattern, **run, **more)
        return found

    return files


def shown(path, key):
    """An output that stands in the report, with the caption and the place of a key of its contents."""
    return report(path, caption=f"../report/{key}.rst", **contents.place(key))


def code(script, *modules):
    """A params function: hash of the library modules that a script's result depends on (see syngeno/workflow/codehash.py),
    with those named in `modules`, which are functions of the wildcards.

    It is taken for rules that have jobs, and no others: each job on a cluster parses all rules anew.
    """
    (path,) = SCRIPTS.glob(f"*/{script}.py")
    return lambda wildcards: HASHED(path, *(module(wildcards) for module in modules))


def model_code(script):
    """A params function: `code` with the module that holds the generator's model."""
    return code(script, lambda wildcards: kind_of(wildcards.generator).module)


def suite_module(wildcards):
    """The library module of a suite of metrics."""
    return suites.MODULES[wildcards.suite]


def reference_module(wildcards):
    """The library module of what a suite sets beside its metrics."""
    return suites.REFERENCES[wildcards.suite]


def cohort_size(wildcards, input):
    """Samples, variants and those of the largest chromosome of the prepared cohort; <TBD> to Snakemake before that.

    An input tells where the cohort lies: where this workflow is a module with a `prefix:`, only their paths have it.
    """
    folder = f"results/{wildcards.cohort}/"
    before = next(path[: path.rindex(folder)] for path in input if folder in path)
    prepared = Path(before) / folder / "prepare"
    if not (prepared / "variants.tsv").exists():
        raise FileNotFoundError(errno.ENOENT, "not there yet", input[0])
    return cluster.of_cohort(prepared)


def by_size(base, each):
    """A resources function: megabytes or minutes, `base` and `each` per million genotypes of the prepared cohort and
    of the synthetic samples, times the attempt."""

    def asked(wildcards, input, attempt):
        samples, variants, _ = cohort_size(wildcards, input)
        drawn = config["sample"]["size"]
        drawn = drawn if isinstance(drawn, int) else samples
        return int((base + each * (samples + drawn) * variants / 1e6) * attempt)

    return asked


def by_kind(what):
    """A resources function: what the catalogue says that the generator's kind asks for, by size."""

    def asked(wildcards, input, attempt):
        return by_size(*getattr(kind_of(wildcards.generator), what))(
            wildcards, input, attempt
        )

    return asked


def gpus(wildcards):
    """A resources function: GPUs that the generator asks for."""
    return generator("gpu")(wildcards) or 0


def cohort(section):
    """A params or input function: one section of the cohort's settings."""
    return lambda wildcards: config["cohorts"][wildcards.cohort].get(section)


def generator(section):
    """A params function: one section of the generator's settings."""
    return lambda wildcards: PLAN.settings(wildcards.generator).get(section)


def synthetic(part):
    """An input function: a file of the synthetic cohort; none where training samples are judged in its place."""

    def file(wildcards):
        if not kind_of(wildcards.generator).released:
            return []
        pattern = (
            "results/{cohort}/{generator}/{fraction}/{seed}/{released}synthetic.{part}"
        )
        return pattern.format(**{"released": "", **wildcards, "part": part})

    return file


synthetic_store, synthetic_labels = synthetic("zarr.zip"), synthetic("labels.tsv")


def genotype_files(wildcards):
    """The cohort's genotype files: its own, or the simulated ones."""
    settings = config["cohorts"][wildcards.cohort]
    if "simulate" in settings:
        simulated = f"results/{wildcards.cohort}/prepare/simulated"
        return [f"{simulated}/{contig}.vcf.gz" for contig in (1, 2)]
    return runfile.paths(config, settings["genotypes"])


def map_file(wildcards):
    """The cohort's genetic map, if it has one."""
    genetic_map = config["cohorts"][wildcards.cohort].get("genetic_map")
    return runfile.paths(config, genetic_map)[0] if genetic_map else []


def contigs(pattern):
    """An input function: the pattern for every contig that the checked inputs hold."""

    def files(wildcards):
        return expand(pattern, **{**wildcards, "contig": checked(wildcards)["contigs"]})

    return files


def checked(wildcards):
    """What is known of a cohort's checked inputs (see `prepare.checks.check`), once they are."""
    found = checkpoints.check_inputs.get(cohort=wildcards.cohort)
    with found.output.inputs.open() as file:
        return json.load(file)
