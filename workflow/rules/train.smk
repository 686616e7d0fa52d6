# in:  results/{cohort}/prepare/ genotypes.zarr.zip, {fraction}/{seed}/ members.tsv, latents.npz
# out: results/{cohort}/{generator}/{fraction}/{seed}/ model.pt, history.tsv, founders.npz


rule train:
    input:
        runs(
            "results/{cohort}/{generator}/{fraction}/{seed}/model.pt",
            "diffusion",
            "masked",
        ),


rule train_diffusion:
    """Train the diffusion model on the members' latents; a stopped training goes on from where it was."""
    input:
        latents="results/{cohort}/prepare/{fraction}/{seed}/latents.npz",
    output:
        model="results/{cohort}/{generator}/{fraction}/{seed}/model.pt",
        history="results/{cohort}/{generator}/{fraction}/{seed}/history.tsv",
    log:
        "results/logs/{cohort}/{generator}/{fraction}/{seed}/train_diffusion.log",
    benchmark:
        "results/benchmarks/{cohort}/{generator}/{fraction}/{seed}/train_diffusion.tsv"
    wildcard_constraints:
        generator=of_kind("diffusion"),
    conda:
        "../../envs/train.yaml"
    threads: 2
    resources:
        gpu=lambda wildcards: config["generators"][wildcards.generator]["gpu"],
        mem_mb=by_size(4000, 4),
        runtime=by_size(480, 0.2),
    params:
        denoiser=generator("denoiser"),
        diffusion=generator("diffusion"),
        training=training_settings,
        code=code("train_diffusion"),
        # Not declared as an output: Snakemake wipes outputs before each attempt, and this file is what
        # lets a killed training go on.
        state="results/{cohort}/{generator}/{fraction}/{seed}/training.state",
    script:
        "../scripts/fit/train_diffusion.py"


rule learn_founders:
    """Learn the members' ancestries and the founder haplotypes (or genotypes) of which people are mosaics."""
    input:
        genotypes="results/{cohort}/prepare/genotypes.zarr.zip",
        people="results/{cohort}/prepare/people.tsv",
        members="results/{cohort}/prepare/{fraction}/{seed}/members.tsv",
    output:
        founders="results/{cohort}/{generator}/{fraction}/{seed}/founders.npz",
    log:
        "results/logs/{cohort}/{generator}/{fraction}/{seed}/learn_founders.log",
    benchmark:
        "results/benchmarks/{cohort}/{generator}/{fraction}/{seed}/learn_founders.tsv"
    wildcard_constraints:
        generator=of_kind("masked"),
    conda:
        "../../envs/train.yaml"
    resources:
        gpu=lambda wildcards: config["generators"][wildcards.generator]["gpu"],
        mem_mb=founders_memory,
        runtime=by_size(120, 0.5),
    params:
        space=generator("space"),
        founders=generator("founders"),
        segment=generator("segment"),
        carriers=generator("carriers"),
        ancestry=generator("ancestry"),
        membership=generator("membership"),
        code=code("learn_founders"),
    script:
        "../scripts/fit/learn_founders.py"


rule train_energy:
    """Train the network that tells people from mosaics of founders; a stopped training goes on from where it was."""
    input:
        founders="results/{cohort}/{generator}/{fraction}/{seed}/founders.npz",
        genotypes="results/{cohort}/prepare/genotypes.zarr.zip",
        people="results/{cohort}/prepare/people.tsv",
        members="results/{cohort}/prepare/{fraction}/{seed}/members.tsv",
    output:
        model="results/{cohort}/{generator}/{fraction}/{seed}/model.pt",
        history="results/{cohort}/{generator}/{fraction}/{seed}/history.tsv",
    log:
        "results/logs/{cohort}/{generator}/{fraction}/{seed}/train_energy.log",
    benchmark:
        "results/benchmarks/{cohort}/{generator}/{fraction}/{seed}/train_energy.tsv"
    wildcard_constraints:
        generator=of_kind("masked"),
    conda:
        "../../envs/train.yaml"
    resources:
        gpu=lambda wildcards: config["generators"][wildcards.generator]["gpu"],
        mem_mb=by_size(2000, 4),
        runtime=by_size(120, 0.1),
    params:
        space=generator("space"),
        components=generator("components"),
        training=training_settings,
        code=code("train_energy"),
        # As in train_diffusion: no output, so that it outlives a killed attempt.
        state="results/{cohort}/{generator}/{fraction}/{seed}/training.state",
    script:
        "../scripts/fit/train_energy.py"
