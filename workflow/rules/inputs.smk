# The files of cohorts that the user does not bring: fetched, or simulated.
# in:  resources/download/*.tsv
# out: files below data_dir; results/{cohort}/prepare/simulated/ 1.vcf.gz, 2.vcf.gz, samples.tsv, genes.bed.gz;
#      results/{cohort}/prepare/trait/ samples.tsv, causal.tsv


rule download:
    """Fetch the public files that cohorts name, continue after an interruption, and compare their checksums."""
    input:
        tables=[str(RESOURCES / "download" / f"{name}.tsv") for name in DOWNLOADS],
    log:
        "results/logs/download.log",
    # It runs where the command is given, because compute nodes reach no internet.
    localrule: True
    conda:
        "../../envs/prepare.yaml"
    threads: 4
    params:
        folders=runfile.paths(config, DOWNLOADS),
    script:
        "../scripts/prepare/download.py"


rule simulate_cohort:
    """Simulate the embedded cohort: an out-of-Africa history with an admixed population, phased, with a trait."""
    output:
        vcf=expand(
            "results/{{cohort}}/prepare/simulated/{contig}.vcf.gz", contig=[1, 2]
        ),
        index=expand(
            "results/{{cohort}}/prepare/simulated/{contig}.vcf.gz.tbi", contig=[1, 2]
        ),
        samples="results/{cohort}/prepare/simulated/samples.tsv",
        genes="results/{cohort}/prepare/simulated/genes.bed.gz",
        causal="results/{cohort}/prepare/simulated/causal.tsv",
    log:
        "results/logs/{cohort}/simulate_cohort.log",
    benchmark:
        "results/benchmarks/{cohort}/simulate_cohort.tsv"
    conda:
        "../../envs/prepare.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 30 * attempt,
    params:
        simulate=cohort("simulate"),
        code=code("simulate_cohort"),
    script:
        "../scripts/prepare/simulate_cohort.py"


rule simulate_trait:
    """Simulate a polygenic trait on the cohort's genotypes, as a further column of its table of samples."""
    input:
        genotypes=genotype_files,
        plink=plink_parts,
        labels=given_labels,
    output:
        samples="results/{cohort}/prepare/trait/samples.tsv",
        causal="results/{cohort}/prepare/trait/causal.tsv",
    log:
        "results/logs/{cohort}/simulate_trait.log",
    benchmark:
        "results/benchmarks/{cohort}/simulate_trait.tsv"
    conda:
        "../../envs/prepare.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        trait=cohort("trait"),
        samples=cohort("samples"),
        chromosomes=cohort("chromosomes"),
        filter=checked_filter,
        code=code("simulate_trait"),
    script:
        "../scripts/prepare/simulate_trait.py"
