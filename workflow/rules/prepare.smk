# in:  VCF/BCF/PLINK files, a table of samples, genes (optional)
# out: results/{cohort}/prepare/ samples.tsv, genotypes.zarr.zip, cohort.json, relatives.tsv, .json, families.tsv
#      results/{cohort}/prepare/{fraction}/{seed}/ training_samples.tsv, encoder.npz, latents.npz


rule prepare:
    input:
        expand("results/{cohort}/prepare/cohort.json", cohort=COHORTS),
        # Only generators that draw in the encoder's space want encoded samples.
        [
            ("results/{cohort}/prepare/{fraction}/{seed}/latents.npz").format(**run)
            for run in PLAN.runs(COHORTS, lambda kind: kind.encoded)
        ],
        [
            ("results/{cohort}/prepare/{fraction}/{seed}/training_samples.tsv").format(
                **run
            )
            for run in PLAN.runs(COHORTS)
        ],


checkpoint check_inputs:
    """Check every input and compare samples and chromosomes across files, before any work starts."""
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
    # Every cohort's inputs are checked before any work on one of them begins.
    priority: 1
    conda:
        "../../envs/prepare.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        label=cohort("label"),
        family=cohort("family"),
        samples=cohort("samples"),
        chromosomes=cohort("chromosomes"),
        filter=checked_filter,
        phasing=cohort("phasing"),
        code=code("check_inputs"),
    script:
        "../scripts/prepare/check_inputs.py"


rule find_relatives:
    """Look for relatives among the samples, before they are split: by kinship, identical genotypes or the pedigree."""
    input:
        inputs="results/{cohort}/prepare/inputs.json",
        index="results/{cohort}/prepare/index",
        genotypes=genotype_files,
        plink=plink_parts,
    output:
        relatives="results/{cohort}/prepare/relatives.tsv",
        families="results/{cohort}/prepare/families.tsv",
        search="results/{cohort}/prepare/relatives.json",
    log:
        "results/logs/{cohort}/find_relatives.log",
    benchmark:
        "results/benchmarks/{cohort}/find_relatives.tsv"
    conda:
        "../../envs/prepare.yaml"
    threads: 2
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 120 * attempt,
    params:
        pass_only=lambda wildcards: cohort("filter")(wildcards)["pass_only"],
        code=code("find_relatives"),
    script:
        "../scripts/prepare/find_relatives.py"


rule split_samples:
    """Split the samples into training, validation and test within each label; relatives stay together."""
    input:
        inputs="results/{cohort}/prepare/inputs.json",
        labels=label_file,
        families=found_families,
    output:
        samples="results/{cohort}/prepare/samples.tsv",
    log:
        "results/logs/{cohort}/split_samples.log",
    benchmark:
        "results/benchmarks/{cohort}/split_samples.tsv"
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
        code=code("split_samples"),
    script:
        "../scripts/prepare/split_samples.py"


rule filter_variants:
    """Keep the SNPs of a chromosome that pass call rate, allele frequency and Hardy-Weinberg in training samples."""
    input:
        inputs="results/{cohort}/prepare/inputs.json",
        index="results/{cohort}/prepare/index",
        samples="results/{cohort}/prepare/samples.tsv",
        genotypes=genotype_files,
        plink=plink_parts,
    output:
        store=temp("results/{cohort}/prepare/chromosomes/{contig}.zarr.zip"),
        counts=temp("results/{cohort}/prepare/chromosomes/{contig}.filter.tsv"),
        linkage="results/{cohort}/prepare/chromosomes/{contig}.linkage.json",
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


