# in:  samples that generators drew (in the encoder's space, where they do so), beside the real cohort
# out: results/{cohort}/{generator}/{fraction}/{seed}/paper/, results/{cohort}/summary/paper.tsv and the chapter's
#      page and figures. Runs where the run file has `evaluate: {paper: ...}`.


rule paper:
    input:
        expand(
            "results/{cohort}/summary/{page}",
            cohort=COHORTS if PAPER else [],
            page=["paper.html", "paper_umap.svg"],
        ),


rule train_classifiers:
    """Train the paper's classifiers on synthetic samples, real ones or both, and let them guess the labels of test samples."""
    input:
        synthetic=drawn("zarr.zip"),
        labels=drawn("labels.tsv"),
        real=real_samples,
        genotypes="results/{cohort}/prepare/genotypes.zarr.zip",
        samples="results/{cohort}/prepare/samples.tsv",
        encoder="results/{cohort}/prepare/{fraction}/{seed}/encoder.npz",
    output:
        guesses="results/{cohort}/{generator}/{fraction}/{seed}/paper/guesses.{added}.tsv",
    log:
        "results/logs/{cohort}/{generator}/{fraction}/{seed}/train_classifiers/{added}.log",
    benchmark:
        "results/benchmarks/{cohort}/{generator}/{fraction}/{seed}/train_classifiers/{added}.tsv"
    wildcard_constraints:
        generator="|".join([REAL, *PLAN.generators]),
    conda:
        "../../envs/train.yaml"
    threads: 2
    resources:
        gpu=CLASSIFIER_GPU,
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=lambda wildcards, attempt: 120 * attempt,
    params:
        label=cohort("label"),
        settings=paper_settings("classifiers"),
        code=code("train_classifiers"),
    script:
        "../scripts/paper/train_classifiers.py"


rule compare_classifiers:
    """Compare classifiers trained on synthetic, real and mixed samples on the same test samples: recovery rate and gain."""
    input:
        synthetic=lambda wildcards: expand(
            "results/{{cohort}}/{{generator}}/{{fraction}}/{{seed}}/paper/guesses.{added}.tsv",
            added=added_fractions(wildcards),
        ),
        real=lambda wildcards: [
            f"results/{{cohort}}/{REAL}/{share}/{{seed}}/paper/guesses.{share}.tsv"
            for share in compared_fractions(wildcards)
        ],
        paper=paper_guesses,
    output:
        metrics="results/{cohort}/{generator}/{fraction}/{seed}/paper/classifiers.tsv",
    log:
        "results/logs/{cohort}/{generator}/{fraction}/{seed}/compare_classifiers.log",
    benchmark:
        "results/benchmarks/{cohort}/{generator}/{fraction}/{seed}/compare_classifiers.tsv"
    conda:
        "../../envs/evaluate.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        added=added_fractions,
        compared=compared_fractions,
        code=code("compare_classifiers"),
    script:
        "../scripts/paper/compare_classifiers.py"


rule measure_neighbours:
    """Measure nearest neighbours as the paper does, among 100 samples in the encoder's space, duplicates included."""
    input:
        synthetic=drawn("zarr.zip"),
        latents="results/{cohort}/prepare/{fraction}/{seed}/latents.npz",
        encoder="results/{cohort}/prepare/{fraction}/{seed}/encoder.npz",
        genotypes="results/{cohort}/prepare/genotypes.zarr.zip",
        samples="results/{cohort}/prepare/samples.tsv",
    output:
        metrics="results/{cohort}/{generator}/{fraction}/{seed}/paper/neighbours.tsv",
    log:
        "results/logs/{cohort}/{generator}/{fraction}/{seed}/measure_neighbours.log",
    benchmark:
        "results/benchmarks/{cohort}/{generator}/{fraction}/{seed}/measure_neighbours.tsv"
    conda:
        "../../envs/evaluate.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 30 * attempt,
    params:
        settings=paper_settings("neighbours"),
        code=code("measure_neighbours"),
    script:
        "../scripts/paper/measure_neighbours.py"


