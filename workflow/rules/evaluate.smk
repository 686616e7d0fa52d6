# in:  synthetic.vcf.gz and its labels from any generator, beside the real cohort
# out: results/{cohort}/{generator}/{fraction}/{seed}/metrics.{battery}.tsv, results/{cohort}/summary/metrics.tsv


rule evaluate:
    input:
        expand("results/{cohort}/summary/metrics.tsv", cohort=COHORTS),


rule measure_real:
    """Measure real people against other real people, split after split: the envelope beside every number."""
    input:
        genotypes="results/{cohort}/prepare/genotypes.zarr.zip",
        people="results/{cohort}/prepare/people.tsv",
    output:
        envelope="results/{cohort}/summary/real.{battery}.tsv",
    log:
        "results/logs/{cohort}/measure_real/{battery}.log",
    benchmark:
        "results/benchmarks/{cohort}/measure_real/{battery}.tsv"
    conda:
        "../../envs/evaluate.yaml"
    threads: 2
    resources:
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=lambda wildcards, attempt: 240 * attempt,
    params:
        settings=battery_settings,
        splits=lambda wildcards: config["evaluate"]["splits"][wildcards.battery],
        code=lambda wildcards: code("measure_real", wildcards.battery),
    script:
        "../scripts/measure_real.py"


rule measure_encoder:
    """Measure how many genotypes of held-out people survive encoding and decoding."""
    input:
        genotypes="results/{cohort}/prepare/genotypes.zarr.zip",
        people="results/{cohort}/prepare/people.tsv",
        encoder="results/{cohort}/prepare/{fraction}/{seed}/encoder.npz",
    output:
        concordance="results/{cohort}/prepare/{fraction}/{seed}/concordance.tsv",
    log:
        "results/logs/{cohort}/{fraction}/{seed}/measure_encoder.log",
    benchmark:
        "results/benchmarks/{cohort}/{fraction}/{seed}/measure_encoder.tsv"
    conda:
        "../../envs/evaluate.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 30 * attempt,
    params:
        code=code("measure_encoder"),
    script:
        "../scripts/measure_encoder.py"


rule measure_synthetic:
    """Measure a synthetic cohort against training and held-out people, by one battery of metrics."""
    input:
        vcf="results/{cohort}/{generator}/{fraction}/{seed}/synthetic.vcf.gz",
        index="results/{cohort}/{generator}/{fraction}/{seed}/synthetic.vcf.gz.tbi",
        labels="results/{cohort}/{generator}/{fraction}/{seed}/synthetic.labels.tsv",
        genotypes="results/{cohort}/prepare/genotypes.zarr.zip",
        people="results/{cohort}/prepare/people.tsv",
        members="results/{cohort}/prepare/{fraction}/{seed}/members.tsv",
    output:
        metrics="results/{cohort}/{generator}/{fraction}/{seed}/metrics.{battery}.tsv",
    log:
        "results/logs/{cohort}/{generator}/{fraction}/{seed}/measure_synthetic/{battery}.log",
    benchmark:
        "results/benchmarks/{cohort}/{generator}/{fraction}/{seed}/measure_synthetic/{battery}.tsv"
    conda:
        "../../envs/evaluate.yaml"
    threads: 2
    resources:
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        settings=battery_settings,
        label=cohort("label"),
        code=lambda wildcards: code("measure_synthetic", wildcards.battery),
    script:
        "../scripts/measure_synthetic.py"


rule summarise:
    """Gather the metrics of all generators, fractions and seeds into one tidy table, envelopes beside them."""
    input:
        metrics=expand(
            "results/{{cohort}}/{generator}/{fraction}/{seed}/metrics.{battery}.tsv",
            generator=GENERATORS,
            fraction=config["fractions"],
            seed=config["seeds"],
            battery=BATTERIES,
        ),
        concordance=expand(
            "results/{{cohort}}/prepare/{fraction}/{seed}/concordance.tsv",
            fraction=config["fractions"] if ENCODED else [],
            seed=config["seeds"],
        ),
        envelope=expand(
            "results/{{cohort}}/summary/real.{battery}.tsv", battery=BATTERIES
        ),
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
        encoded=ENCODED,
        code=code("summarise"),
    script:
        "../scripts/summarise.py"