rule phase_genotypes:
    """Phase a chromosome by Beagle: training samples among themselves, all others with these as the reference."""
    input:
        store="results/{cohort}/prepare/chromosomes/{contig}.zarr.zip",
        linkage=contigs("results/{cohort}/prepare/chromosomes/{contig}.linkage.json"),
        samples="results/{cohort}/prepare/samples.tsv",
        genetic_map=map_file,
    output:
        store=temp("results/{cohort}/prepare/phased/{contig}.zarr.zip"),
    log:
        "results/logs/{cohort}/phase_genotypes/{contig}.log",
    benchmark:
        "results/benchmarks/{cohort}/phase_genotypes/{contig}.tsv"
    conda:
        "../../envs/prepare.yaml"
    resources:
        mem_mb=lambda wildcards, input, attempt: int(
            (6000 + 60 * input.size_mb) * attempt
        ),
        runtime=lambda wildcards, attempt: 720 * attempt,
    params:
        phasing=cohort("phasing"),
        seed=lambda wildcards: cohort("filter")(wildcards)["seed"],
        code=code("phase_genotypes"),
    script:
        "../scripts/prepare/phase_genotypes.py"


rule prune_ld:
    """Mark the variants of a chromosome that are not in linkage disequilibrium among training samples."""
    input:
        store=chromosome,
        samples="results/{cohort}/prepare/samples.tsv",
    output:
        kept=temp("results/{cohort}/prepare/chromosomes/{contig}.kept.npy"),
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


rule merge_chromosomes:
    """Merge the kept variants of all chromosomes and assign each to its gene or window."""
    input:
        stores=chromosomes,
        counts=contigs("results/{cohort}/prepare/chromosomes/{contig}.filter.tsv"),
        kept=contigs("results/{cohort}/prepare/chromosomes/{contig}.kept.npy"),
        genes=gene_file,
    output:
        genotypes="results/{cohort}/prepare/genotypes.zarr.zip",
        counts="results/{cohort}/prepare/variants.tsv",
    log:
        "results/logs/{cohort}/merge_chromosomes.log",
    benchmark:
        "results/benchmarks/{cohort}/merge_chromosomes.tsv"
    conda:
        "../../envs/prepare.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 120 * attempt,
    params:
        window=lambda wildcards: cohort("encoder")(wildcards)["window"],
        code=code("merge_chromosomes"),
    script:
        "../scripts/prepare/merge_chromosomes.py"


rule describe_cohort:
    """Describe the prepared cohort: phased or not, linked or not, which decides what kind of generator suits it."""
    input:
        genotypes="results/{cohort}/prepare/genotypes.zarr.zip",
        samples="results/{cohort}/prepare/samples.tsv",
        inputs="results/{cohort}/prepare/inputs.json",
        linkage=contigs("results/{cohort}/prepare/chromosomes/{contig}.linkage.json"),
    output:
        cohort="results/{cohort}/prepare/cohort.json",
    log:
        "results/logs/{cohort}/describe_cohort.log",
    benchmark:
        "results/benchmarks/{cohort}/describe_cohort.tsv"
    # What it says, a user wants to know before the fits.
    priority: 1
    conda:
        "../../envs/prepare.yaml"
    resources:
        mem_mb=by_size(1000, 1),
        runtime=by_size(30, 0.01),
    params:
        code=code("describe_cohort"),
    script:
        "../scripts/prepare/describe_cohort.py"


rule choose_training_samples:
    """Choose the training samples that a generator of this fraction and seed is fitted on."""
    input:
        samples="results/{cohort}/prepare/samples.tsv",
    output:
        training="results/{cohort}/prepare/{fraction}/{seed}/training_samples.tsv",
    log:
        "results/logs/{cohort}/{fraction}/{seed}/choose_training_samples.log",
    benchmark:
        "results/benchmarks/{cohort}/{fraction}/{seed}/choose_training_samples.tsv"
    conda:
        "../../envs/prepare.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        code=code("choose_training_samples"),
    script:
        "../scripts/prepare/choose_training_samples.py"


rule fit_encoder:
    """Fit the principal components of every gene or window on the training samples."""
    input:
        genotypes="results/{cohort}/prepare/genotypes.zarr.zip",
        training="results/{cohort}/prepare/{fraction}/{seed}/training_samples.tsv",
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
    """Encode training and validation samples as the components of their genes or windows."""
    input:
        genotypes="results/{cohort}/prepare/genotypes.zarr.zip",
        samples="results/{cohort}/prepare/samples.tsv",
        training="results/{cohort}/prepare/{fraction}/{seed}/training_samples.tsv",
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