rule measure_reconstruction:
    """Measure how well the trained denoiser reconstructs samples from each noise level, in one step."""
    input:
        unpack(needed),
        model="results/{cohort}/{generator}/{fraction}/{seed}/fitted.model",
        genotypes="results/{cohort}/prepare/genotypes.zarr.zip",
        samples="results/{cohort}/prepare/samples.tsv",
        training="results/{cohort}/prepare/{fraction}/{seed}/training_samples.tsv",
    output:
        metrics="results/{cohort}/{generator}/{fraction}/{seed}/paper/reconstruction.tsv",
    log:
        "results/logs/{cohort}/{generator}/{fraction}/{seed}/measure_reconstruction.log",
    benchmark:
        "results/benchmarks/{cohort}/{generator}/{fraction}/{seed}/measure_reconstruction.tsv"
    wildcard_constraints:
        generator=of(encoded=True),
    conda:
        "../../envs/train.yaml"
    threads: 2
    resources:
        gpu=gpus,
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 30 * attempt,
    params:
        needs=lambda wildcards: list(needed(wildcards)),
        settings=sampled_settings,
        code=code("measure_reconstruction"),
    script:
        "../scripts/paper/measure_reconstruction.py"


rule summarise_paper:
    """Gather the paper's experiments over generators, fractions and seeds into one table."""
    input:
        metrics=runs(
            "results/{cohort}/{generator}/{fraction}/{seed}/paper/{experiment}.tsv",
            experiment=["classifiers", "neighbours"],
        ),
        reconstruction=runs(
            "results/{cohort}/{generator}/{fraction}/{seed}/paper/reconstruction.tsv",
            where=lambda kind: kind.encoded,
        ),
        synthetic=runs(
            "results/{cohort}/{generator}/{fraction}/{seed}/paper/guesses.0.tsv"
        ),
        real=[
            f"results/{{cohort}}/{REAL}/{share}/{seed}/paper/guesses.{share}.tsv"
            for share in PLAN.all_fractions()
            for seed in PLAN.seeds
        ],
    output:
        metrics="results/{cohort}/summary/paper.tsv",
    log:
        "results/logs/{cohort}/summarise_paper.log",
    benchmark:
        "results/benchmarks/{cohort}/summarise_paper.tsv"
    conda:
        "../../envs/evaluate.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        synthetic=lambda wildcards: [
            (run["generator"], run["fraction"], run["seed"])
            for run in PLAN.runs([wildcards.cohort])
        ],
        real=[(share, seed) for share in PLAN.all_fractions() for seed in PLAN.seeds],
        code=code("summarise_paper"),
    script:
        "../scripts/paper/summarise_paper.py"


rule write_paper:
    """Write the chapter "The paper, reproduced": its tables beside ours, and what differs in protocol."""
    input:
        metrics="results/{cohort}/summary/paper.tsv",
        samples="results/{cohort}/prepare/samples.tsv",
        published=str(RESOURCES / "kenneweg2025.tsv"),
    output:
        page=shown("results/{cohort}/summary/paper.html", "paper"),
        recovery=shown("results/{cohort}/summary/paper_recovery.svg", "paper_recovery"),
        aats=shown("results/{cohort}/summary/paper_aats.svg", "paper_aats"),
        augmentation=shown(
            "results/{cohort}/summary/paper_augmentation.svg", "paper_augmentation"
        ),
        convergence=shown(
            "results/{cohort}/summary/paper_convergence.svg", "paper_convergence"
        ),
    log:
        "results/logs/{cohort}/write_paper.log",
    benchmark:
        "results/benchmarks/{cohort}/write_paper.tsv"
    conda:
        "../../envs/evaluate.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
        runtime=lambda wildcards, attempt: 10 * attempt,
    params:
        generators={name: PLAN.settings(name) for name in ENCODED},
        code=code("write_paper"),
    script:
        "../scripts/paper/write_paper.py"


rule plot_umap:
    """Draw real and synthetic samples on one map of their neighbourhoods (UMAP, cosine distance, as in the paper)."""
    input:
        synthetic=expand(
            "results/{{cohort}}/{generator}/{fraction}/{seed}/synthetic.zarr.zip",
            generator=MAPPED,
            fraction=LARGEST,
            seed=PLAN.seeds[0],
        ),
        latents=f"results/{{cohort}}/prepare/{LARGEST}/{PLAN.seeds[0]}/latents.npz",
        encoder=f"results/{{cohort}}/prepare/{LARGEST}/{PLAN.seeds[0]}/encoder.npz",
        genotypes="results/{cohort}/prepare/genotypes.zarr.zip",
        samples="results/{cohort}/prepare/samples.tsv",
    output:
        figure=shown("results/{cohort}/summary/paper_umap.svg", "paper_umap"),
    log:
        "results/logs/{cohort}/plot_umap.log",
    benchmark:
        "results/benchmarks/{cohort}/plot_umap.tsv"
    conda:
        "../../envs/umap.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=lambda wildcards, attempt: 30 * attempt,
    params:
        generators=MAPPED,
        code=code("plot_umap"),
    script:
        "../scripts/paper/plot_umap.py"
