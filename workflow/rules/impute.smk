# in:  synthetic samples of a cohort with few variants, a reference panel of other samples
# out: results/{cohort}/{generator}/{fraction}/{seed}/ {released}imputed/{contig}.vcf.gz, all variants of the panel;
#      synthetic.vcf.gz, those of the cohort, which is judged as every synthetic cohort is


rule impute:
    input:
        runs(
            "results/{cohort}/{generator}/{fraction}/{seed}/{released}synthetic.{part}",
            where=lambda kind: kind.source == "imputation",
            released=RELEASED,
            part=["vcf.gz", "labels.tsv"],
        ),
        dense_files,


rule impute_chromosome:
    """Impute synthetic samples of another cohort to all variants that the panel has on a chromosome (Beagle)."""
    input:
        vcf=imputed_from("synthetic.vcf.gz"),
        typed=imputed_in("genotypes.zarr.zip"),
        genotypes="results/{cohort}/prepare/genotypes.zarr.zip",
        panel=panel_files,
        # Whose panel was found to be fit.
        measured="results/{cohort}/{generator}/{fraction}/{seed}/panel.tsv",
        genetic_map=map_file,
    output:
        vcf="results/{cohort}/{generator}/{fraction}/{seed}/imputed/{contig}.vcf.gz",
    log:
        "results/logs/{cohort}/{generator}/{fraction}/{seed}/impute_chromosome/{contig}.log",
    benchmark:
        "results/benchmarks/{cohort}/{generator}/{fraction}/{seed}/impute_chromosome/{contig}.tsv"
    wildcard_constraints:
        generator=PLAN.constraint(IMPUTED),
    conda:
        "../../envs/impute.yaml"
    threads: 2
    resources:
        mem_mb=by_size(8000, 8),
        runtime=by_size(120, 0.4),
    params:
        code=code("impute_chromosome"),
    script:
        "../scripts/sample/impute_chromosome.py"


rule release_imputed:
    """Leave withheld samples out of those imputed with all variants of the panel."""
    input:
        vcf="results/{cohort}/{generator}/{fraction}/{seed}/imputed/{contig}.vcf.gz",
        labels="results/{cohort}/{generator}/{fraction}/{seed}/released/synthetic.labels.tsv",
    output:
        vcf="results/{cohort}/{generator}/{fraction}/{seed}/released/imputed/{contig}.vcf.gz",
    log:
        "results/logs/{cohort}/{generator}/{fraction}/{seed}/release_imputed/{contig}.log",
    benchmark:
        "results/benchmarks/{cohort}/{generator}/{fraction}/{seed}/release_imputed/{contig}.tsv"
    wildcard_constraints:
        generator=PLAN.constraint(IMPUTED),
    conda:
        "../../envs/prepare.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
        runtime=lambda wildcards, attempt: 120 * attempt,
    params:
        code=code("release_imputed"),
    script:
        "../scripts/sample/release_imputed.py"


rule measure_panel:
    """Look whether the panel is fit, and how well it fills in held-out samples typed as the synthetic ones are (Beagle)."""
    input:
        typed=imputed_in("genotypes.zarr.zip"),
        own=imputed_in("{fraction}/{seed}/training_samples.tsv"),
        genotypes="results/{cohort}/prepare/genotypes.zarr.zip",
        samples="results/{cohort}/prepare/samples.tsv",
        training="results/{cohort}/prepare/{fraction}/{seed}/training_samples.tsv",
        panel=panel_files,
        genetic_map=map_file,
    output:
        metrics="results/{cohort}/{generator}/{fraction}/{seed}/panel.tsv",
    log:
        "results/logs/{cohort}/{generator}/{fraction}/{seed}/measure_panel.log",
    benchmark:
        "results/benchmarks/{cohort}/{generator}/{fraction}/{seed}/measure_panel.tsv"
    wildcard_constraints:
        generator=PLAN.constraint(IMPUTED),
    # What is wrong with it is told before anything is fitted.
    priority: 1
    conda:
        "../../envs/impute.yaml"
    threads: 2
    resources:
        mem_mb=by_size(8000, 8),
        runtime=by_size(120, 0.4),
    params:
        labels=config["sample"]["labels"],
        code=code("measure_panel"),
    script:
        "../scripts/evaluate/measure_panel.py"
