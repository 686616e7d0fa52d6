# What the rules of reference.smk ask for: functions of wildcards. No rules here.


def published_table(wildcards):
    """The table of published figures that belongs to the cohort."""
    return str(
        RESOURCES
        / "published"
        / f"{config['cohorts'][wildcards.cohort]['published']}.tsv"
    )


def suite_settings(wildcards):
    """A params function: the settings of one suite; the privacy suite encodes as the cohort does."""
    settings = dict(config["evaluate"].get(wildcards.suite, {}))
    if wildcards.suite == "privacy":
        encoder = config["cohorts"][wildcards.cohort]["encoder"]
        settings |= {key: encoder[key] for key in ("components", "max_components")}
    return settings


def known_relatives(wildcards):
    """The pairs of relatives among the real samples, for the audit: it takes none of them for a stranger."""
    pattern = "results/{cohort}/prepare/relatives.tsv"
    return (
        pattern.format(**wildcards)
        if wildcards.get("suite", "audit") == "audit"
        else []
    )


def prepared_samples(wildcards):
    """Input to unpack: the real samples, and those of them that a generator is fitted on."""
    patterns = {
        "genotypes": "results/{cohort}/prepare/genotypes.zarr.zip",
        "samples": "results/{cohort}/prepare/samples.tsv",
        "training": "results/{cohort}/prepare/{fraction}/{seed}/training_samples.tsv",
    }
    files = {name: pattern.format(**wildcards) for name, pattern in patterns.items()}
    return files | {"genetic_map": map_file(wildcards)}
