# in:  synthetic.vcf.gz and its labels from any generator, beside the real cohort
# out: results/{cohort}/{generator}/{fraction}/{seed}/metrics.{suite}.tsv, audit/, results/{cohort}/summary/metrics.tsv


rule evaluate:
    input:
        expand("results/{cohort}/summary/metrics.tsv", cohort=COHORTS),


rule find_neighbours:
    """Find the nearest neighbours between synthetic and real samples, for all suites that ask for them."""
    input:
        unpack(judged),
    output:
        neighbours="results/{cohort}/{generator}/{fraction}/{seed}/{released}neighbours.npz",
    log:
        "results/logs/{cohort}/{generator}/{fraction}/{seed}/{released}find_neighbours.log",
    benchmark:
        "results/benchmarks/{cohort}/{generator}/{fraction}/{seed}/{released}find_neighbours.tsv"
    conda:
        "../../envs/evaluate.yaml"
    threads: 2
    resources:
        mem_mb=by_size(1500, 5),
        runtime=by_size(30, 0.05),
    params:
        label=cohort("label"),
        labels=config["sample"]["labels"],
        code=code("find_neighbours"),
    script:
        "../scripts/evaluate/find_neighbours.py"


rule measure_cohort:
    """Measure a synthetic cohort against training and held-out samples, by one suite of metrics."""
    input:
        unpack(judged),
        unpack(neighbours),
        reference=lambda wildcards: reference(wildcards.suite)(wildcards),
    output:
        metrics="results/{cohort}/{generator}/{fraction}/{seed}/{released}metrics.{suite}.tsv",
    log:
        "results/logs/{cohort}/{generator}/{fraction}/{seed}/{released}measure_cohort/{suite}.log",
    benchmark:
        "results/benchmarks/{cohort}/{generator}/{fraction}/{seed}/{released}measure_cohort/{suite}.tsv"
    wildcard_constraints:
        suite="fidelity|privacy|utility",
    conda:
        "../../envs/evaluate.yaml"
    threads: 2
    resources:
        mem_mb=by_size(1000, 5),
        runtime=by_size(30, 0.05),
    params:
        settings=suite_settings,
        label=cohort("label"),
        module=suite_module,
        labels=config["sample"]["labels"],
        code=code("measure_cohort", suite_module),
    script:
        "../scripts/evaluate/measure_cohort.py"


rule audit:
    """Attack a synthetic cohort, with and without planted canaries, and give each synthetic sample a risk."""
    input:
        unpack(judged),
        unpack(neighbours),
        reference=reference("audit"),
        relatives=known_relatives,
        scores=model_scores,
    output:
        metrics="results/{cohort}/{generator}/{fraction}/{seed}/{released}metrics.audit.tsv",
        audited="results/{cohort}/{generator}/{fraction}/{seed}/audit/{released}samples.tsv",
    log:
        "results/logs/{cohort}/{generator}/{fraction}/{seed}/{released}audit.log",
    benchmark:
        "results/benchmarks/{cohort}/{generator}/{fraction}/{seed}/{released}audit.tsv"
    conda:
        "../../envs/evaluate.yaml"
    threads: 2
    resources:
        mem_mb=by_size(1000, 16),
        runtime=by_size(30, 0.03),
    params:
        canaries=canaries,
        label=cohort("label"),
        labels=config["sample"]["labels"],
        code=code("audit"),
    script:
        "../scripts/evaluate/audit.py"


