# in:  synthetic people of a cohort with few variants, a reference panel of other people
# out: results/{cohort}/{generator}/{fraction}/{seed}/ imputed/{contig}.vcf.gz, all variants of the panel;
#      synthetic.vcf.gz, those of the cohort, which is judged as every synthetic cohort is


rule impute:
    input:
        runs(
            "results/{cohort}/{generator}/{fraction}/{seed}/synthetic.{part}",
            "imputed",
            part=["vcf.gz", "vcf.gz.tbi", "labels.tsv"],
        ),


rule impute_chromosome:
    """Impute synthetic people of another cohort to all variants that the panel has on a chromosome (Beagle)."""
    input:
        vcf=imputed_from("synthetic.vcf.gz"),
        typed=imputed_in("genotypes.zarr.zip"),
        own=imputed_in("{fraction}/{seed}/members.tsv"),
        genotypes="results/{cohort}/prepare/genotypes.zarr.zip",
        members="results/{cohort}/prepare/{fraction}/{seed}/members.tsv",
        panel=panel_files,
        genetic_map=map_file,
    output:
        vcf="results/{cohort}/{generator}/{fraction}/{seed}/imputed/{contig}.vcf.gz",
        index="results/{cohort}/{generator}/{fraction}/{seed}/imputed/{contig}.vcf.gz.tbi",
    log:
        "results/logs/{cohort}/{generator}/{fraction}/{seed}/impute_chromosome/{contig}.log",
    benchmark:
        "results/benchmarks/{cohort}/{generator}/{fraction}/{seed}/impute_chromosome/{contig}.tsv"
    wildcard_constraints:
        generator=of_kind("imputed"),
    conda:
        "../../envs/impute.yaml"
    threads: 2
    resources:
        mem_mb=by_size(8000, 8),
        runtime=by_size(120, 0.4),
    params:
        code=code("impute_chromosome"),
    script:
        "../scripts/impute_chromosome.py"


rule adopt_imputed:
    """Take the cohort's variants out of all chromosomes' imputed people, as one indexed VCF with labels."""
    input:
        vcf=contigs(
            "results/{cohort}/{generator}/{fraction}/{seed}/imputed/{contig}.vcf.gz"
        ),
        labels=imputed_from("synthetic.labels.tsv"),
        genotypes="results/{cohort}/prepare/genotypes.zarr.zip",
        people="results/{cohort}/prepare/people.tsv",
    output:
        vcf="results/{cohort}/{generator}/{fraction}/{seed}/synthetic.vcf.gz",
        index="results/{cohort}/{generator}/{fraction}/{seed}/synthetic.vcf.gz.tbi",
        labels="results/{cohort}/{generator}/{fraction}/{seed}/synthetic.labels.tsv",
    log:
        "results/logs/{cohort}/{generator}/{fraction}/{seed}/adopt_imputed.log",
    benchmark:
        "results/benchmarks/{cohort}/{generator}/{fraction}/{seed}/adopt_imputed.tsv"
    wildcard_constraints:
        generator=of_kind("imputed"),
    conda:
        "../../envs/prepare.yaml"
    resources:
        mem_mb=by_size(1000, 4),
        runtime=by_size(30, 0.05),
    params:
        label=cohort("label"),
        code=code("adopt_imputed"),
    script:
        "../scripts/adopt_imputed.py"


rule measure_panel:
    """Measure how well the panel fills in held-out real people who are typed as the synthetic people are (Beagle)."""
    input:
        typed=imputed_in("genotypes.zarr.zip"),
        genotypes="results/{cohort}/prepare/genotypes.zarr.zip",
        people="results/{cohort}/prepare/people.tsv",
        members="results/{cohort}/prepare/{fraction}/{seed}/members.tsv",
        panel=panel_files,
        genetic_map=map_file,
    output:
        metrics="results/{cohort}/{generator}/{fraction}/{seed}/panel.tsv",
    log:
        "results/logs/{cohort}/{generator}/{fraction}/{seed}/measure_panel.log",
    benchmark:
        "results/benchmarks/{cohort}/{generator}/{fraction}/{seed}/measure_panel.tsv"
    wildcard_constraints:
        generator=of_kind("imputed"),
    conda:
        "../../envs/impute.yaml"
    threads: 2
    resources:
        mem_mb=by_size(8000, 8),
        runtime=by_size(120, 0.4),
    params:
        code=code("measure_panel"),
    script:
        "../scripts/measure_panel.py"
