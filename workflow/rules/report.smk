# in:  metrics tables, synthetic and real samples
# out: figures and tables, marked for Snakemake's HTML report (--report results/report.html)


rule report:
    input:
        expand(
            "results/{cohort}/summary/{page}",
            cohort=COHORTS,
            page=[
                "landing.html",
                "tradeoff.svg",
                "pca.svg",
                "scorecard.html",
                "audit.html",
                "run.html",
                "metrics.tsv",
            ],
        ),
        runs(
            "results/{cohort}/{generator}/{fraction}/{seed}/{page}.html",
            where=lambda kind: kind.released,
            page=["model_card", "officer"],
        ),
        trainings("results/{cohort}/{generator}/{fraction}/{seed}/training.svg"),
        expand(
            "results/{cohort}/summary/ablation.{format}",
            cohort=COHORTS if config["evaluate"]["ablation"] else [],
            format=["svg", "html"],
        ),
        rules.paper.input,


rule write_landing:
    """Write the landing page: three lights per generator, with the numbers behind them, and where to read on."""
    input:
        metrics="results/{cohort}/summary/metrics.tsv",
        samples="results/{cohort}/prepare/samples.tsv",
        relatives="results/{cohort}/prepare/relatives.tsv",
        search="results/{cohort}/prepare/relatives.json",
        cohort="results/{cohort}/prepare/cohort.json",
        tradeoff="results/{cohort}/summary/tradeoff.svg",
        pca="results/{cohort}/summary/pca.svg",
        ld_decay="results/{cohort}/summary/ld_decay.svg",
    output:
        landing=shown("results/{cohort}/summary/landing.html", "landing"),
    log:
        "results/logs/{cohort}/write_landing.log",
    benchmark:
        "results/benchmarks/{cohort}/write_landing.tsv"
    conda:
        "../../envs/evaluate.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        generators=judged_generators,
        captions={key: caption(key) for key in ("tradeoff", "pca", "ld_decay")},
        withheld=WITHHOLDS,
        labels=config["sample"]["labels"],
        code=code("write_landing"),
    script:
        "../scripts/report/write_landing.py"


rule plot_metrics:
    """Draw privacy, utility and fidelity from the metrics table, each number beside its real-vs-real envelope."""
    input:
        metrics="results/{cohort}/summary/metrics.tsv",
    output:
        tradeoff=shown("results/{cohort}/summary/tradeoff.svg", "tradeoff"),
        aats=shown("results/{cohort}/summary/aats.svg", "aats"),
        membership=shown("results/{cohort}/summary/membership.svg", "membership"),
        relatives=shown("results/{cohort}/summary/relatives.svg", "relatives"),
        utility=shown("results/{cohort}/summary/utility.svg", "utility"),
        spectrum=shown("results/{cohort}/summary/spectrum.svg", "spectrum"),
        ld_decay=shown("results/{cohort}/summary/ld_decay.svg", "ld_decay"),
        structure=shown("results/{cohort}/summary/structure.svg", "structure"),
        published=shown("results/{cohort}/summary/published.svg", "published"),
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
        kinds={name: PLAN.settings(name)["kind"] for name in PLAN.generators},
        markers={name: kind.marker for name, kind in KINDS.items()},
        code=code("plot_metrics"),
    script:
        "../scripts/report/plot_metrics.py"


rule plot_ablation:
    """Draw variants of a generator beside each other, and write the same numbers as a table."""
    input:
        metrics="results/{cohort}/summary/metrics.tsv",
    output:
        figure=shown("results/{cohort}/summary/ablation.svg", "ablation"),
        page=shown("results/{cohort}/summary/ablation.html", "ablation_table"),
    log:
        "results/logs/{cohort}/plot_ablation.log",
    benchmark:
        "results/benchmarks/{cohort}/plot_ablation.tsv"
    conda:
        "../../envs/evaluate.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        variants=config["evaluate"]["ablation"],
        code=code("plot_ablation"),
    script:
        "../scripts/report/plot_ablation.py"


