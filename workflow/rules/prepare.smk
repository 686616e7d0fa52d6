# in:  VCF/BCF/PLINK files, a table of people, genes (optional)
# out: results/{cohort}/prepare/ people.tsv, genotypes.zarr.zip, relatives.tsv
#      results/{cohort}/prepare/{fraction}/{seed}/ members.tsv, encoder.npz, latents.npz


rule prepare:
    input:
        expand("results/{cohort}/prepare/relatives.tsv", cohort=COHORTS),
        expand(
            "results/{cohort}/prepare/{fraction}/{seed}/latents.npz",
            cohort=COHORTS,
            fraction=FRACTIONS,
            seed=config["seeds"],
        ),


rule download:
    """Fetch the public files that cohorts name, gone on with where it broke off, and compare their checksums."""
    input:
        tables=[str(RESOURCES / "download" / f"{name}.tsv") for name in DOWNLOADS],
    log:
        "results/logs/download.log",
    # Where the command is given, as compute nodes reach no internet.
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
        people="results/{cohort}/prepare/simulated/people.tsv",
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
    """Simulate a polygenic trait on the cohort's genotypes, as a further column of its table of people."""
    input:
        genotypes=genotype_files,
        plink=plink_parts,
        labels=given_labels,
    output:
        people="results/{cohort}/prepare/trait/people.tsv",
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
        people=cohort("people"),
        chromosomes=cohort("chromosomes"),
        code=code("simulate_trait"),
    script:
        "../scripts/prepare/simulate_trait.py"


checkpoint check_inputs:
    """Open every input, compare people and chromosomes across files, and refuse what cannot work before any work starts."""
    input:
        genotypes=genotype_files,
        plink=plink_parts,
        labels=label_file,
        genes=gene_file,
        genetic_map=map_file,
    output:
        inputs="results/{cohort}/prepare/inputs.json",
        index=directory("results/{cohort}/prepare/index"),
    log:
        "results/logs/{cohort}/check_inputs.log",
    benchmark:
        "results/benchmarks/{cohort}/check_inputs.tsv"
    # Every cohort's inputs are looked at before any work on one of them begins.
    priority: 1
    conda:
        "../../envs/prepare.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        label=cohort("label"),
        family=cohort("family"),
        people=cohort("people"),
        chromosomes=cohort("chromosomes"),
        code=code("check_inputs"),
    script:
        "../scripts/prepare/check_inputs.py"


rule split_people:
    """Split the people into training, validation and test, by label, families kept together."""
    input:
        inputs="results/{cohort}/prepare/inputs.json",
        labels=label_file,
    output:
        people="results/{cohort}/prepare/people.tsv",
    log:
        "results/logs/{cohort}/split_people.log",
    benchmark:
        "results/benchmarks/{cohort}/split_people.tsv"
    # Every cohort's inputs are looked at before any work on one of them begins.
    priority: 1
    conda:
        "../../envs/prepare.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        label=cohort("label"),
        family=cohort("family"),
        split=cohort("split"),
        wanted=config["sample"]["labels"],
        code=code("split_people"),
    script:
        "../scripts/prepare/split_people.py"


rule filter_variants:
    """Keep the biallelic SNPs of one chromosome that pass call rate, allele frequency and Hardy-Weinberg in training people."""
    input:
        inputs="results/{cohort}/prepare/inputs.json",
        index="results/{cohort}/prepare/index",
        people="results/{cohort}/prepare/people.tsv",
        genotypes=genotype_files,
        plink=plink_parts,
    output:
        store="results/{cohort}/prepare/chromosomes/{contig}.zarr.zip",
        counts="results/{cohort}/prepare/chromosomes/{contig}.filter.tsv",
    log:
        "results/logs/{cohort}/filter_variants/{contig}.log",
    benchmark:
        "results/benchmarks/{cohort}/filter_variants/{contig}.tsv"
    conda:
        "../../envs/prepare.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 240 * attempt,
    params:
        filter=cohort("filter"),
        code=code("filter_variants"),
    script:
        "../scripts/prepare/filter_variants.py"


rule prune_ld:
    """Mark the variants of one chromosome that are not in linkage disequilibrium among training people."""
    input:
        store="results/{cohort}/prepare/chromosomes/{contig}.zarr.zip",
        people="results/{cohort}/prepare/people.tsv",
    output:
        kept="results/{cohort}/prepare/chromosomes/{contig}.kept.npy",
    log:
        "results/logs/{cohort}/prune_ld/{contig}.log",
    benchmark:
        "results/benchmarks/{cohort}/prune_ld/{contig}.tsv"
    conda:
        "../../envs/prepare.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 120 * attempt,
    params:
        prune=cohort("prune"),
        code=code("prune_ld"),
    script:
        "../scripts/prepare/prune_ld.py"


