# Checks the run file and says what it asks for; owns the wildcards. No rules here.

import errno
import json
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.utils import validate

SCRIPTS = Path(workflow.current_basedir) / ".." / "scripts"
RESOURCES = Path(workflow.current_basedir) / ".." / ".." / "resources"
sys.path.insert(0, str(SCRIPTS))

from syngeno.errors import BadInput
from syngeno.evaluate import suites
from syngeno.models import catalogue
from syngeno.workflow import cluster, codehash, runfile

try:
    runfile.check(config, Path(workflow.source_path("../schemas/config.schema.yaml")))
except BadInput as error:
    raise WorkflowError(str(error)) from None

validate(config, "../schemas/config.schema.yaml")

try:
    runfile.check_sense(config)
    # Also where Snakemake calls itself for that one job.
    fetching = any(one.split(":")[0] == "download" for one in sys.argv)
    runfile.check_files(config, RESOURCES, fetching=fetching)
except BadInput as error:
    raise WorkflowError(str(error)) from None


COHORTS = list(config["cohorts"])
GENERATORS = list(config["generators"])
DOWNLOADS = sorted(
    {one["download"] for one in config["cohorts"].values() if one.get("download")}
)


def family(settings):
    """A generator's kind; a diffusion on haplotypes or genotypes themselves, not on latents, is "masked", and
    "resampled" where it is the model of another generator that is sampled."""
    if settings["kind"] != "diffusion" or settings["space"] == "latent":
        return settings["kind"]
    return "resampled" if settings["model"] else "masked"


ENCODED, MASKED = (
    [
        name
        for name, settings in config["generators"].items()
        if family(settings) in kinds
    ]
    for kinds in (["diffusion"], ["masked", "resampled"])
)
CONTROLS = list(catalogue.MODULES)
PAPER = config["evaluate"].get("paper")
# Classifiers take the GPU that the denoisers are trained on.
CLASSIFIER_GPU = max((config["generators"][name]["gpu"] for name in ENCODED), default=0)
BATTERIES = list(suites.MODULES)
WITHHOLDS = config["release"]["withhold"] is not None
RELEASED = "released/" if WITHHOLDS else ""  # where the people lie who are handed on


wildcard_constraints:
    cohort="|".join(COHORTS),
    generator="|".join(GENERATORS),
    fraction=r"\d+",
    seed=r"\d+",
    shard=r"\d+",
    added=r"\d+",
    contig=r"[A-Za-z0-9_.*:-]+",
    battery="|".join(BATTERIES),
    released="(released/)?",


def fractions(name):
    """The fractions at which a generator is trained: its own, or the run's; those of the source of imputed people."""
    return runfile.fractions(config, name)


FRACTIONS = sorted(
    {fraction for name in GENERATORS for fraction in fractions(name)}
    | set(config["fractions"])
)


def of_kind(*kinds):
    """The generators of these families, as a wildcard constraint."""
    names = [
        name
        for name, settings in config["generators"].items()
        if family(settings) in kinds
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
            kind = family(settings)
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
                    else max(fractions(name)) if newest else fractions(name)
                ),
                seed=config["seeds"][0] if single else config["seeds"],
                **more,
            )
        return found

    return files


def code(script, *modules):
    """Hash of the library modules that a script's result depends on (see syngeno/workflow/codehash.py)."""
    (path,) = SCRIPTS.glob(f"*/{script}.py")
    return codehash.of_script(path, *modules)


def control_module(wildcards):
    """The library module of a classical model."""
    return catalogue.MODULES[config["generators"][wildcards.generator]["kind"]]


def suite_module(wildcards):
    """The library module of a suite of metrics."""
    return suites.MODULES[wildcards.battery]


def cohort_size(wildcards, input):
    """People, variants and those of the largest chromosome of the prepared cohort; <TBD> to Snakemake before that."""
    folder = Path(f"results/{wildcards.cohort}/prepare")
    if not (folder / "variants.tsv").exists():
        raise FileNotFoundError(errno.ENOENT, "not there yet", input[0])
    return cluster.of_cohort(folder)


def by_size(base, each):
    """A resources function: megabytes or minutes, `base` and `each` per million genotypes of the prepared cohort and
    of the synthetic people, times the attempt. What was measured: config/README.md."""

    def asked(wildcards, input, attempt):
        people, variants, _ = cohort_size(wildcards, input)
        drawn = config["sample"]["people"]
        drawn = drawn if isinstance(drawn, int) else people
        return int((base + each * (people + drawn) * variants / 1e6) * attempt)

    return asked


def founders_memory(wildcards, input, attempt):
    """A resources function: megabytes for chains of all founders along one chromosome after the other."""
    people, variants, largest = cohort_size(wildcards, input)
    founders = config["generators"][wildcards.generator]["founders"]
    return int(
        (2000 + 4 * people * variants / 1e6 + 200 * founders * largest / 1e6) * attempt
    )


def cohort(section):
    """A params or input function: one section of the cohort's settings."""
    return lambda wildcards: config["cohorts"][wildcards.cohort].get(section)


def generator(section):
    """A params function: one section of the generator's settings."""
    return lambda wildcards: config["generators"][wildcards.generator].get(section)


def training_settings(wildcards):
    """A params function: how a generator is trained. How often the state is saved, or an unused delta, changes no result."""
    settings = config["generators"][wildcards.generator]
    chosen = {**settings["training"], "membership": settings["membership"]}
    del chosen["save_every"]
    if chosen.get("epsilon") is None:
        chosen.pop("delta", None)
    return chosen


