# Checks the run file and says what it asks for; owns the wildcards. No rules here.

import json
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.utils import validate

SCRIPTS = Path(workflow.current_basedir) / ".." / "scripts"
PUBLISHED = Path(workflow.current_basedir) / ".." / ".." / "resources" / "published"
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
    runfile.check_files(config, PUBLISHED)
except BadInput as error:
    raise WorkflowError(str(error)) from None


COHORTS = list(config["cohorts"])
GENERATORS = list(config["generators"])
ENCODED = [
    name
    for name, settings in config["generators"].items()
    if settings["kind"] == "diffusion"
]
CONTROLS = ["independent", "markov", "copying"]
BATTERIES = ["fidelity", "privacy", "utility", "audit"]
WITHHOLDS = config["release"]["withhold"] is not None


wildcard_constraints:
    cohort="|".join(COHORTS),
    generator="|".join(GENERATORS),
    fraction=r"\d+",
    seed=r"\d+",
    shard=r"\d+",
    contig=r"[A-Za-z0-9_.*:-]+",
    battery="|".join(BATTERIES),
    released="(released/)?",


def of_kind(*kinds):
    """The generators of these kinds, as a wildcard constraint."""
    names = [
        name
        for name, settings in config["generators"].items()
        if settings["kind"] in kinds
    ]
    return "|".join(names) or "(?!)"


def runs(pattern, *kinds, but=(), newest=False, **more):
    """An input function: the pattern for every generator, fraction and seed of a cohort (of all, where the rule has none).

    `kinds` restricts the generators' kinds, `but` leaves some out; `newest` takes the largest fraction and the first
    seed only. An external cohort stands for itself: it has no fractions or seeds.
    """

    def files(wildcards):
        names = [wildcards.cohort] if "cohort" in wildcards.keys() else COHORTS
        found = []
        for name, settings in config["generators"].items():
            kind = settings["kind"]
            if kind in but or (kinds and kind not in kinds):
                continue
            single = newest or kind == "external"
            found += expand(
                pattern,
                cohort=[one for one in names if settings.get("cohort", one) == one],
                generator=name,
                fraction=(
                    100
                    if kind == "external"
                    else max(config["fractions"]) if newest else config["fractions"]
                ),
                seed=config["seeds"][0] if single else config["seeds"],
                **more,
            )
        return found

    return files


def code(script, *modules):
    """Hash of the library modules that a script's result depends on (see syngeno/codehash.py)."""
    return codehash.of_script(SCRIPTS / f"{script}.py", *modules)


def cohort(section):
    """A params or input function: one section of the cohort's settings."""
    return lambda wildcards: config["cohorts"][wildcards.cohort].get(section)


def generator(section):
    """A params function: one section of the generator's settings."""
    return lambda wildcards: config["generators"][wildcards.generator].get(section)


def control_settings(wildcards):
    """A params function: what a control leaves to choose."""
    settings = config["generators"][wildcards.generator]
    return {key: settings[key] for key in ("pooled", "order") if key in settings}


def external_files(wildcards):
    """The genotype files of an external cohort."""
    settings = config["generators"][wildcards.generator]
    return runfile.paths(config, settings["genotypes"])


def external_labels(wildcards):
    """The table of an external cohort's people."""
    settings = config["generators"][wildcards.generator]
    return runfile.paths(config, settings["labels"])[0]


def published_table(wildcards):
    """The table of published figures that belongs to the cohort."""
    return str(PUBLISHED / f"{config['cohorts'][wildcards.cohort]['published']}.tsv")


def published_metrics(wildcards):
    """What the protocol of published figures gave for a cohort that names such figures."""
    if not config["cohorts"][wildcards.cohort]["published"]:
        return []
    pattern = "results/{cohort}/{generator}/{fraction}/{seed}/published.tsv"
    summary = "results/{cohort}/summary/published.tsv".format(**wildcards)
    return [*runs(pattern)(wildcards), summary]


def withheld_people(wildcards):
    """Who was withheld from a synthetic cohort, where the run withholds people."""
    pattern = "results/{cohort}/{generator}/{fraction}/{seed}/released/withheld.tsv"
    return pattern.format(**wildcards) if WITHHOLDS else []


def tuned_settings(wildcards):
    """What validation people chose for a control."""
    kind = config["generators"][wildcards.generator]["kind"]
    pattern = "results/{cohort}/{generator}/{fraction}/{seed}/settings.json"
    return pattern.format(**wildcards) if kind in CONTROLS else []


def handed_on(wildcards):
    """The labels of those who are handed on: everybody, or who is left where people are withheld."""
    pattern = (
        "results/{cohort}/{generator}/{fraction}/{seed}/{released}synthetic.labels.tsv"
    )
    return pattern.format(**wildcards, released="released/" if WITHHOLDS else "")


def released_metrics(wildcards):
    """The metrics of all cohorts from which people were withheld; the copycat would lose everybody."""
    pattern = (
        "results/{cohort}/{generator}/{fraction}/{seed}/released/metrics.{battery}.tsv"
    )
    every = runs(pattern, but=["copycat"], battery=BATTERIES)
    return every(wildcards) if WITHHOLDS else []


def planted(wildcards):
    """A params function: percent of plants in the audit; none in a control that is all plants, or in a release."""
    settings = config["generators"][wildcards.generator]
    return 0 if wildcards.released else settings.get("planted", 0)


def denoising_scores(wildcards):
    """What the denoiser itself says of members and strangers, where the generator has one."""
    pattern = "results/{cohort}/{generator}/{fraction}/{seed}/audit/denoising.tsv"
    return pattern.format(**wildcards) if wildcards.generator in ENCODED else []


def battery_settings(wildcards):
    """A params function: the settings of one battery; the privacy battery encodes as the cohort does."""
    settings = dict(config["evaluate"].get(wildcards.battery, {}))
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


def map_file(wildcards):
    """The cohort's genetic map, if it has one."""
    genetic_map = config["cohorts"][wildcards.cohort].get("genetic_map")
    return runfile.paths(config, genetic_map)[0] if genetic_map else []


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