rule plot_cohorts:
    """Draw synthetic and real samples side by side: principal components, allele frequencies, linkage, associations."""
    input:
        synthetic=runs(
            "results/{cohort}/{generator}/{fraction}/{seed}/synthetic.zarr.zip",
            where=lambda kind: kind.released,
            newest=True,
        ),
        labels=runs(
            "results/{cohort}/{generator}/{fraction}/{seed}/synthetic.labels.tsv",
            where=lambda kind: kind.released,
            newest=True,
        ),
        genotypes="results/{cohort}/prepare/genotypes.zarr.zip",
        samples="results/{cohort}/prepare/samples.tsv",
    output:
        pca=shown("results/{cohort}/summary/pca.svg", "pca"),
        allele_frequencies=shown(
            "results/{cohort}/summary/allele_frequencies.svg", "allele_frequencies"
        ),
        ld_blocks=shown("results/{cohort}/summary/ld_blocks.svg", "ld_blocks"),
        association=shown("results/{cohort}/summary/association.svg", "association"),
    log:
        "results/logs/{cohort}/plot_cohorts.log",
    benchmark:
        "results/benchmarks/{cohort}/plot_cohorts.tsv"
    conda:
        "../../envs/evaluate.yaml"
    resources:
        mem_mb=by_size(1500, 6),
        runtime=by_size(30, 0.02),
    params:
        generators=runs("{generator}", where=lambda kind: kind.released, newest=True),
        label=cohort("label"),
        labels=config["sample"]["labels"],
        code=code("plot_cohorts"),
    script:
        "../scripts/report/plot_cohorts.py"


rule plot_training:
    """Draw the loss on training and validation samples over the epochs."""
    input:
        history="results/{cohort}/{generator}/{fraction}/{seed}/history.tsv",
    output:
        figure=shown(
            "results/{cohort}/{generator}/{fraction}/{seed}/training.svg", "training"
        ),
    log:
        "results/logs/{cohort}/{generator}/{fraction}/{seed}/plot_training.log",
    benchmark:
        "results/benchmarks/{cohort}/{generator}/{fraction}/{seed}/plot_training.tsv"
    wildcard_constraints:
        generator=of(trains=True),
    conda:
        "../../envs/evaluate.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        code=code("plot_training"),
    script:
        "../scripts/report/plot_training.py"


rule write_scorecard:
    """Write the headline metrics, one generator per row, with what falls outside its envelope marked."""
    input:
        metrics="results/{cohort}/summary/metrics.tsv",
    output:
        scorecard=shown("results/{cohort}/summary/scorecard.html", "scorecard"),
        metrics=shown("results/{cohort}/summary/metrics.html", "metrics"),
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
        "../scripts/report/write_scorecard.py"


rule write_audit:
    """Write the privacy audit: what each attack can detect, what it detected, and which samples are duplicates."""
    input:
        metrics="results/{cohort}/summary/metrics.tsv",
        samples=runs("results/{cohort}/{generator}/{fraction}/{seed}/audit/samples.tsv"),
    output:
        audit=shown("results/{cohort}/summary/audit.html", "audit"),
    log:
        "results/logs/{cohort}/write_audit.log",
    benchmark:
        "results/benchmarks/{cohort}/write_audit.tsv"
    conda:
        "../../envs/evaluate.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        runs=runs("{generator}, {fraction} %, seed {seed}"),
        code=code("write_audit"),
    script:
        "../scripts/report/write_audit.py"


rule write_model_card:
    """Write the model card that goes with a synthetic cohort: origin, numbers, audit and limits of use."""
    input:
        metrics="results/{cohort}/summary/metrics.tsv",
        training="results/{cohort}/prepare/{fraction}/{seed}/training_samples.tsv",
        labels=f"results/{{cohort}}/{{generator}}/{{fraction}}/{{seed}}/{RELEASED}synthetic.labels.tsv",
        cohort="results/{cohort}/prepare/cohort.json",
        chosen=chosen_settings,
        withheld=withheld_samples,
    output:
        card=shown(
            "results/{cohort}/{generator}/{fraction}/{seed}/model_card.html",
            "model_card",
        ),
    log:
        "results/logs/{cohort}/{generator}/{fraction}/{seed}/write_model_card.log",
    benchmark:
        "results/benchmarks/{cohort}/{generator}/{fraction}/{seed}/write_model_card.tsv"
    wildcard_constraints:
        generator=of(released=True),
    conda:
        "../../envs/evaluate.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        sentence=lambda wildcards: kind_of(wildcards.generator).sentence,
        source=lambda wildcards: kind_of(wildcards.generator).source,
        suits=lambda wildcards: kind_of(wildcards.generator).suits,
        settings=card_settings,
        label=cohort("label"),
        code=code("write_model_card"),
    script:
        "../scripts/report/write_model_card.py"


rule describe_run:
    """Write what made this report: generators, samples and variants counted, configuration, versions."""
    input:
        samples="results/{cohort}/prepare/samples.tsv",
        variants="results/{cohort}/prepare/variants.tsv",
        relatives="results/{cohort}/prepare/relatives.tsv",
        search="results/{cohort}/prepare/relatives.json",
    output:
        run=shown("results/{cohort}/summary/run.html", "run"),
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
        generators={name: kind_of(name).sentence for name in PLAN.generators},
        code=code("describe_run"),
    script:
        "../scripts/report/describe_run.py"