def trained(file):
    """An input function: a file of the masked diffusion that is sampled, the generator's own or another's."""
    pattern = "results/{cohort}/{model}/{fraction}/{seed}/{file}"
    return lambda wildcards: pattern.format(
        cohort=wildcards.cohort,
        model=config["generators"][wildcards.generator]["model"] or wildcards.generator,
        fraction=wildcards.fraction,
        seed=wildcards.seed,
        file=file,
    )


def told_settings(wildcards):
    """A params function: what made a generator's people, the settings of the model that it samples included."""
    settings = config["generators"][wildcards.generator]
    own = ("kind", "space", "model", "sampler", "fractions", "planted")
    model = config["generators"].get(settings.get("model"), settings)
    return {**model, **{key: settings[key] for key in own if key in settings}}


def control_settings(wildcards):
    """A params function: what a control leaves to choose."""
    settings = config["generators"][wildcards.generator]
    chosen = ("pooled", "order", "shrinkage", "own")
    return {key: settings[key] for key in chosen if key in settings}


def external_files(wildcards):
    """The genotype files of an external cohort, or of imputed people."""
    settings = config["generators"][wildcards.generator]
    if settings["kind"] == "imputed":
        pattern = (
            "results/{cohort}/{generator}/{fraction}/{seed}/imputed/{contig}.vcf.gz"
        )
        return contigs(pattern)(wildcards)
    return runfile.paths(config, settings["genotypes"])


def external_labels(wildcards):
    """The table of an external cohort's people, or of those who were imputed."""
    settings = config["generators"][wildcards.generator]
    if settings["kind"] == "imputed":
        return imputed_from("synthetic.labels.tsv")(wildcards)
    return runfile.paths(config, settings["labels"])[0]


def published_table(wildcards):
    """The table of published figures that belongs to the cohort."""
    return str(
        RESOURCES
        / "published"
        / f"{config['cohorts'][wildcards.cohort]['published']}.tsv"
    )


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
    """What the model itself says of members and strangers, where the generator has one to ask."""
    pattern = "results/{cohort}/{generator}/{fraction}/{seed}/audit/denoising.tsv"
    asked = wildcards.generator in [*ENCODED, *MASKED]
    return pattern.format(**wildcards) if asked else []


def paper_settings(section):
    """A params function: one section of the settings of the paper's experiments."""
    return lambda wildcards: PAPER[section]


def added_fractions(name, fraction):
    """Percentages of real people whom the paper's classifiers see beside a generator's people, 0 for nobody.

    Augmentation: those whom the generator itself saw (honest), and beside a generator that saw everybody each smaller
    share (as in the paper).
    """
    if name not in PAPER["augment"]:
        return [0]
    smaller = [one for one in fractions(name) if one < 100]
    return [0, *(smaller if fraction == 100 else [fraction])]


def compared_fractions(name, fraction):
    """Percentages of real people whose classifiers are the measure of a generator's: its own, and those added."""
    return sorted({fraction, *added_fractions(name, fraction)} - {0})


def paper_guesses(wildcards):
    """What is learnt from as few real people and from people of a generator that saw everybody, beside an honest one."""
    fraction = int(wildcards.fraction)
    if fraction == 100 or fraction not in added_fractions(wildcards.generator, 100):
        return []
    pattern = "results/{cohort}/{generator}/100/{seed}/paper/guesses.{fraction}.tsv"
    return pattern.format(**wildcards)


def drawn_shards(wildcards):
    """People as they were drawn in the encoder's space, where their generator draws them there."""
    if wildcards.generator not in ENCODED:
        return []
    return expand(
        "results/{cohort}/{generator}/{fraction}/{seed}/shards/{shard}.npz",
        **wildcards,
        shard=range(1, config["sample"]["shards"] + 1),
    )


def added_members(wildcards):
    """The real people whom the paper's classifiers see beside the synthetic ones."""
    pattern = "results/{cohort}/prepare/{added}/{seed}/members.tsv"
    return pattern.format(**wildcards) if wildcards.added != "0" else []


def paper_metrics(wildcards):
    """The numbers of the paper's experiments, where the run file asks for them."""
    pattern = "results/{cohort}/summary/paper.tsv"
    return pattern.format(**wildcards) if PAPER else []


def compared_people(wildcards):
    """Every generator's people in the encoder's space: of the largest fraction, and the first seed."""
    largest = max(map(max, map(fractions, ENCODED)))
    return expand(
        "results/{cohort}/{generator}/{fraction}/{seed}/shards/{shard}.npz",
        cohort=wildcards.cohort,
        generator=[name for name in ENCODED if largest in fractions(name)],
        fraction=largest,
        seed=config["seeds"][0],
        shard=range(1, config["sample"]["shards"] + 1),
    )


def compared_encoder(name):
    """An input function: a file of the encoder that goes with `compared_people`."""
    return lambda wildcards: (
        f"results/{wildcards.cohort}/prepare/{max(map(max, map(fractions, ENCODED)))}/{config['seeds'][0]}/{name}"
    )


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
    """The cohort's table of people: its own, that with a simulated trait, or the simulated one."""
    settings = config["cohorts"][wildcards.cohort]
    if "simulate" in settings:
        return f"results/{wildcards.cohort}/prepare/simulated/people.tsv"
    if "trait" in settings:
        return f"results/{wildcards.cohort}/prepare/trait/people.tsv"
    return given_labels(wildcards)


def given_labels(wildcards):
    """The cohort's table of people as it is in the run file."""
    return runfile.paths(config, config["cohorts"][wildcards.cohort]["labels"])[0]


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
        return expand(pattern, **wildcards, contig=names)

    return files
