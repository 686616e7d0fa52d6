# in:  results/{cohort}/prepare/ genotypes.zarr.zip, {fraction}/{seed}/ training_samples.tsv, latents.npz
# out: results/{cohort}/{generator}/{fraction}/{seed}/ fitted.model, chosen.json, history.tsv; clusters.npz


rule fit:
    input:
        trainings("results/{cohort}/{generator}/{fraction}/{seed}/fitted.model"),


rule fit_haplotype_clusters:
    """Fit subpopulations and the ancestral haplotype clusters of each chromosome on the training samples."""
    input:
        genotypes="results/{cohort}/prepare/genotypes.zarr.zip",
        samples="results/{cohort}/prepare/samples.tsv",
        training="results/{cohort}/prepare/{fraction}/{seed}/training_samples.tsv",
        genetic_map=map_file,
    output:
        clusters="results/{cohort}/{generator}/{fraction}/{seed}/clusters.npz",
    log:
        "results/logs/{cohort}/{generator}/{fraction}/{seed}/fit_haplotype_clusters.log",
    benchmark:
        "results/benchmarks/{cohort}/{generator}/{fraction}/{seed}/fit_haplotype_clusters.tsv"
    wildcard_constraints:
        generator=PLAN.constraint(PLAN.fitted(lambda kind: "clusters" in kind.needs)),
    conda:
        "../../envs/train.yaml"
    threads: 2
    resources:
        gpu=gpus,
        mem_mb=clusters_memory,
        runtime=by_size(120, 0.5),
    params:
        settings=clusters_settings,
        code=code("fit_haplotype_clusters"),
    script:
        "../scripts/fit/fit_haplotype_clusters.py"


rule fit_generator:
    """Fit a generator on the training samples; a stopped training goes on from where it was."""
    input:
        unpack(needed),
        genotypes="results/{cohort}/prepare/genotypes.zarr.zip",
        samples="results/{cohort}/prepare/samples.tsv",
        training="results/{cohort}/prepare/{fraction}/{seed}/training_samples.tsv",
        genetic_map=map_file,
    output:
        model="results/{cohort}/{generator}/{fraction}/{seed}/fitted.model",
        chosen="results/{cohort}/{generator}/{fraction}/{seed}/chosen.json",
        history="results/{cohort}/{generator}/{fraction}/{seed}/history.tsv",
    log:
        "results/logs/{cohort}/{generator}/{fraction}/{seed}/fit_generator.log",
    benchmark:
        "results/benchmarks/{cohort}/{generator}/{fraction}/{seed}/fit_generator.tsv"
    wildcard_constraints:
        generator=PLAN.constraint(PLAN.fitted()),
    conda:
        "../../envs/train.yaml"
    threads: 2
    resources:
        gpu=gpus,
        mem_mb=by_kind("fit_memory"),
        runtime=by_kind("fit_minutes"),
    params:
        model=lambda wildcards: kind_of(wildcards.generator).model,
        needs=lambda wildcards: list(needed(wildcards)),
        settings=fit_settings("clusters"),
        code=model_code("fit_generator"),
        # Not declared as an output: Snakemake wipes outputs before each attempt, and this file is what
        # lets a killed training go on.
        state="results/{cohort}/{generator}/{fraction}/{seed}/training.state",
    script:
        "../scripts/fit/fit_generator.py"
