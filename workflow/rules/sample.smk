# in:  a model, the members' genotypes for the controls, or a cohort that another tool made
# out: results/{cohort}/{generator}/{fraction}/{seed}/ synthetic.vcf.gz (+ .tbi), synthetic.labels.tsv


rule sample:
    input:
        # The copycat's cohort is real people: judged, and never a product of the run.
        runs(
            "results/{cohort}/{generator}/{fraction}/{seed}/synthetic.{part}",
            but=["copycat", "external"],
            part=["vcf.gz", "vcf.gz.tbi", "labels.tsv"],
        ),


rule sample_shard:
    """Draw one shard of synthetic people in the encoder's space, from a seed of its own."""
    input:
        model="results/{cohort}/{generator}/{fraction}/{seed}/model.pt",
        people="results/{cohort}/prepare/people.tsv",
        members="results/{cohort}/prepare/{fraction}/{seed}/members.tsv",
        latents="results/{cohort}/prepare/{fraction}/{seed}/latents.npz",
    output:
        latents="results/{cohort}/{generator}/{fraction}/{seed}/shards/{shard}.npz",
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
        mem_mb=by_size(1000, 2),
        runtime=by_size(60, 0.2),
    params:
        people=config["sample"]["people"],
        labels=config["sample"]["labels"],
        shards=config["sample"]["shards"],
        sampler=generator("sampler"),
        code=code("sample_shard"),
    script:
        "../scripts/sample/sample_shard.py"


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
        mem_mb=by_size(1000, 2),
        runtime=by_size(30, 0.02),
    params:
        label=cohort("label"),
        code=code("decode_people"),
    script:
        "../scripts/sample/decode_people.py"


rule draw_shard:
    """Draw one shard of synthetic people by masked diffusion, from a seed of its own."""
    input:
        founders=trained("founders.npz"),
        model=trained("model.pt"),
        people="results/{cohort}/prepare/people.tsv",
        members="results/{cohort}/prepare/{fraction}/{seed}/members.tsv",
    output:
        people="results/{cohort}/{generator}/{fraction}/{seed}/shards/{shard}.npz",
    log:
        "results/logs/{cohort}/{generator}/{fraction}/{seed}/draw_shard/{shard}.log",
    benchmark:
        "results/benchmarks/{cohort}/{generator}/{fraction}/{seed}/draw_shard/{shard}.tsv"
    wildcard_constraints:
        generator=of_kind("masked", "resampled"),
    conda:
        "../../envs/train.yaml"
    resources:
        gpu=lambda wildcards: config["generators"][wildcards.generator]["gpu"],
        mem_mb=by_size(2000, 8),
        runtime=by_size(60, 0.2),
    params:
        people=config["sample"]["people"],
        labels=config["sample"]["labels"],
        shards=config["sample"]["shards"],
        sampler=generator("sampler"),
        code=code("draw_shard"),
    script:
        "../scripts/sample/draw_shard.py"


rule write_people:
    """Write the people of all shards as one indexed VCF with labels."""
    input:
        shards=expand(
            "results/{{cohort}}/{{generator}}/{{fraction}}/{{seed}}/shards/{shard}.npz",
            shard=range(1, config["sample"]["shards"] + 1),
        ),
        genotypes="results/{cohort}/prepare/genotypes.zarr.zip",
    output:
        vcf="results/{cohort}/{generator}/{fraction}/{seed}/synthetic.vcf.gz",
        index="results/{cohort}/{generator}/{fraction}/{seed}/synthetic.vcf.gz.tbi",
        labels="results/{cohort}/{generator}/{fraction}/{seed}/synthetic.labels.tsv",
    log:
        "results/logs/{cohort}/{generator}/{fraction}/{seed}/write_people.log",
    benchmark:
        "results/benchmarks/{cohort}/{generator}/{fraction}/{seed}/write_people.tsv"
    wildcard_constraints:
        generator=of_kind("masked", "resampled"),
    conda:
        "../../envs/train.yaml"
    resources:
        mem_mb=by_size(1000, 2),
        runtime=by_size(30, 0.02),
    params:
        space=generator("space"),
        label=cohort("label"),
        code=code("write_people"),
    script:
        "../scripts/sample/write_people.py"


