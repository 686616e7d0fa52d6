# in:  phased synthetic people, a FASTA of the genotypes' build
# out: results/{cohort}/{generator}/{fraction}/{seed}/genomes/ a FASTA of each person, checked.tsv, SHA256SUMS


rule genomes:
    input:
        asked_genomes,


rule simulate_reference:
    """Make the reference genome of the simulated cohort: random bases, with the REF allele at every variant."""
    input:
        vcf=genotype_files,
    output:
        reference="results/{cohort}/prepare/simulated/reference.fa.gz",
        fai="results/{cohort}/prepare/simulated/reference.fa.gz.fai",
        gzi="results/{cohort}/prepare/simulated/reference.fa.gz.gzi",
    log:
        "results/logs/{cohort}/simulate_reference.log",
    benchmark:
        "results/benchmarks/{cohort}/simulate_reference.tsv"
    conda:
        "../../envs/prepare.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 30 * attempt,
    params:
        seed=lambda wildcards: config["cohorts"][wildcards.cohort]["simulate"]["seed"],
        code=code("simulate_reference"),
    script:
        "../scripts/release/simulate_reference.py"


rule check_reference:
    """Compare the reference genome with the cohort's variants, and find the regions that are asked for."""
    input:
        reference=reference_file,
        genotypes="results/{cohort}/prepare/genotypes.zarr.zip",
    output:
        index=directory("results/{cohort}/prepare/reference"),
        regions="results/{cohort}/prepare/regions.tsv",
    log:
        "results/logs/{cohort}/check_reference.log",
    benchmark:
        "results/benchmarks/{cohort}/check_reference.tsv"
    # Told before anything is learnt.
    priority: 1
    conda:
        "../../envs/prepare.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        regions=config["release"]["genomes"]["regions"],
        code=code("check_reference"),
    script:
        "../scripts/release/check_reference.py"


rule write_genomes:
    """Put the variants of synthetic people into the reference genome, haplotype by haplotype, and find them there again."""
    input:
        vcf="results/{cohort}/{generator}/{fraction}/{seed}/{released}synthetic.vcf.gz",
        index="results/{cohort}/{generator}/{fraction}/{seed}/{released}synthetic.vcf.gz.tbi",
        reference=reference_file,
        index_of_reference="results/{cohort}/prepare/reference",
        regions="results/{cohort}/prepare/regions.tsv",
    output:
        genomes=directory(
            "results/{cohort}/{generator}/{fraction}/{seed}/{released}genomes"
        ),
    log:
        "results/logs/{cohort}/{generator}/{fraction}/{seed}/{released}write_genomes.log",
    benchmark:
        "results/benchmarks/{cohort}/{generator}/{fraction}/{seed}/{released}write_genomes.tsv"
    wildcard_constraints:
        # The copycat's people are real.
        generator=of_kind(
            "diffusion", "masked", "resampled", "imputed", "external", *CONTROLS
        ),
        released=RELEASED or "(?:)",
    conda:
        "../../envs/prepare.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=genomes_minutes,
    params:
        people=config["release"]["genomes"]["people"],
        code=code("write_genomes"),
    script:
        "../scripts/release/write_genomes.py"
