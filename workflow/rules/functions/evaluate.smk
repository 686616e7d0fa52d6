# What the rules of evaluate.smk ask for: functions of wildcards. No rules here.


def published_metrics(wildcards):
    """What the protocol of published figures gave for a cohort that names such figures."""
    if not config["cohorts"][wildcards.cohort]["published"]:
        return []
    pattern = "results/{cohort}/{generator}/{fraction}/{seed}/published.tsv"
    summary = "results/{cohort}/summary/published.tsv".format(**wildcards)
    return [*runs(pattern)(wildcards), summary]


def released_metrics(wildcards):
    """The metrics of all cohorts from which samples were withheld."""
    pattern = (
        "results/{cohort}/{generator}/{fraction}/{seed}/released/metrics.{suite}.tsv"
    )
    every = runs(pattern, where=lambda kind: kind.released, suite=SUITES)
    return every(wildcards) if WITHHOLDS else []


def dose_metrics(wildcards):
    """What many times as many samples tell, of all generators that draw them, where the run file asks for it."""
    pattern = "results/{cohort}/{generator}/{fraction}/{seed}/dose.tsv"
    every = runs(pattern, where=lambda kind: kind.source == "model")
    return every(wildcards) if config["evaluate"]["dose"] else []


def largest_dose():
    """The largest dose, as a multiple of the synthetic cohort."""
    return max(config["evaluate"]["dose"], default=1)


def further_shards():
    """The shards beyond those of the synthetic cohort that the largest dose takes."""
    shards = config["sample"]["shards"]
    return range(shards + 1, shards * largest_dose() + 1)


def dose_memory(wildcards, input, attempt):
    """A resources function: megabytes of the real samples, and of those of the largest dose on the largest chromosome."""
    samples, variants, largest = cohort_size(wildcards, input)
    base = 1000 + 3 * samples * variants / 1e6
    return by_size(base, 16 * largest_dose() * largest / variants)(
        wildcards, input, attempt
    )


def dose_minutes(wildcards, input, attempt):
    """A resources function: minutes by the samples of the largest dose."""
    return by_size(30, 0.03 * largest_dose())(wildcards, input, attempt)


def canaries(wildcards):
    """A params function: percent of planted canaries; none where all samples are real, or in a release."""
    return 0 if wildcards.released else generator("canaries")(wildcards) or 0


def model_scores(wildcards):
    """What the model itself says of training and held-out samples, where it is attacked."""
    pattern = "results/{cohort}/{generator}/{fraction}/{seed}/audit/scores.tsv"
    asked = kind_of(wildcards.generator).whitebox
    return pattern.format(**wildcards) if asked else []


def judged(wildcards):
    """Input to unpack: a synthetic cohort, and the real samples that it is judged by."""
    synthetic = {
        "store": synthetic_store(wildcards),
        "labels": synthetic_labels(wildcards),
    }
    return synthetic | prepared_samples(wildcards)


def reference(suite):
    """An input function: what depends on real samples alone, for this suite."""
    pattern = "results/{cohort}/prepare/{fraction}/{seed}/reference/{suite}.npz"
    return lambda wildcards: pattern.format(**{**wildcards, "suite": suite})


def neighbours(wildcards):
    """Input to unpack: the neighbours among real and between synthetic and real samples, where a suite asks for them."""
    if wildcards.get("suite", "audit") not in ("privacy", "audit"):
        return {"among_real": [], "to_real": []}
    pattern = "results/{cohort}/{generator}/{fraction}/{seed}/{released}neighbours.npz"
    to_real = pattern.format(**wildcards)
    return {"among_real": reference("neighbours")(wildcards), "to_real": to_real}


def paper_metrics(wildcards):
    """The numbers of the paper's experiments, where the run file asks for them."""
    pattern = "results/{cohort}/summary/paper.tsv"
    return [pattern.format(**wildcards)] if PAPER else []


def lira_metrics(wildcards):
    """What the attack by shadow models found of every generator that is fitted at its fraction."""
    pattern = "results/{cohort}/{generator}/{fraction}/lira.tsv"
    fitted = PLAN.runs([wildcards.cohort], lambda kind: kind.source != "files")
    files = [pattern.format(**run) for run in fitted if run["fraction"] == LIRA]
    return list(dict.fromkeys(files))


def of_all_seeds(pattern, where=lambda kind: True):
    """An input function: the pattern for every seed, of generators whose kind is so."""

    def files(wildcards):
        asked = where(kind_of(wildcards.generator))
        return expand(pattern, **wildcards, seed=config["seeds"]) if asked else []

    return files


def scores_left_out(wildcards):
    """A params function: whether the model also scores the training samples that it was not fitted on."""
    return kind_of(wildcards.generator).whitebox and int(wildcards.fraction) == LIRA
