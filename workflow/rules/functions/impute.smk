# What the rules of impute.smk ask for: functions of wildcards. No rules here.


from syngeno.workflow import tools


def refuse_without(tool):
    """Refuse a run whose tool is not there; with an environment per rule, only rules can tell."""
    if workflow.is_main_process and not workflow.deployment_settings.deployment_method:
        try:
            tools.require(tool)
        except BadInput as error:
            raise WorkflowError(str(error)) from None


IMPUTED = PLAN.names(lambda kind: kind.source == "imputation")

if IMPUTED:
    refuse_without(tools.BEAGLE)


def imputed_source(wildcards):
    """Which generator's samples of which cohort are imputed."""
    settings = config["generators"][wildcards.generator]
    if settings["cohort"] != wildcards.cohort:
        where = f"run file, generators.{wildcards.generator}.cohort"
        refusal = BadInput(
            where, f"it is not {wildcards.cohort}", "ask for that cohort"
        )
        raise WorkflowError(str(refusal))
    return settings["source"]


def imputed_from(file):
    """An input function: a file of the samples that are imputed; those that are withheld are not."""
    pattern = "results/{cohort}/{generator}/{fraction}/{seed}/{released}{file}"
    return lambda wildcards: pattern.format(
        **imputed_source(wildcards),
        fraction=wildcards.fraction,
        seed=wildcards.seed,
        released=RELEASED,
        file=file,
    )


def imputed_in(file):
    """An input function: a file of the prepared cohort whose samples are imputed."""
    return lambda wildcards: f"results/{imputed_source(wildcards)['cohort']}/prepare/{file}".format(
        **wildcards
    )


def dense_files(wildcards):
    """Imputed samples with all variants of the panel, chromosome by chromosome, less those that are withheld."""
    pattern = "results/{cohort}/{generator}/{fraction}/{seed}/{released}imputed/{{contig}}.vcf.gz"
    found = []
    for one in runs(
        pattern, lambda kind: kind.source == "imputation", released=RELEASED
    )(wildcards):
        inputs = checkpoints.check_inputs.get(cohort=Path(one).parts[1]).output.inputs
        with inputs.open() as file:
            found += expand(one, contig=json.load(file)["contigs"])
    return found


def panel_files(wildcards):
    """The reference panel that samples are imputed from."""
    return runfile.paths(config, config["generators"][wildcards.generator]["panel"])
