# in:  fitted generators, or a cohort that another tool made
# out: results/{cohort}/{generator}/{fraction}/{seed}/ synthetic.vcf.gz (+ .tbi or .csi), synthetic.labels.tsv, and the same
#      genotypes as a store, synthetic.zarr.zip, which the evaluation reads; where it is asked for, local ancestry:
#      synthetic.ancestry.tsv.gz, synthetic.proportions.tsv


rule sample:
    input:
        runs(
            "results/{cohort}/{generator}/{fraction}/{seed}/synthetic.{part}",
            where=lambda kind: kind.released,
            part=["vcf.gz", "labels.tsv"],
        ),
        runs(
            "results/{cohort}/{generator}/{fraction}/{seed}/synthetic.{part}",
            where=has_ancestry,
            part=["ancestry.tsv.gz", "proportions.tsv"],
        ),


rule draw:
    """Draw one shard of synthetic samples from a fitted generator, from a seed of its own."""
    input:
        unpack(needed),
        model=of_model("fitted.model"),
        genotypes="results/{cohort}/prepare/genotypes.zarr.zip",
        samples="results/{cohort}/prepare/samples.tsv",
        training="results/{cohort}/prepare/{fraction}/{seed}/training_samples.tsv",
        genetic_map=map_file,
    output:
        store=temp(
            "results/{cohort}/{generator}/{fraction}/{seed}/shards/{shard}.zarr.zip"
        ),
    log:
        "results/logs/{cohort}/{generator}/{fraction}/{seed}/draw/{shard}.log",
    benchmark:
        "results/benchmarks/{cohort}/{generator}/{fraction}/{seed}/draw/{shard}.tsv"
    wildcard_constraints:
        generator=PLAN.constraint(
            PLAN.names(lambda kind: kind.source == "model" and not has_ancestry(kind))
        ),
    conda:
        "../../envs/train.yaml"
    threads: 2
    resources:
        gpu=gpus,
        mem_mb=by_kind("draw_memory"),
        runtime=by_kind("draw_minutes"),
    params:
        model=lambda wildcards: kind_of(wildcards.generator).model,
        needs=lambda wildcards: list(needed(wildcards)),
        settings=sampled_settings,
        asked=admixture_settings,
        size=config["sample"]["size"],
        labels=config["sample"]["labels"],
        shards=config["sample"]["shards"],
        code=model_code("draw"),
    script:
        "../scripts/sample/draw.py"


use rule draw as draw_with_ancestry with:
    output:
        store=temp(
            "results/{cohort}/{generator}/{fraction}/{seed}/shards/{shard}.zarr.zip"
        ),
        ancestry=temp(
            "results/{cohort}/{generator}/{fraction}/{seed}/shards/{shard}.ancestry.npz"
        ),
    wildcard_constraints:
        generator=PLAN.constraint(PLAN.names(has_ancestry)),


rule write_cohort:
    """Write the samples of all shards as one indexed VCF with labels, and as a store."""
    input:
        shards=expand(
            "results/{{cohort}}/{{generator}}/{{fraction}}/{{seed}}/shards/{shard}.zarr.zip",
            shard=range(1, config["sample"]["shards"] + 1),
        ),
        samples="results/{cohort}/prepare/samples.tsv",
        inputs="results/{cohort}/prepare/inputs.json",
        training="results/{cohort}/prepare/{fraction}/{seed}/training_samples.tsv",
    output:
        vcf="results/{cohort}/{generator}/{fraction}/{seed}/synthetic.vcf.gz",
        labels="results/{cohort}/{generator}/{fraction}/{seed}/synthetic.labels.tsv",
        store="results/{cohort}/{generator}/{fraction}/{seed}/synthetic.zarr.zip",
    log:
        "results/logs/{cohort}/{generator}/{fraction}/{seed}/write_cohort.log",
    benchmark:
        "results/benchmarks/{cohort}/{generator}/{fraction}/{seed}/write_cohort.tsv"
    wildcard_constraints:
        generator=of(source="model"),
    conda:
        "../../envs/prepare.yaml"
    resources:
        mem_mb=by_size(1000, 1),
        runtime=by_size(30, 0.02),
    params:
        label=cohort("label"),
        size=config["sample"]["size"],
        labels=config["sample"]["labels"],
        kind=generator("kind"),
        code=code("write_cohort"),
    script:
        "../scripts/sample/write_cohort.py"


