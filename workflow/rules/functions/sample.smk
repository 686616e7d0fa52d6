# What the rules of sample.smk ask for: functions of wildcards. No rules here.


def released_by_run(kind):
    """Whether the run makes samples that may be released: not where they are real, or brought by the user."""
    return kind.source in ("model", "imputation")


def has_ancestry(kind):
    """Whether local ancestry is asked for, and samples of this kind have some."""
    return config["sample"]["local_ancestry"] and kind.admixture


def admixture_settings(wildcards):
    """A params function: what is asked for of ancestries, of generators that draw by them."""
    keys = (
        ("local_ancestry", "proportions")
        if kind_of(wildcards.generator).admixture
        else ()
    )
    return {key: config["sample"][key] for key in keys}


def adopted_files(wildcards):
    """The genotype files of a cohort that the user brings, or of imputed samples."""
    if kind_of(wildcards.generator).source == "imputation":
        return contigs(
            "results/{cohort}/{generator}/{fraction}/{seed}/imputed/{contig}.vcf.gz"
        )(wildcards)
    return runfile.paths(config, generator("genotypes")(wildcards))


def adopted_plink(wildcards):
    """The .bim and .fam beside a .bed among them."""
    return runfile.plink_parts(adopted_files(wildcards))


def adopted_check(wildcards):
    """What the check of a cohort that the user brings writes."""
    brought = kind_of(wildcards.generator).source == "files"
    return (
        "results/{cohort}/{generator}/external_samples.txt".format(**wildcards)
        if brought
        else []
    )


def adopted_labels(wildcards):
    """The table of samples that goes with them."""
    if kind_of(wildcards.generator).source == "imputation":
        return imputed_from("synthetic.labels.tsv")(wildcards)
    return runfile.paths(config, generator("labels")(wildcards))[0]


def of_model(file):
    """An input function: a file of the generator whose fitted model is sampled, its own or another's."""
    pattern = "results/{cohort}/{model}/{fraction}/{seed}/{file}"
    return lambda wildcards: pattern.format(
        **wildcards, model=PLAN.model_of(wildcards.generator), file=file
    )


def sampled_settings(wildcards):
    """A params function: the settings of the model that is sampled, with the generator's own sampler."""
    fitted = PLAN.settings(PLAN.model_of(wildcards.generator))
    settings = {key: fitted[key] for key in fitted if key not in NOT_FITTED}
    own = PLAN.settings(wildcards.generator)
    return settings | ({"sampler": own["sampler"]} if "sampler" in own else {})


def scored_settings(wildcards):
    """A params function: the same, of the sampler only what changes how probable a sample is."""
    settings = sampled_settings(wildcards)
    scored_by = kind_of(wildcards.generator).scored_by
    return settings | {"sampler": {key: settings["sampler"][key] for key in scored_by}}