rule measure_dose:
    """Attack many times as many samples as the synthetic cohort has, drawn from the same fitted generator."""
    input:
        unpack(judged),
        more=expand(
            "results/{{cohort}}/{{generator}}/{{fraction}}/{{seed}}/shards/{shard}.zarr.zip",
            shard=further_shards(),
        ),
    output:
        metrics="results/{cohort}/{generator}/{fraction}/{seed}/dose.tsv",
    log:
        "results/logs/{cohort}/{generator}/{fraction}/{seed}/measure_dose.log",
    benchmark:
        "results/benchmarks/{cohort}/{generator}/{fraction}/{seed}/measure_dose.tsv"
    wildcard_constraints:
        generator=of(source="model"),
    conda:
        "../../envs/evaluate.yaml"
    threads: 2
    resources:
        mem_mb=dose_memory,
        runtime=dose_minutes,
    params:
        doses=config["evaluate"]["dose"],
        label=cohort("label"),
        labels=config["sample"]["labels"],
        code=code("measure_dose"),
    script:
        "../scripts/evaluate/measure_dose.py"


rule score_individuals:
    """Score training and held-out samples by the fitted generator: how probable it finds them, and which samples it was fitted on."""
    input:
        unpack(needed),
        model=of_model("fitted.model"),
        genotypes="results/{cohort}/prepare/genotypes.zarr.zip",
        samples="results/{cohort}/prepare/samples.tsv",
        training="results/{cohort}/prepare/{fraction}/{seed}/training_samples.tsv",
        genetic_map=map_file,
    output:
        likelihood="results/{cohort}/{generator}/{fraction}/{seed}/likelihood.tsv",
        scores="results/{cohort}/{generator}/{fraction}/{seed}/audit/scores.tsv",
    log:
        "results/logs/{cohort}/{generator}/{fraction}/{seed}/score_individuals.log",
    benchmark:
        "results/benchmarks/{cohort}/{generator}/{fraction}/{seed}/score_individuals.tsv"
    wildcard_constraints:
        generator=PLAN.constraint(
            PLAN.names(lambda kind: kind.likelihood or kind.whitebox)
        ),
    conda:
        "../../envs/train.yaml"
    threads: 2
    resources:
        gpu=gpus,
        mem_mb=by_size(2000, 6),
        runtime=by_size(60, 0.2),
    params:
        model=lambda wildcards: kind_of(wildcards.generator).model,
        likelihood=lambda wildcards: kind_of(wildcards.generator).likelihood,
        whitebox=lambda wildcards: kind_of(wildcards.generator).whitebox,
        left_out=scores_left_out,
        needs=lambda wildcards: list(needed(wildcards)),
        settings=scored_settings,
        labels=config["sample"]["labels"],
        code=model_code("score_individuals"),
    script:
        "../scripts/evaluate/score_individuals.py"


rule score_training_samples:
    """Score all training samples by a synthetic cohort, whether its generator was fitted on them or not, for shadow models."""
    input:
        unpack(judged),
    output:
        scores="results/{cohort}/{generator}/{fraction}/{seed}/audit/shadow.tsv",
    log:
        "results/logs/{cohort}/{generator}/{fraction}/{seed}/score_training_samples.log",
    benchmark:
        "results/benchmarks/{cohort}/{generator}/{fraction}/{seed}/score_training_samples.tsv"
    conda:
        "../../envs/evaluate.yaml"
    threads: 2
    resources:
        mem_mb=by_size(1000, 16),
        runtime=by_size(30, 0.03),
    params:
        label=cohort("label"),
        labels=config["sample"]["labels"],
        code=code("score_training_samples"),
    script:
        "../scripts/evaluate/score_training_samples.py"


rule measure_lira:
    """Attack a generator by shadow models (LiRA), its runs over seeds, and give each training sample a risk."""
    input:
        shadows=of_all_seeds(
            "results/{cohort}/{generator}/{fraction}/{seed}/audit/shadow.tsv"
        ),
        model=of_all_seeds(
            "results/{cohort}/{generator}/{fraction}/{seed}/audit/scores.tsv",
            where=lambda kind: kind.whitebox,
        ),
    output:
        metrics="results/{cohort}/{generator}/{fraction}/lira.tsv",
        individuals="results/{cohort}/{generator}/{fraction}/audit/individuals.tsv",
    log:
        "results/logs/{cohort}/{generator}/{fraction}/measure_lira.log",
    benchmark:
        "results/benchmarks/{cohort}/{generator}/{fraction}/measure_lira.tsv"
    conda:
        "../../envs/evaluate.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 30 * attempt,
    params:
        seed=config["seeds"][0],
        code=code("measure_lira"),
    script:
        "../scripts/evaluate/measure_lira.py"