rule write_ancestry:
    """Write the true local ancestry of synthetic haplotypes, as tracts, and each sample's proportions of ancestries."""
    input:
        shards=expand(
            "results/{{cohort}}/{{generator}}/{{fraction}}/{{seed}}/shards/{shard}.ancestry.npz",
            shard=range(1, config["sample"]["shards"] + 1),
        ),
        store="results/{cohort}/{generator}/{fraction}/{seed}/synthetic.zarr.zip",
    output:
        tracts="results/{cohort}/{generator}/{fraction}/{seed}/synthetic.ancestry.tsv.gz",
        proportions="results/{cohort}/{generator}/{fraction}/{seed}/synthetic.proportions.tsv",
    log:
        "results/logs/{cohort}/{generator}/{fraction}/{seed}/write_ancestry.log",
    benchmark:
        "results/benchmarks/{cohort}/{generator}/{fraction}/{seed}/write_ancestry.tsv"
    wildcard_constraints:
        generator=PLAN.constraint(PLAN.names(has_ancestry)),
    conda:
        "../../envs/prepare.yaml"
    resources:
        mem_mb=by_size(1000, 1),
        runtime=by_size(30, 0.02),
    params:
        code=code("write_ancestry"),
    script:
        "../scripts/sample/write_ancestry.py"


rule check_external:
    """Check the samples, labels and genotypes of a cohort that another tool made, before any work starts."""
    input:
        genotypes=adopted_files,
        plink=adopted_plink,
        labels=adopted_labels,
        inputs="results/{cohort}/prepare/inputs.json",
        real=label_file,
        real_genotypes=genotype_files,
        real_plink=plink_parts,
    output:
        samples="results/{cohort}/{generator}/external_samples.txt",
    log:
        "results/logs/{cohort}/{generator}/check_external.log",
    benchmark:
        "results/benchmarks/{cohort}/{generator}/check_external.tsv"
    wildcard_constraints:
        generator=of(source="files"),
    # Before what else can be done once the real cohort's inputs are checked.
    priority: 2
    conda:
        "../../envs/prepare.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 2000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        label=cohort("label"),
        labels=config["sample"]["labels"],
        code=code("check_external"),
    script:
        "../scripts/sample/check_external.py"


rule adopt:
    """Bring a cohort that another tool made (or Beagle, imputing) to the real one's sites and alleles, or say what differs."""
    input:
        vcf=adopted_files,
        plink=adopted_plink,
        labels=adopted_labels,
        checked=adopted_check,
        genotypes="results/{cohort}/prepare/genotypes.zarr.zip",
        samples="results/{cohort}/prepare/samples.tsv",
    output:
        vcf="results/{cohort}/{generator}/{fraction}/{seed}/synthetic.vcf.gz",
        labels="results/{cohort}/{generator}/{fraction}/{seed}/synthetic.labels.tsv",
        store="results/{cohort}/{generator}/{fraction}/{seed}/synthetic.zarr.zip",
    log:
        "results/logs/{cohort}/{generator}/{fraction}/{seed}/adopt.log",
    benchmark:
        "results/benchmarks/{cohort}/{generator}/{fraction}/{seed}/adopt.tsv"
    wildcard_constraints:
        generator=PLAN.constraint(
            PLAN.names(lambda kind: kind.source in ("files", "imputation"))
        ),
    # Before anything is fitted: files may lack sites.
    priority: 2
    conda:
        "../../envs/prepare.yaml"
    resources:
        mem_mb=by_size(1000, 4),
        runtime=by_size(30, 0.05),
    params:
        label=cohort("label"),
        kind=generator("kind"),
        labels=config["sample"]["labels"],
        code=code("adopt"),
    script:
        "../scripts/sample/adopt.py"


rule withhold:
    """Hold back duplicates of training samples, and the samples at highest risk, from the cohort to release."""
    input:
        store="results/{cohort}/{generator}/{fraction}/{seed}/synthetic.zarr.zip",
        labels="results/{cohort}/{generator}/{fraction}/{seed}/synthetic.labels.tsv",
        audit="results/{cohort}/{generator}/{fraction}/{seed}/audit/samples.tsv",
    output:
        vcf="results/{cohort}/{generator}/{fraction}/{seed}/released/synthetic.vcf.gz",
        labels="results/{cohort}/{generator}/{fraction}/{seed}/released/synthetic.labels.tsv",
        store="results/{cohort}/{generator}/{fraction}/{seed}/released/synthetic.zarr.zip",
        withheld="results/{cohort}/{generator}/{fraction}/{seed}/released/withheld.tsv",
        composition="results/{cohort}/{generator}/{fraction}/{seed}/released/composition.tsv",
    log:
        "results/logs/{cohort}/{generator}/{fraction}/{seed}/withhold.log",
    benchmark:
        "results/benchmarks/{cohort}/{generator}/{fraction}/{seed}/withhold.tsv"
    wildcard_constraints:
        generator=of(released=True),
    conda:
        "../../envs/prepare.yaml"
    resources:
        mem_mb=by_size(1000, 1),
        runtime=by_size(30, 0.02),
    params:
        withhold=config["release"]["withhold"],
        label=cohort("label"),
        kind=generator("kind"),
        code=code("withhold"),
    script:
        "../scripts/sample/withhold.py"
