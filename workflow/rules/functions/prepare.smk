# What the rules of prepare.smk ask for: functions of wildcards. No rules here.


def plink_parts(wildcards):
    """The .bim and .fam beside a .bed."""
    return runfile.plink_parts(genotype_files(wildcards))


def label_file(wildcards):
    """The cohort's table of samples: its own, that with a simulated trait, or the simulated one."""
    settings = config["cohorts"][wildcards.cohort]
    if "simulate" in settings:
        return f"results/{wildcards.cohort}/prepare/simulated/samples.tsv"
    if "trait" in settings:
        return f"results/{wildcards.cohort}/prepare/trait/samples.tsv"
    return given_labels(wildcards)


def given_labels(wildcards):
    """The cohort's table of samples as it is in the run file."""
    return runfile.paths(config, config["cohorts"][wildcards.cohort]["labels"])[0]


def gene_file(wildcards):
    """The cohort's gene intervals, if it has any."""
    settings = config["cohorts"][wildcards.cohort]
    if "simulate" in settings:
        return f"results/{wildcards.cohort}/prepare/simulated/genes.bed.gz"
    return runfile.paths(config, settings["genes"])[0] if settings["genes"] else []


def found_families(wildcards):
    """The families that the split keeps together, where it does: not by a column, and not where they are ignored."""
    settings = config["cohorts"][wildcards.cohort]
    kept = settings["relatives"] == "together" and "column" not in settings["split"]
    return "results/{cohort}/prepare/families.tsv" if kept else []


def checked_filter(wildcards):
    """A params function: the filters that the check of the inputs applies."""
    filter = cohort("filter")(wildcards)
    return {key: filter[key] for key in ("call_rate", "sample_call_rate", "pass_only")}


def chromosome(wildcards):
    """The filtered variants of a chromosome, as they are or phased."""
    return filtered(wildcards, [wildcards.contig])[0]


def chromosomes(wildcards):
    """Those of all chromosomes."""
    return filtered(wildcards, checked(wildcards)["contigs"])


def filtered(wildcards, names):
    """The filtered variants of some chromosomes; those go through phase_genotypes that it may phase."""
    through = set(checked(wildcards)["to_phase"])
    folder = f"results/{wildcards.cohort}/prepare"
    return [
        f"{folder}/{'phased' if name in through else 'chromosomes'}/{name}.zarr.zip"
        for name in names
    ]
