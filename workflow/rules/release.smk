# in:  synthetic.vcf.gz and its labels (released/ where samples are withheld); for DNA, a FASTA of the genotypes' build
# out: officer.html and .md, the page on which an officer decides;
#      beside what is released: synthetic.samples.txt, .bed/.bim/.fam, .pgen/.pvar/.psam, .bgen/.sample, SHA256SUMS;
#      genomes/ a FASTA of each sample, checked.tsv, SHA256SUMS


rule release:
    input:
        runs(
            "results/{cohort}/{generator}/{fraction}/{seed}/{released}{file}",
            where=released_by_run,
            released=RELEASED,
            file=["synthetic.samples.txt", *CONVERTED, "SHA256SUMS"],
        ),


rule genomes:
    input:
        asked_genomes,


rule write_officer_page:
    """Write the page on which a data-protection officer decides on a release: which attacks were tried, and what they found."""
    input:
        metrics="results/{cohort}/summary/metrics.tsv",
        samples="results/{cohort}/prepare/samples.tsv",
        training="results/{cohort}/prepare/{fraction}/{seed}/training_samples.tsv",
        variants="results/{cohort}/prepare/variants.tsv",
        relatives="results/{cohort}/prepare/relatives.tsv",
        search="results/{cohort}/prepare/relatives.json",
        cohort="results/{cohort}/prepare/cohort.json",
        vcf=f"results/{{cohort}}/{{generator}}/{{fraction}}/{{seed}}/{RELEASED}synthetic.vcf.gz",
        labels=f"results/{{cohort}}/{{generator}}/{{fraction}}/{{seed}}/{RELEASED}synthetic.labels.tsv",
        withheld=withheld_samples,
        drawn=runs(
            "results/{cohort}/{generator}/{fraction}/{seed}/{released}synthetic.labels.tsv",
            where=lambda kind: kind.released,
            released=RELEASED,
        ),
    output:
        html=shown(
            "results/{cohort}/{generator}/{fraction}/{seed}/officer.html", "officer"
        ),
        markdown="results/{cohort}/{generator}/{fraction}/{seed}/officer.md",
    log:
        "results/logs/{cohort}/{generator}/{fraction}/{seed}/write_officer_page.log",
    benchmark:
        "results/benchmarks/{cohort}/{generator}/{fraction}/{seed}/write_officer_page.tsv"
    wildcard_constraints:
        generator=of(released=True),
    conda:
        "../../envs/evaluate.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
        runtime=lambda wildcards, attempt: 20 * attempt,
    params:
        sentence=lambda wildcards: kind_of(wildcards.generator).sentence,
        source=lambda wildcards: kind_of(wildcards.generator).source,
        settings=card_settings,
        label=cohort("label"),
        labels=config["sample"]["labels"],
        others=lambda wildcards: [name for name in COHORTS if name != wildcards.cohort],
        code=code("write_officer_page"),
    script:
        "../scripts/report/write_officer_page.py"


rule convert:
    """Write synthetic samples in the formats that geneticists' tools read (plink2), with checksums of what is released."""
    input:
        vcf="results/{cohort}/{generator}/{fraction}/{seed}/{released}synthetic.vcf.gz",
        labels="results/{cohort}/{generator}/{fraction}/{seed}/{released}synthetic.labels.tsv",
        samples="results/{cohort}/prepare/samples.tsv",
    output:
        samples="results/{cohort}/{generator}/{fraction}/{seed}/{released}synthetic.samples.txt",
        sums="results/{cohort}/{generator}/{fraction}/{seed}/{released}SHA256SUMS",
        files=expand(
            "results/{{cohort}}/{{generator}}/{{fraction}}/{{seed}}/{{released}}{file}",
            file=CONVERTED,
        ),
    log:
        "results/logs/{cohort}/{generator}/{fraction}/{seed}/{released}convert.log",
    benchmark:
        "results/benchmarks/{cohort}/{generator}/{fraction}/{seed}/{released}convert.tsv"
    wildcard_constraints:
        # Neither real samples nor those that are withheld.
        generator=PLAN.constraint(PLAN.names(released_by_run)),
        released=RELEASED or "(?:)",
    conda:
        "../../envs/formats.yaml"
    resources:
        mem_mb=by_size(1500, 0.2),
        runtime=by_size(20, 0.02),
    params:
        formats=sorted(FORMATS),
        label=cohort("label"),
        code=code("convert"),
    script:
        "../scripts/release/convert.py"


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
    # Refused before anything is fitted.
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


rule write_fasta:
    """Put the variants of synthetic samples into the reference genome, haplotype by haplotype, and find them there again."""
    input:
        vcf="results/{cohort}/{generator}/{fraction}/{seed}/{released}synthetic.vcf.gz",
        reference=reference_file,
        index_of_reference="results/{cohort}/prepare/reference",
        regions="results/{cohort}/prepare/regions.tsv",
    output:
        genomes=directory(
            "results/{cohort}/{generator}/{fraction}/{seed}/{released}genomes"
        ),
    log:
        "results/logs/{cohort}/{generator}/{fraction}/{seed}/{released}write_fasta.log",
    benchmark:
        "results/benchmarks/{cohort}/{generator}/{fraction}/{seed}/{released}write_fasta.tsv"
    wildcard_constraints:
        generator=of(released=True),
        released=RELEASED or "(?:)",
    conda:
        "../../envs/prepare.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=genomes_minutes,
    params:
        samples=config["release"]["genomes"]["samples"],
        code=code("write_fasta"),
    script:
        "../scripts/release/write_fasta.py"