rule join_chromosomes:
    """Join the kept variants of all chromosomes and assign each to its gene or window."""
    input:
        stores=contigs("results/{cohort}/prepare/chromosomes/{contig}.zarr.zip"),
        counts=contigs("results/{cohort}/prepare/chromosomes/{contig}.filter.tsv"),
        kept=contigs("results/{cohort}/prepare/chromosomes/{contig}.kept.npy"),
        genes=gene_file,
    output:
        genotypes="results/{cohort}/prepare/genotypes.zarr.zip",
        counts="results/{cohort}/prepare/variants.tsv",
    log:
        "results/logs/{cohort}/join_chromosomes.log",
    benchmark:
        "results/benchmarks/{cohort}/join_chromosomes.tsv"
    conda:
        "../../envs/prepare.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 120 * attempt,
    params:
        window=lambda wildcards: config["cohorts"][wildcards.cohort]["encoder"][
            "window"
        ],
        code=code("join_chromosomes"),
    script:
        "../scripts/prepare/join_chromosomes.py"


rule find_relatives:
    """List pairs of related people, where the variants are enough for kinship to mean something."""
    input:
        genotypes="results/{cohort}/prepare/genotypes.zarr.zip",
        people="results/{cohort}/prepare/people.tsv",
    output:
        relatives="results/{cohort}/prepare/relatives.tsv",
    log:
        "results/logs/{cohort}/find_relatives.log",
    benchmark:
        "results/benchmarks/{cohort}/find_relatives.tsv"
    conda:
        "../../envs/prepare.yaml"
    resources:
        mem_mb=by_size(2000, 2),
        runtime=by_size(30, 0.02),
    params:
        code=code("find_relatives"),
    script:
        "../scripts/prepare/find_relatives.py"


rule choose_members:
    """Choose the training people that a generator of this fraction and seed may see."""
    input:
        people="results/{cohort}/prepare/people.tsv",
    output:
        members="results/{cohort}/prepare/{fraction}/{seed}/members.tsv",
    log:
        "results/logs/{cohort}/{fraction}/{seed}/choose_members.log",
    benchmark:
        "results/benchmarks/{cohort}/{fraction}/{seed}/choose_members.tsv"
    conda:
        "../../envs/prepare.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        code=code("choose_members"),
    script:
        "../scripts/prepare/choose_members.py"


rule fit_encoder:
    """Fit the principal components of every gene or window on the members."""
    input:
        genotypes="results/{cohort}/prepare/genotypes.zarr.zip",
        members="results/{cohort}/prepare/{fraction}/{seed}/members.tsv",
    output:
        encoder="results/{cohort}/prepare/{fraction}/{seed}/encoder.npz",
    log:
        "results/logs/{cohort}/{fraction}/{seed}/fit_encoder.log",
    benchmark:
        "results/benchmarks/{cohort}/{fraction}/{seed}/fit_encoder.tsv"
    conda:
        "../../envs/prepare.yaml"
    threads: 2
    resources:
        mem_mb=by_size(1000, 1),
        runtime=by_size(30, 0.01),
    params:
        encoder=cohort("encoder"),
        code=code("fit_encoder"),
    script:
        "../scripts/prepare/fit_encoder.py"


rule encode:
    """Encode members and validation people as the components of their genes or windows."""
    input:
        genotypes="results/{cohort}/prepare/genotypes.zarr.zip",
        people="results/{cohort}/prepare/people.tsv",
        members="results/{cohort}/prepare/{fraction}/{seed}/members.tsv",
        encoder="results/{cohort}/prepare/{fraction}/{seed}/encoder.npz",
    output:
        latents="results/{cohort}/prepare/{fraction}/{seed}/latents.npz",
    log:
        "results/logs/{cohort}/{fraction}/{seed}/encode.log",
    benchmark:
        "results/benchmarks/{cohort}/{fraction}/{seed}/encode.tsv"
    conda:
        "../../envs/prepare.yaml"
    threads: 2
    resources:
        mem_mb=by_size(1000, 1),
        runtime=by_size(30, 0.01),
    params:
        code=code("encode"),
    script:
        "../scripts/prepare/encode.py"
