# in:  synthetic.vcf.gz and its labels from any generator, beside the real cohort
# out: results/{cohort}/{generator}/{fraction}/{seed}/metrics.{battery}.tsv, audit/, results/{cohort}/summary/metrics.tsv


rule evaluate:
    input:
        expand("results/{cohort}/summary/metrics.tsv", cohort=COHORTS),


rule measure_real:
    """Measure real people against other real people, split after split: the envelope beside every number."""
    input:
        genotypes="results/{cohort}/prepare/genotypes.zarr.zip",
        people="results/{cohort}/prepare/people.tsv",
        genetic_map=map_file,
    output:
        envelope="results/{cohort}/summary/real.{battery}.tsv",
    log:
        "results/logs/{cohort}/measure_real/{battery}.log",
    benchmark:
        "results/benchmarks/{cohort}/measure_real/{battery}.tsv"
    conda:
        "../../envs/evaluate.yaml"
    threads: 2
    resources:
        mem_mb=by_size(1500, 6),
        runtime=by_size(60, 0.3),
    params:
        settings=battery_settings,
        splits=lambda wildcards: config["evaluate"]["splits"][wildcards.battery],
        module=suite_module,
        code=lambda wildcards: code("measure_real", suite_module(wildcards)),
    script:
        "../scripts/evaluate/measure_real.py"


rule measure_encoder:
    """Measure how many genotypes of held-out people survive encoding and decoding."""
    input:
        genotypes="results/{cohort}/prepare/genotypes.zarr.zip",
        people="results/{cohort}/prepare/people.tsv",
        encoder="results/{cohort}/prepare/{fraction}/{seed}/encoder.npz",
    output:
        concordance="results/{cohort}/prepare/{fraction}/{seed}/concordance.tsv",
    log:
        "results/logs/{cohort}/{fraction}/{seed}/measure_encoder.log",
    benchmark:
        "results/benchmarks/{cohort}/{fraction}/{seed}/measure_encoder.tsv"
    conda:
        "../../envs/evaluate.yaml"
    resources:
        mem_mb=by_size(1000, 1),
        runtime=by_size(30, 0.01),
    params:
        code=code("measure_encoder"),
    script:
        "../scripts/evaluate/measure_encoder.py"


rule measure_likelihood:
    """Measure how probable a classical model finds held-out people, in nats: exact, or for factors by sampling places."""
    input:
        genotypes="results/{cohort}/prepare/genotypes.zarr.zip",
        people="results/{cohort}/prepare/people.tsv",
        members="results/{cohort}/prepare/{fraction}/{seed}/members.tsv",
        settings="results/{cohort}/{generator}/{fraction}/{seed}/settings.json",
        genetic_map=map_file,
    output:
        likelihood="results/{cohort}/{generator}/{fraction}/{seed}/likelihood.tsv",
    log:
        "results/logs/{cohort}/{generator}/{fraction}/{seed}/measure_likelihood.log",
    benchmark:
        "results/benchmarks/{cohort}/{generator}/{fraction}/{seed}/measure_likelihood.tsv"
    wildcard_constraints:
        generator=of_kind(*CONTROLS),
    conda:
        "../../envs/evaluate.yaml"
    threads: 2
    resources:
        mem_mb=by_size(1000, 2),
        runtime=by_size(60, 0.1),
    params:
        kind=generator("kind"),
        module=control_module,
        code=lambda wildcards: code("measure_likelihood", control_module(wildcards)),
    script:
        "../scripts/evaluate/measure_likelihood.py"


rule measure_synthetic:
    """Measure a synthetic cohort against training and held-out people, by one battery of metrics."""
    input:
        vcf="results/{cohort}/{generator}/{fraction}/{seed}/{released}synthetic.vcf.gz",
        index="results/{cohort}/{generator}/{fraction}/{seed}/{released}synthetic.vcf.gz.tbi",
        labels="results/{cohort}/{generator}/{fraction}/{seed}/{released}synthetic.labels.tsv",
        genotypes="results/{cohort}/prepare/genotypes.zarr.zip",
        people="results/{cohort}/prepare/people.tsv",
        members="results/{cohort}/prepare/{fraction}/{seed}/members.tsv",
        genetic_map=map_file,
    output:
        metrics="results/{cohort}/{generator}/{fraction}/{seed}/{released}metrics.{battery}.tsv",
    log:
        "results/logs/{cohort}/{generator}/{fraction}/{seed}/{released}measure_synthetic/{battery}.log",
    benchmark:
        "results/benchmarks/{cohort}/{generator}/{fraction}/{seed}/{released}measure_synthetic/{battery}.tsv"
    wildcard_constraints:
        battery="fidelity|privacy|utility",
    conda:
        "../../envs/evaluate.yaml"
    threads: 2
    resources:
        mem_mb=by_size(1000, 5),
        runtime=by_size(30, 0.05),
    params:
        settings=battery_settings,
        label=cohort("label"),
        module=suite_module,
        code=lambda wildcards: code("measure_synthetic", suite_module(wildcards)),
    script:
        "../scripts/evaluate/measure_synthetic.py"


