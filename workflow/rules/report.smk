# in:  metrics tables, synthetic and real people
# out: figures and tables, marked for Snakemake's HTML report (--report results/report.html)


rule report:
    input:
        expand(
            "results/{cohort}/summary/{figure}.svg",
            cohort=COHORTS,
            figure=[
                "aats",
                "recovery",
                "ld_decay",
                "pca",
                "allele_frequencies",
                "ld_blocks",
            ],
        ),
        expand(
            "results/{cohort}/{generator}/{fraction}/{seed}/training.svg",
            cohort=COHORTS,
            generator=ENCODED,
            fraction=config["fractions"],
            seed=config["seeds"],
        ),
        expand("results/{cohort}/summary/metrics.tsv", cohort=COHORTS),
        expand("results/{cohort}/summary/scorecard.html", cohort=COHORTS),
        expand("results/{cohort}/summary/run.html", cohort=COHORTS),


rule plot_metrics:
    """Draw privacy, utility and the decay of linkage, each beside its real-vs-real envelope."""
    input:
        metrics="results/{cohort}/summary/metrics.tsv",
    output:
        aats=report(
            "results/{cohort}/summary/aats.svg",
            caption="../report/aats.rst",
            category="{cohort}",
            labels={"figure": "1 Privacy"},
        ),
        recovery=report(
            "results/{cohort}/summary/recovery.svg",
            caption="../report/recovery.rst",
            category="{cohort}",
            labels={"figure": "2 Utility"},
        ),
        ld_decay=report(
            "results/{cohort}/summary/ld_decay.svg",
            caption="../report/ld_decay.rst",
            category="{cohort}",
            labels={"figure": "5 LD decay"},
        ),
    log:
        "results/logs/{cohort}/plot_metrics.log",
    benchmark:
        "results/benchmarks/{cohort}/plot_metrics.tsv"
    conda:
        "../../envs/evaluate.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        code=code("plot_metrics"),
    script:
        "../scripts/plot_metrics.py"


rule plot_people:
    """Draw synthetic and real people side by side: principal components, allele frequencies, blocks of linkage."""
    input:
        vcf=expand(
            "results/{{cohort}}/{generator}/{fraction}/{seed}/synthetic.vcf.gz",
            generator=PRODUCTS,
            fraction=max(config["fractions"]),
            seed=config["seeds"][0],
        ),
        labels=expand(
            "results/{{cohort}}/{generator}/{fraction}/{seed}/synthetic.labels.tsv",
            generator=PRODUCTS,
            fraction=max(config["fractions"]),
            seed=config["seeds"][0],
        ),
        genotypes="results/{cohort}/prepare/genotypes.zarr.zip",
        people="results/{cohort}/prepare/people.tsv",
    output:
        pca=report(
            "results/{cohort}/summary/pca.svg",
            caption="../report/pca.rst",
            category="{cohort}",
            labels={"figure": "3 Population structure"},
        ),
        allele_frequencies=report(
            "results/{cohort}/summary/allele_frequencies.svg",
            caption="../report/allele_frequencies.rst",
            category="{cohort}",
            labels={"figure": "4 Allele frequencies"},
        ),
        ld_blocks=report(
            "results/{cohort}/summary/ld_blocks.svg",
            caption="../report/ld_blocks.rst",
            category="{cohort}",
            labels={"figure": "6 LD blocks"},
        ),
    log:
        "results/logs/{cohort}/plot_people.log",
    benchmark:
        "results/benchmarks/{cohort}/plot_people.tsv"
    conda:
        "../../envs/evaluate.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=lambda wildcards, attempt: 30 * attempt,
    params:
        generators=PRODUCTS,
        label=cohort("label"),
        code=code("plot_people"),
    script:
        "../scripts/plot_people.py"


rule plot_training:
    """Draw the loss on training and validation people over the epochs."""
    input:
        history="results/{cohort}/{generator}/{fraction}/{seed}/history.tsv",
    output:
        figure=report(
            "results/{cohort}/{generator}/{fraction}/{seed}/training.svg",
            caption="../report/training.rst",
            category="{cohort}",
            labels={"figure": "7 Training of {generator}, {fraction} %, seed {seed}"},
        ),
    log:
        "results/logs/{cohort}/{generator}/{fraction}/{seed}/plot_training.log",
    benchmark:
        "results/benchmarks/{cohort}/{generator}/{fraction}/{seed}/plot_training.tsv"
    wildcard_constraints:
        generator=of_kind("diffusion"),
    conda:
        "../../envs/evaluate.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        code=code("plot_training"),
    script:
        "../scripts/plot_training.py"


rule write_scorecard:
    """Write the headline metrics, one generator per row, with what falls outside its envelope marked."""
    input:
        metrics="results/{cohort}/summary/metrics.tsv",
    output:
        scorecard=report(
            "results/{cohort}/summary/scorecard.html",
            caption="../report/scorecard.rst",
            category="{cohort}",
            labels={"figure": "0 Scorecard"},
        ),
        metrics=report(
            "results/{cohort}/summary/metrics.html",
            caption="../report/metrics.rst",
            category="{cohort}",
            labels={"figure": "8 All metrics"},
        ),
    log:
        "results/logs/{cohort}/write_scorecard.log",
    benchmark:
        "results/benchmarks/{cohort}/write_scorecard.tsv"
    conda:
        "../../envs/evaluate.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        code=code("write_scorecard"),
    script:
        "../scripts/write_scorecard.py"


rule describe_run:
    """Write what made this report: people and variants counted, configuration, versions."""
    input:
        people="results/{cohort}/prepare/people.tsv",
        variants="results/{cohort}/prepare/variants.tsv",
        relatives="results/{cohort}/prepare/relatives.tsv",
    output:
        run=report(
            "results/{cohort}/summary/run.html",
            caption="../report/run.rst",
            category="{cohort}",
            labels={"figure": "9 Run"},
        ),
    log:
        "results/logs/{cohort}/describe_run.log",
    benchmark:
        "results/benchmarks/{cohort}/describe_run.tsv"
    conda:
        "../../envs/evaluate.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        settings=config,
        code=code("describe_run"),
    script:
        "../scripts/describe_run.py"
