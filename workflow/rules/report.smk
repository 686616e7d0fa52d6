# in:  metrics tables, synthetic and real people
# out: figures and tables, marked for Snakemake's HTML report (--report results/report.html)


rule report:
    input:
        expand(
            "results/{cohort}/summary/{page}",
            cohort=COHORTS,
            page=[
                "frontier.svg",
                "pca.svg",
                "scorecard.html",
                "audit.html",
                "run.html",
                "metrics.tsv",
            ],
        ),
        runs(
            "results/{cohort}/{generator}/{fraction}/{seed}/model_card.html",
            but=["copycat"],
        ),
        runs(
            "results/{cohort}/{generator}/{fraction}/{seed}/training.svg",
            "diffusion",
            "masked",
        ),
        expand(
            "results/{cohort}/summary/ablation.{kind}",
            cohort=COHORTS if config["evaluate"]["ablation"] else [],
            kind=["svg", "html"],
        ),
        rules.paper.input,


rule plot_metrics:
    """Draw what the metrics table says of privacy, utility and fidelity, each beside its real-vs-real envelope."""
    input:
        metrics="results/{cohort}/summary/metrics.tsv",
    output:
        frontier=report(
            "results/{cohort}/summary/frontier.svg",
            caption="../report/frontier.rst",
            category="{cohort}",
            labels={"figure": " 0 Frontier: utility and privacy"},
        ),
        aats=report(
            "results/{cohort}/summary/aats.svg",
            caption="../report/aats.rst",
            category="{cohort}",
            labels={"figure": " 3 Privacy: nearest neighbours"},
        ),
        membership=report(
            "results/{cohort}/summary/membership.svg",
            caption="../report/membership.rst",
            category="{cohort}",
            labels={"figure": " 4 Privacy: attacks and their power"},
        ),
        relatives=report(
            "results/{cohort}/summary/relatives.svg",
            caption="../report/relatives.rst",
            category="{cohort}",
            labels={"figure": " 5 Privacy: copies and kinship"},
        ),
        utility=report(
            "results/{cohort}/summary/utility.svg",
            caption="../report/utility.rst",
            category="{cohort}",
            labels={"figure": " 6 Utility"},
        ),
        spectrum=report(
            "results/{cohort}/summary/spectrum.svg",
            caption="../report/spectrum.rst",
            category="{cohort}",
            labels={"figure": " 9 Allele counts and diversity"},
        ),
        ld_decay=report(
            "results/{cohort}/summary/ld_decay.svg",
            caption="../report/ld_decay.rst",
            category="{cohort}",
            labels={"figure": "10 LD decay"},
        ),
        structure=report(
            "results/{cohort}/summary/structure.svg",
            caption="../report/structure.rst",
            category="{cohort}",
            labels={"figure": "12 Distances and Fst"},
        ),
        published=report(
            "results/{cohort}/summary/published.svg",
            caption="../report/published.rst",
            category="{cohort}",
            labels={"figure": "13 Likelihood and published figures"},
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
        kinds={name: one["kind"] for name, one in config["generators"].items()},
        code=code("plot_metrics"),
    script:
        "../scripts/report/plot_metrics.py"


rule plot_ablation:
    """Draw variants of a generator beside each other, and write the same numbers as a table."""
    input:
        metrics="results/{cohort}/summary/metrics.tsv",
    output:
        figure=report(
            "results/{cohort}/summary/ablation.svg",
            caption="../report/ablation.rst",
            category="{cohort}",
            labels={"figure": "15 Variants compared"},
        ),
        page=report(
            "results/{cohort}/summary/ablation.html",
            caption="../report/ablation.rst",
            category="{cohort}",
            labels={"figure": "15 Variants compared, table"},
        ),
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


rule plot_people:
    """Draw synthetic and real people side by side: principal components, allele frequencies, linkage, associations."""
    input:
        vcf=runs(
            "results/{cohort}/{generator}/{fraction}/{seed}/synthetic.vcf.gz",
            but=["copycat"],
            newest=True,
        ),
        labels=runs(
            "results/{cohort}/{generator}/{fraction}/{seed}/synthetic.labels.tsv",
            but=["copycat"],
            newest=True,
        ),
        genotypes="results/{cohort}/prepare/genotypes.zarr.zip",
        people="results/{cohort}/prepare/people.tsv",
    output:
        pca=report(
            "results/{cohort}/summary/pca.svg",
            caption="../report/pca.rst",
            category="{cohort}",
            labels={"figure": " 7 Population structure"},
        ),
        allele_frequencies=report(
            "results/{cohort}/summary/allele_frequencies.svg",
            caption="../report/allele_frequencies.rst",
            category="{cohort}",
            labels={"figure": " 8 Allele frequencies"},
        ),
        ld_blocks=report(
            "results/{cohort}/summary/ld_blocks.svg",
            caption="../report/ld_blocks.rst",
            category="{cohort}",
            labels={"figure": "11 LD blocks"},
        ),
        association=report(
            "results/{cohort}/summary/association.svg",
            caption="../report/association.rst",
            category="{cohort}",
            labels={"figure": " 6 Utility: association scans"},
        ),
    log:
        "results/logs/{cohort}/plot_people.log",
    benchmark:
        "results/benchmarks/{cohort}/plot_people.tsv"
    conda:
        "../../envs/evaluate.yaml"
    resources:
        mem_mb=by_size(1500, 6),
        runtime=by_size(30, 0.02),
    params:
        label=cohort("label"),
        code=code("plot_people"),
    script:
        "../scripts/report/plot_people.py"


rule plot_training:
    """Draw the loss on training and validation people over the epochs."""
    input:
        history="results/{cohort}/{generator}/{fraction}/{seed}/history.tsv",
    output:
        figure=report(
            "results/{cohort}/{generator}/{fraction}/{seed}/training.svg",
            caption="../report/training.rst",
            category="{cohort}",
            labels={"figure": "14 Training of {generator}, {fraction} %, seed {seed}"},
        ),
    log:
        "results/logs/{cohort}/{generator}/{fraction}/{seed}/plot_training.log",
    benchmark:
        "results/benchmarks/{cohort}/{generator}/{fraction}/{seed}/plot_training.tsv"
    wildcard_constraints:
        generator=of_kind("diffusion", "masked"),
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
        scorecard=report(
            "results/{cohort}/summary/scorecard.html",
            caption="../report/scorecard.rst",
            category="{cohort}",
            labels={"figure": " 1 Scorecard"},
        ),
        metrics=report(
            "results/{cohort}/summary/metrics.html",
            caption="../report/metrics.rst",
            category="{cohort}",
            labels={"figure": "16 All metrics"},
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
        "../scripts/report/write_scorecard.py"


rule write_audit:
    """Write the privacy audit: what each attack can see, what it saw, and which synthetic people are copies."""
    input:
        metrics="results/{cohort}/summary/metrics.tsv",
        people=runs("results/{cohort}/{generator}/{fraction}/{seed}/audit/people.tsv"),
    output:
        audit=report(
            "results/{cohort}/summary/audit.html",
            caption="../report/audit.rst",
            category="{cohort}",
            labels={"figure": " 2 Privacy audit"},
        ),
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
        code=code("write_audit"),
    script:
        "../scripts/report/write_audit.py"


rule write_card:
    """Write the model card that goes with a synthetic cohort: origin, numbers, audit and limits of use."""
    input:
        metrics="results/{cohort}/summary/metrics.tsv",
        members="results/{cohort}/prepare/{fraction}/{seed}/members.tsv",
        labels=handed_on,
        tuned=tuned_settings,
        withheld=withheld_people,
    output:
        card=report(
            "results/{cohort}/{generator}/{fraction}/{seed}/model_card.html",
            caption="../report/card.rst",
            category="{cohort}",
            labels={
                "figure": "16 Model card of {generator}, {fraction} %, seed {seed}"
            },
        ),
    log:
        "results/logs/{cohort}/{generator}/{fraction}/{seed}/write_card.log",
    benchmark:
        "results/benchmarks/{cohort}/{generator}/{fraction}/{seed}/write_card.tsv"
    conda:
        "../../envs/evaluate.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        settings=told_settings,
        label=cohort("label"),
        code=code("write_card"),
    script:
        "../scripts/report/write_card.py"


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
            labels={"figure": "17 Run"},
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
        "../scripts/report/describe_run.py"
