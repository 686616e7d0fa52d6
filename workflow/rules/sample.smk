# in:  a model, or the members' genotypes for the controls
# out: results/{cohort}/{generator}/{fraction}/{seed}/ synthetic.vcf.gz (+ .tbi), synthetic.labels.tsv


rule sample:
    input:
        expand(
            "results/{cohort}/{generator}/{fraction}/{seed}/synthetic.{part}",
            cohort=COHORTS,
            generator=PRODUCTS,
            fraction=config["fractions"],
            seed=config["seeds"],
            part=["vcf.gz", "vcf.gz.tbi", "labels.tsv"],
        ),


rule sample_shard:
    """Draw one shard of synthetic people in the encoder's space, from a seed of its own."""
    input:
        model="results/{cohort}/{generator}/{fraction}/{seed}/model.pt",
        members="results/{cohort}/prepare/{fraction}/{seed}/members.tsv",
        latents="results/{cohort}/prepare/{fraction}/{seed}/latents.npz",
    output:
        latents=temp(
            "results/{cohort}/{generator}/{fraction}/{seed}/shards/{shard}.npz"
        ),
    log:
        "results/logs/{cohort}/{generator}/{fraction}/{seed}/sample_shard/{shard}.log",
    benchmark:
        "results/benchmarks/{cohort}/{generator}/{fraction}/{seed}/sample_shard/{shard}.tsv"
    wildcard_constraints:
        generator=of_kind("diffusion"),
    conda:
        "../../envs/train.yaml"
    threads: 2
    resources:
        gpu=lambda wildcards: config["generators"][wildcards.generator]["gpu"],
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 120 * attempt,
    params:
        people=config["sample"]["people"],
        labels=config["sample"]["labels"],
        shards=config["sample"]["shards"],
        sampler=generator("sampler"),
        code=code("sample_shard"),
    script:
        "../scripts/sample_shard.py"


rule decode_people:
    """Decode all shards to genotypes and write them as one indexed VCF with labels."""
    input:
        shards=expand(
            "results/{{cohort}}/{{generator}}/{{fraction}}/{{seed}}/shards/{shard}.npz",
            shard=range(1, config["sample"]["shards"] + 1),
        ),
        encoder="results/{cohort}/prepare/{fraction}/{seed}/encoder.npz",
        genotypes="results/{cohort}/prepare/genotypes.zarr.zip",
    output:
        vcf="results/{cohort}/{generator}/{fraction}/{seed}/synthetic.vcf.gz",
        index="results/{cohort}/{generator}/{fraction}/{seed}/synthetic.vcf.gz.tbi",
        labels="results/{cohort}/{generator}/{fraction}/{seed}/synthetic.labels.tsv",
    log:
        "results/logs/{cohort}/{generator}/{fraction}/{seed}/decode_people.log",
    benchmark:
        "results/benchmarks/{cohort}/{generator}/{fraction}/{seed}/decode_people.tsv"
    wildcard_constraints:
        generator=of_kind("diffusion"),
    conda:
        "../../envs/prepare.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 120 * attempt,
    params:
        label=cohort("label"),
        code=code("decode_people"),
    script:
        "../scripts/decode_people.py"


rule draw_independent:
    """Draw every allele by itself from the frequencies of its label: the control without linkage."""
    input:
        genotypes="results/{cohort}/prepare/genotypes.zarr.zip",
        members="results/{cohort}/prepare/{fraction}/{seed}/members.tsv",
    output:
        vcf="results/{cohort}/{generator}/{fraction}/{seed}/synthetic.vcf.gz",
        index="results/{cohort}/{generator}/{fraction}/{seed}/synthetic.vcf.gz.tbi",
        labels="results/{cohort}/{generator}/{fraction}/{seed}/synthetic.labels.tsv",
    log:
        "results/logs/{cohort}/{generator}/{fraction}/{seed}/draw_independent.log",
    benchmark:
        "results/benchmarks/{cohort}/{generator}/{fraction}/{seed}/draw_independent.tsv"
    wildcard_constraints:
        generator=of_kind("independent"),
    conda:
        "../../envs/prepare.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        people=config["sample"]["people"],
        labels=config["sample"]["labels"],
        pooled=generator("pooled"),
        label=cohort("label"),
        code=code("draw_independent"),
    script:
        "../scripts/draw_independent.py"


rule copy_people:
    """Copy training people verbatim: the control that every privacy metric must catch. Never a product."""
    input:
        genotypes="results/{cohort}/prepare/genotypes.zarr.zip",
        members="results/{cohort}/prepare/{fraction}/{seed}/members.tsv",
    output:
        vcf=temp("results/{cohort}/{generator}/{fraction}/{seed}/synthetic.vcf.gz"),
        index=temp(
            "results/{cohort}/{generator}/{fraction}/{seed}/synthetic.vcf.gz.tbi"
        ),
        labels=temp(
            "results/{cohort}/{generator}/{fraction}/{seed}/synthetic.labels.tsv"
        ),
    log:
        "results/logs/{cohort}/{generator}/{fraction}/{seed}/copy_people.log",
    benchmark:
        "results/benchmarks/{cohort}/{generator}/{fraction}/{seed}/copy_people.tsv"
    wildcard_constraints:
        generator=of_kind("copycat"),
    conda:
        "../../envs/prepare.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        label=cohort("label"),
        code=code("copy_people"),
    script:
        "../scripts/copy_people.py"
