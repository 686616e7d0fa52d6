# Functions for the rules that make more of drawn people: imputation, formats, genomes. No rules here.

from syngeno.workflow import tools


def refuse_without(check, *tool):
    """Refuse a run whose tool is not there, by the check that tells; with an environment per rule, only rules can tell."""
    if workflow.is_main_process and not workflow.deployment_settings.deployment_method:
        try:
            check(*tool)
        except BadInput as error:
            raise WorkflowError(str(error)) from None


def imputed_source(wildcards):
    """Which generator's people of which cohort are imputed."""
    settings = config["generators"][wildcards.generator]
    if settings["cohort"] != wildcards.cohort:
        where = f"run file, generators.{wildcards.generator}.cohort"
        told = BadInput(where, f"it is not {wildcards.cohort}", "ask for that cohort")
        raise WorkflowError(str(told))
    return settings["source"]


def imputed_from(file):
    """An input function: a file of the people who are imputed; who is withheld is not."""
    pattern = "results/{cohort}/{generator}/{fraction}/{seed}/{released}{file}"
    return lambda wildcards: pattern.format(
        **imputed_source(wildcards),
        fraction=wildcards.fraction,
        seed=wildcards.seed,
        released=RELEASED,
        file=file,
    )


def imputed_in(file):
    """An input function: a file of the prepared cohort whose people are imputed."""
    return lambda wildcards: f"results/{imputed_source(wildcards)['cohort']}/prepare/{file}".format(
        **wildcards
    )


def dense_people(wildcards):
    """Imputed people with all variants of the panel, chromosome by chromosome, less those who are withheld."""
    pattern = "results/{cohort}/{generator}/{fraction}/{seed}/{released}imputed/{{contig}}.vcf.gz"
    found = []
    for one in runs(pattern, "imputed", released=RELEASED)(wildcards):
        inputs = checkpoints.check_inputs.get(cohort=Path(one).parts[1]).output.inputs
        with inputs.open() as file:
            found += expand(one, contig=json.load(file)["contigs"])
    return found


def panel_files(wildcards):
    """The reference panel that people are imputed from."""
    return runfile.paths(config, config["generators"][wildcards.generator]["panel"])


def reference_file(wildcards):
    """The cohort's reference genome: its own, or that made for the simulated cohort."""
    settings = config["cohorts"][wildcards.cohort]
    if "simulate" in settings:
        return f"results/{wildcards.cohort}/prepare/simulated/reference.fa.gz"
    if not settings["reference"]:
        where = f"run file, cohorts.{wildcards.cohort}.reference"
        told = BadInput(where, "there is none", "name a FASTA of the genotypes' build")
        raise WorkflowError(str(told))
    return runfile.paths(config, settings["reference"])[0]


def genomes_minutes(wildcards, attempt):
    """A resources function: an hour, and another for each whole genome that may be asked for."""
    people = config["release"]["genomes"]["people"]
    return 60 * (1 + (people if isinstance(people, int) else len(people))) * attempt


def asked_genomes(wildcards):
    """The DNA of whom every generator of haplotypes drew, and hands on, in each cohort with a reference genome."""
    cohorts = [
        name
        for name, settings in config["cohorts"].items()
        if "simulate" in settings or settings["reference"]
    ]
    haploid = [
        name
        for name, settings in config["generators"].items()
        if settings.get("space", "haplotype") == "haplotype"
    ]
    pattern = "results/{cohort}/{generator}/{fraction}/{seed}/{released}genomes"
    every = runs(pattern, but=["copycat"], released=RELEASED)(wildcards)
    parts = [Path(one).parts for one in every]
    asked = [
        one
        for one, (_, name, generator, *_) in zip(every, parts)
        if name in cohorts and generator in haploid
    ]
    if not asked:
        fact = "no cohort with a `reference` meets a generator that draws haplotypes"
        remedy = "give the cohort a `reference`, and name a generator such as one of `space: haplotype`"
        raise WorkflowError(str(BadInput("run file", fact, remedy)))
    return asked
