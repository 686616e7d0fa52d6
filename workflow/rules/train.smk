# in:  results/{cohort}/prepare/{fraction}/{seed}/latents.npz
# out: results/{cohort}/{generator}/{fraction}/{seed}/ model.pt, history.tsv


rule train:
    input:
        runs("results/{cohort}/{generator}/{fraction}/{seed}/model.pt", "diffusion"),


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
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=lambda wildcards, attempt: 480 * attempt,
    params:
        denoiser=generator("denoiser"),
        diffusion=generator("diffusion"),
        # How often the state is saved changes no result, so a change of it trains nothing again.
        training=lambda wildcards: {
            key: value
            for key, value in config["generators"][wildcards.generator][
                "training"
            ].items()
            if key != "save_every"
        },
        code=code("train_diffusion"),
        # Not declared as an output: Snakemake wipes outputs before each attempt, and this file is what
        # lets a killed training go on.
        state="results/{cohort}/{generator}/{fraction}/{seed}/training.state",
    script:
        "../scripts/train_diffusion.py"
