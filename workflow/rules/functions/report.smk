# What the rules of report.smk ask for: functions of wildcards. No rules here.


def caption(key):
    """The caption of a figure, as Snakemake's report takes it."""
    return Path(workflow.source_path(f"../../report/{key}.rst")).read_text()


def judged_generators(wildcards):
    """A params function: what the landing page says of each generator, and where its largest fits lie, by seed."""
    runs = list(PLAN.runs([wildcards.cohort]))
    described = []
    for name in dict.fromkeys(run["generator"] for run in runs):
        own = [run for run in runs if run["generator"] == name]
        fraction = max(run["fraction"] for run in own)
        described.append(
            {
                "name": name,
                "sentence": kind_of(name).sentence,
                "suits": kind_of(name).suits,
                "released": kind_of(name).released,
                "fraction": fraction,
                "folders": {
                    str(run["seed"]): f"../{name}/{fraction}/{run['seed']}"
                    for run in own
                    if run["fraction"] == fraction
                },
            }
        )
    return described


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
        for name in ("landing.html", "scorecard.html", "audit.html", "metrics.tsv")
    ]
    return [name for name in names if Path(name).exists()]
