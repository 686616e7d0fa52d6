# What the rules of release.smk ask for: functions of wildcards. No rules here.


FORMATS = config["release"]["formats"]
CONVERTED = [
    file for name in tools.FORMATS if name in FORMATS for file in tools.FORMATS[name]
]

if CONVERTED:
    refuse_without(tools.PLINK2)


def reference_file(wildcards):
    """The cohort's reference genome: its own, or that made for the simulated cohort."""
    settings = config["cohorts"][wildcards.cohort]
    if "simulate" in settings:
        return f"results/{wildcards.cohort}/prepare/simulated/reference.fa.gz"
    if not settings["reference"]:
        where = f"run file, cohorts.{wildcards.cohort}.reference"
        refusal = BadInput(
            where, "there is none", "name a FASTA of the genotypes' build"
        )
        raise WorkflowError(str(refusal))
    return runfile.paths(config, settings["reference"])[0]


def genomes_minutes(wildcards, attempt):
    """A resources function: an hour, and another for each whole genome that may be asked for."""
    asked = config["release"]["genomes"]["samples"]
    return 60 * (1 + (asked if isinstance(asked, int) else len(asked))) * attempt


def asked_genomes(wildcards):
    """The DNA of released samples of every generator of haplotypes, in each cohort with a reference genome."""
    cohorts = [
        name
        for name, settings in config["cohorts"].items()
        if "simulate" in settings or settings["reference"]
    ]
    asked = [
        "results/{cohort}/{generator}/{fraction}/{seed}/{released}genomes".format(
            **run, released=RELEASED
        )
        for run in PLAN.runs(cohorts, lambda kind: kind.released and not kind.encoded)
        if PLAN.settings(run["generator"]).get("space") != "genotype"
    ]
    if not asked:
        fact = "no cohort with a `reference` meets a generator that draws haplotypes"
        remedy = "give the cohort a `reference`, and name a generator such as one of `space: haplotype`"
        raise WorkflowError(str(BadInput("run file", fact, remedy)))
    return asked