rule impute_heldout:
    """Impute masked genotypes of held-out samples from a panel of synthetic and from one of training samples (Beagle)."""
    input:
        unpack(judged),
        reference=reference("imputation"),
    output:
        metrics="results/{cohort}/{generator}/{fraction}/{seed}/imputation.tsv",
    log:
        "results/logs/{cohort}/{generator}/{fraction}/{seed}/impute_heldout.log",
    benchmark:
        "results/benchmarks/{cohort}/{generator}/{fraction}/{seed}/impute_heldout.tsv"
    conda:
        "../../envs/impute.yaml"
    threads: 2
    resources:
        mem_mb=by_size(4000, 8),
        runtime=by_size(60, 0.4),
    params:
        settings=config["evaluate"]["imputation"],
        label=cohort("label"),
        labels=config["sample"]["labels"],
        code=code("impute_heldout"),
    script:
        "../scripts/evaluate/impute_heldout.py"


rule measure_published:
    """Measure a synthetic cohort by the protocol of the published figures that the cohort names."""
    input:
        unpack(judged),
    output:
        metrics="results/{cohort}/{generator}/{fraction}/{seed}/published.tsv",
    log:
        "results/logs/{cohort}/{generator}/{fraction}/{seed}/measure_published.log",
    benchmark:
        "results/benchmarks/{cohort}/{generator}/{fraction}/{seed}/measure_published.tsv"
    conda:
        "../../envs/evaluate.yaml"
    threads: 2
    resources:
        mem_mb=by_size(1500, 6),
        runtime=by_size(30, 0.05),
    params:
        label=cohort("label"),
        code=code("measure_published"),
    script:
        "../scripts/evaluate/measure_published.py"


rule summarise:
    """Gather the metrics of all generators, fractions and seeds into one tidy table, envelopes beside them."""
    input:
        metrics=runs(
            "results/{cohort}/{generator}/{fraction}/{seed}/metrics.{suite}.tsv",
            suite=SUITES,
        ),
        released=released_metrics,
        likelihood=runs(
            "results/{cohort}/{generator}/{fraction}/{seed}/likelihood.tsv",
            where=lambda kind: kind.likelihood,
        ),
        imputation=runs("results/{cohort}/{generator}/{fraction}/{seed}/imputation.tsv"),
        panel=runs(
            "results/{cohort}/{generator}/{fraction}/{seed}/panel.tsv",
            where=lambda kind: kind.source == "imputation",
        ),
        dose=dose_metrics,
        published=published_metrics,
        lira=lira_metrics,
        concordance=expand(
            "results/{{cohort}}/prepare/{fraction}/{seed}/concordance.tsv",
            fraction=sorted(
                {
                    one
                    for name in PLAN.names(lambda kind: kind.encoded)
                    for one in fractions(name)
                }
            ),
            seed=config["seeds"],
        ),
        paper=paper_metrics,
        envelope=expand("results/{{cohort}}/summary/real.{suite}.tsv", suite=SUITES),
    output:
        metrics="results/{cohort}/summary/metrics.tsv",
    log:
        "results/logs/{cohort}/summarise.log",
    benchmark:
        "results/benchmarks/{cohort}/summarise.tsv"
    conda:
        "../../envs/evaluate.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        encoded={
            name: fractions(name) for name in PLAN.names(lambda kind: kind.encoded)
        },
        suites=SUITES,
        code=code("summarise"),
    script:
        "../scripts/evaluate/summarise.py"
