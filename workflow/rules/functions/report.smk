# What the rules of report.smk ask for: functions of wildcards. No rules here.


def chosen_settings(wildcards):
    """What validation samples chose for the model that is sampled, where one is fitted."""
    if not kind_of(wildcards.generator).model:
        return []
    pattern = "results/{cohort}/{generator}/{fraction}/{seed}/chosen.json"
    model = PLAN.model_of(wildcards.generator)
    return pattern.format(**{**wildcards, "generator": model})


def card_settings(wildcards):
    """A params function: the settings of the model that is sampled, and how this generator samples it."""
    settings = PLAN.settings(wildcards.generator)
    own = {key: value for key, value in settings.items() if key in NOT_FITTED}
    return {**PLAN.settings(PLAN.model_of(wildcards.generator)), **own}


def withheld_samples(wildcards):
    """Which samples were withheld from a synthetic cohort, where the run withholds some."""
    pattern = "results/{cohort}/{generator}/{fraction}/{seed}/released/withheld.tsv"
    return pattern.format(**wildcards) if WITHHOLDS else []


def made():
    """What there is to open after a run: pages, and the table of all numbers."""
    names = ["results/report.html"] + [
        f"results/{cohort}/summary/{name}"
        for cohort in COHORTS
        for name in ("scorecard.html", "audit.html", "metrics.tsv")
    ]
    return [name for name in names if Path(name).exists()]