rule draw_control:
    """Draw people from a classical model, tuned on validation people (see config/README.md)."""
    input:
        genotypes="results/{cohort}/prepare/genotypes.zarr.zip",
        people="results/{cohort}/prepare/people.tsv",
        members="results/{cohort}/prepare/{fraction}/{seed}/members.tsv",
        genetic_map=map_file,
    output:
        vcf="results/{cohort}/{generator}/{fraction}/{seed}/synthetic.vcf.gz",
        index="results/{cohort}/{generator}/{fraction}/{seed}/synthetic.vcf.gz.tbi",
        labels="results/{cohort}/{generator}/{fraction}/{seed}/synthetic.labels.tsv",
        settings="results/{cohort}/{generator}/{fraction}/{seed}/settings.json",
    log:
        "results/logs/{cohort}/{generator}/{fraction}/{seed}/draw_control.log",
    benchmark:
        "results/benchmarks/{cohort}/{generator}/{fraction}/{seed}/draw_control.tsv"
    wildcard_constraints:
        generator=of_kind(*CONTROLS),
    conda:
        "../../envs/prepare.yaml"
    resources:
        mem_mb=by_size(1000, 2),
        runtime=by_size(60, 0.2),
    params:
        kind=generator("kind"),
        module=control_module,
        settings=control_settings,
        people=config["sample"]["people"],
        labels=config["sample"]["labels"],
        label=cohort("label"),
        code=lambda wildcards: code("draw_control", control_module(wildcards)),
    script:
        "../scripts/sample/draw_control.py"


rule adopt_external:
    """Bring a cohort that another tool made (or Beagle, imputing) to the real one's sites and alleles, or say what differs."""
    input:
        vcf=external_files,
        people=external_labels,
        genotypes="results/{cohort}/prepare/genotypes.zarr.zip",
        real="results/{cohort}/prepare/people.tsv",
    output:
        vcf="results/{cohort}/{generator}/{fraction}/{seed}/synthetic.vcf.gz",
        index="results/{cohort}/{generator}/{fraction}/{seed}/synthetic.vcf.gz.tbi",
        labels="results/{cohort}/{generator}/{fraction}/{seed}/synthetic.labels.tsv",
    log:
        "results/logs/{cohort}/{generator}/{fraction}/{seed}/adopt_external.log",
    benchmark:
        "results/benchmarks/{cohort}/{generator}/{fraction}/{seed}/adopt_external.tsv"
    wildcard_constraints:
        generator=of_kind("external", "imputed"),
    conda:
        "../../envs/prepare.yaml"
    resources:
        mem_mb=by_size(1000, 4),
        runtime=by_size(30, 0.05),
    params:
        label=cohort("label"),
        code=code("adopt_external"),
    script:
        "../scripts/sample/adopt_external.py"


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
        mem_mb=by_size(1000, 2),
        runtime=by_size(30, 0.02),
    params:
        label=cohort("label"),
        code=code("copy_people"),
    script:
        "../scripts/sample/copy_people.py"


rule withhold_people:
    """Hold back copies of training people and those at highest risk from the cohort to hand on."""
    input:
        vcf="results/{cohort}/{generator}/{fraction}/{seed}/synthetic.vcf.gz",
        labels="results/{cohort}/{generator}/{fraction}/{seed}/synthetic.labels.tsv",
        audit="results/{cohort}/{generator}/{fraction}/{seed}/audit/people.tsv",
        genotypes="results/{cohort}/prepare/genotypes.zarr.zip",
    output:
        vcf="results/{cohort}/{generator}/{fraction}/{seed}/released/synthetic.vcf.gz",
        index="results/{cohort}/{generator}/{fraction}/{seed}/released/synthetic.vcf.gz.tbi",
        labels="results/{cohort}/{generator}/{fraction}/{seed}/released/synthetic.labels.tsv",
        withheld="results/{cohort}/{generator}/{fraction}/{seed}/released/withheld.tsv",
    log:
        "results/logs/{cohort}/{generator}/{fraction}/{seed}/withhold_people.log",
    benchmark:
        "results/benchmarks/{cohort}/{generator}/{fraction}/{seed}/withhold_people.tsv"
    conda:
        "../../envs/prepare.yaml"
    resources:
        mem_mb=by_size(1000, 4),
        runtime=by_size(30, 0.02),
    params:
        withhold=config["release"]["withhold"],
        label=cohort("label"),
        code=code("withhold_people"),
    script:
        "../scripts/sample/withhold_people.py"
