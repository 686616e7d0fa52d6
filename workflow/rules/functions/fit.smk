# What the rules of fit.smk ask for: functions of wildcards. No rules here.

from syngeno.models.haplotype.number import BYTES, COUNTS, most

# What changes no fit: how samples are drawn and judged, on which hardware, and how often a state is saved.
NOT_FITTED = {"kind", "fractions", "canaries", "gpu", "save_every", "sampler", "model"}


def needed(wildcards):
    """An input function: what a generator's kind is fitted on beside the genotypes, by name."""
    model = PLAN.model_of(wildcards.generator)
    folders = {"clusters": model, "encoder": "prepare", "latents": "prepare"}
    pattern = "results/{cohort}/{folder}/{fraction}/{seed}/{name}.npz"
    return {
        name: pattern.format(**wildcards, folder=folders[name], name=name)
        for name in kind_of(model).needs
    }


def fit_settings(*left_out):
    """A params function: the settings that a generator is fitted with, less some sections."""
    return lambda wildcards: {
        key: value
        for key, value in PLAN.settings(wildcards.generator).items()
        if key not in NOT_FITTED.union(left_out)
    }


def clusters_settings(wildcards):
    """A params function: what clusters are fitted with; the rule on long runs only where it limits their number."""
    settings, sampler = fit_settings("reranker")(wildcards), generator("sampler")(
        wildcards
    )
    asked = settings["max_attack_auc"] is not None and sampler["shared_by"] is not None
    of_sampler = {key: sampler[key] for key in ("longer_than", "shared_by")}
    return settings | {"rule": of_sampler if asked else None}


def clusters_memory(wildcards, input, attempt):
    """A resources function: megabytes for chains of all clusters along one chromosome after the other."""
    samples, variants, largest = cohort_size(wildcards, input)
    sizes = generator("clusters")(wildcards)
    number = most(2 * samples) if sizes["number"] == "auto" else sizes["number"]
    each = (200 if sizes["ancestries"] == 1 else 400) * number * largest / 1e6
    if sizes["number"] == "auto":  # which is bounded by what counts take
        each = min(each, BYTES * COUNTS / 1e6)
    return int((2000 + 4 * samples * variants / 1e6 + each) * attempt)


def trainings(pattern):
    """An input function: the pattern for every training of the run."""
    fitted = PLAN.fitted(lambda kind: kind.trains)
    return lambda wildcards: [
        pattern.format(**run)
        for run in PLAN.runs(COHORTS, lambda kind: kind.trains)
        if run["generator"] in fitted
    ]