rule attack_denoiser:
    """Ask the trained denoiser whom it knows: its loss on members and on held-out people at fixed noise."""
    input:
        model="results/{cohort}/{generator}/{fraction}/{seed}/model.pt",
        latents="results/{cohort}/prepare/{fraction}/{seed}/latents.npz",
        encoder="results/{cohort}/prepare/{fraction}/{seed}/encoder.npz",
        genotypes="results/{cohort}/prepare/genotypes.zarr.zip",
        people="results/{cohort}/prepare/people.tsv",
        members="results/{cohort}/prepare/{fraction}/{seed}/members.tsv",
    output:
        scores="results/{cohort}/{generator}/{fraction}/{seed}/audit/denoising.tsv",
    log:
        "results/logs/{cohort}/{generator}/{fraction}/{seed}/attack_denoiser.log",
    benchmark:
        "results/benchmarks/{cohort}/{generator}/{fraction}/{seed}/attack_denoiser.tsv"
    wildcard_constraints:
        generator=of_kind("diffusion"),
    conda:
        "../../envs/train.yaml"
    threads: 2
    resources:
        gpu=lambda wildcards: config["generators"][wildcards.generator]["gpu"],
        mem_mb=by_size(1500, 4),
        runtime=by_size(60, 0.2),
    params:
        code=code("attack_denoiser"),
    script:
        "../scripts/evaluate/attack_denoiser.py"


rule measure_bound:
    """Bound how probable the masked diffusion finds held-out people, in nats, and ask it whom it knows."""
    input:
        founders=trained("founders.npz"),
        model=trained("model.pt"),
        genotypes="results/{cohort}/prepare/genotypes.zarr.zip",
        people="results/{cohort}/prepare/people.tsv",
        members="results/{cohort}/prepare/{fraction}/{seed}/members.tsv",
    output:
        likelihood="results/{cohort}/{generator}/{fraction}/{seed}/likelihood.tsv",
        scores="results/{cohort}/{generator}/{fraction}/{seed}/audit/denoising.tsv",
    log:
        "results/logs/{cohort}/{generator}/{fraction}/{seed}/measure_bound.log",
    benchmark:
        "results/benchmarks/{cohort}/{generator}/{fraction}/{seed}/measure_bound.tsv"
    wildcard_constraints:
        generator=of_kind("masked", "resampled"),
    conda:
        "../../envs/train.yaml"
    resources:
        gpu=lambda wildcards: config["generators"][wildcards.generator]["gpu"],
        mem_mb=by_size(2000, 6),
        runtime=by_size(60, 0.1),
    params:
        space=generator("space"),
        sampler=lambda wildcards: {
            key: config["generators"][wildcards.generator]["sampler"][key]
            for key in ("guidance", "temperature")
        },
        code=code("measure_bound"),
    script:
        "../scripts/evaluate/measure_bound.py"


rule audit_people:
    """Attack a synthetic cohort, with and without planted training people, and give each synthetic person a risk."""
    input:
        vcf="results/{cohort}/{generator}/{fraction}/{seed}/{released}synthetic.vcf.gz",
        index="results/{cohort}/{generator}/{fraction}/{seed}/{released}synthetic.vcf.gz.tbi",
        labels="results/{cohort}/{generator}/{fraction}/{seed}/{released}synthetic.labels.tsv",
        genotypes="results/{cohort}/prepare/genotypes.zarr.zip",
        people="results/{cohort}/prepare/people.tsv",
        members="results/{cohort}/prepare/{fraction}/{seed}/members.tsv",
        scores=denoising_scores,
    output:
        metrics="results/{cohort}/{generator}/{fraction}/{seed}/{released}metrics.audit.tsv",
        people="results/{cohort}/{generator}/{fraction}/{seed}/audit/{released}people.tsv",
    log:
        "results/logs/{cohort}/{generator}/{fraction}/{seed}/{released}audit_people.log",
    benchmark:
        "results/benchmarks/{cohort}/{generator}/{fraction}/{seed}/{released}audit_people.tsv"
    conda:
        "../../envs/evaluate.yaml"
    threads: 2
    resources:
        mem_mb=by_size(1000, 5),
        runtime=by_size(30, 0.03),
    params:
        planted=planted,
        label=cohort("label"),
        code=code("audit_people"),
    script:
        "../scripts/evaluate/audit_people.py"


rule impute_heldout:
    """Impute masked genotypes of held-out people from a panel of synthetic and from one of training people (Beagle)."""
    input:
        vcf="results/{cohort}/{generator}/{fraction}/{seed}/synthetic.vcf.gz",
        labels="results/{cohort}/{generator}/{fraction}/{seed}/synthetic.labels.tsv",
        genotypes="results/{cohort}/prepare/genotypes.zarr.zip",
        people="results/{cohort}/prepare/people.tsv",
        members="results/{cohort}/prepare/{fraction}/{seed}/members.tsv",
        genetic_map=map_file,
    output:
        metrics="results/{cohort}/{generator}/{fraction}/{seed}/imputation.tsv",
    log:
        "results/logs/{cohort}/{generator}/{fraction}/{seed}/impute_heldout.log",
    benchmark:
        "results/benchmarks/{cohort}/{generator}/{fraction}/{seed}/impute_heldout.tsv"
    conda:
        "../../envs/impute.yaml"
    threads: 2
    resources:
        mem_mb=by_size(4000, 8),
        runtime=by_size(60, 0.4),
    params:
        settings=config["evaluate"]["imputation"],
        label=cohort("label"),
        code=code("impute_heldout"),
    script:
        "../scripts/evaluate/impute_heldout.py"


rule measure_published:
    """Measure a synthetic cohort by the protocol of the published figures that the cohort names."""
    input:
        vcf="results/{cohort}/{generator}/{fraction}/{seed}/synthetic.vcf.gz",
        labels="results/{cohort}/{generator}/{fraction}/{seed}/synthetic.labels.tsv",
        genotypes="results/{cohort}/prepare/genotypes.zarr.zip",
        people="results/{cohort}/prepare/people.tsv",
    output:
        metrics="results/{cohort}/{generator}/{fraction}/{seed}/published.tsv",
    log:
        "results/logs/{cohort}/{generator}/{fraction}/{seed}/measure_published.log",
    benchmark:
        "results/benchmarks/{cohort}/{generator}/{fraction}/{seed}/measure_published.tsv"
    conda:
        "../../envs/evaluate.yaml"
    threads: 2
    resources:
        mem_mb=by_size(1500, 6),
        runtime=by_size(30, 0.05),
    params:
        label=cohort("label"),
        code=code("measure_published"),
    script:
        "../scripts/evaluate/measure_published.py"


rule measure_ceiling:
    """Measure training people by the protocol of the published figures, and set these figures beside them."""
    input:
        genotypes="results/{cohort}/prepare/genotypes.zarr.zip",
        people="results/{cohort}/prepare/people.tsv",
        published=published_table,
    output:
        metrics="results/{cohort}/summary/published.tsv",
    log:
        "results/logs/{cohort}/measure_ceiling.log",
    benchmark:
        "results/benchmarks/{cohort}/measure_ceiling.tsv"
    conda:
        "../../envs/evaluate.yaml"
    threads: 2
    resources:
        mem_mb=by_size(1500, 6),
        runtime=by_size(30, 0.05),
    params:
        code=code("measure_ceiling"),
    script:
        "../scripts/evaluate/measure_ceiling.py"


rule summarise:
    """Gather the metrics of all generators, fractions and seeds into one tidy table, envelopes beside them."""
    input:
        metrics=runs(
            "results/{cohort}/{generator}/{fraction}/{seed}/metrics.{battery}.tsv",
            battery=BATTERIES,
        ),
        released=released_metrics,
        likelihood=runs(
            "results/{cohort}/{generator}/{fraction}/{seed}/likelihood.tsv",
            *CONTROLS,
            "masked",
            "resampled",
        ),
        imputation=runs("results/{cohort}/{generator}/{fraction}/{seed}/imputation.tsv"),
        panel=runs(
            "results/{cohort}/{generator}/{fraction}/{seed}/panel.tsv", "imputed"
        ),
        published=published_metrics,
        concordance=expand(
            "results/{{cohort}}/prepare/{fraction}/{seed}/concordance.tsv",
            fraction=sorted({one for name in ENCODED for one in fractions(name)}),
            seed=config["seeds"],
        ),
        paper=paper_metrics,
        envelope=expand(
            "results/{{cohort}}/summary/real.{battery}.tsv", battery=BATTERIES
        ),
    output:
        metrics="results/{cohort}/summary/metrics.tsv",
    log:
        "results/logs/{cohort}/summarise.log",
    benchmark:
        "results/benchmarks/{cohort}/summarise.tsv"
    conda:
        "../../envs/evaluate.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        encoded={name: fractions(name) for name in ENCODED},
        batteries=BATTERIES,
        code=code("summarise"),
    script:
        "../scripts/evaluate/summarise.py"
