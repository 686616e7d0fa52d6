# in:  people that diffusion models drew in the encoder's space and decoded, beside the real cohort
# out: results/{cohort}/{generator}/{fraction}/{seed}/paper/, results/{cohort}/summary/paper.tsv and the chapter's
#      page and figures. Runs where the run file has `evaluate: {paper: ...}`.


rule paper:
    input:
        expand(
            "results/{cohort}/summary/{page}",
            cohort=COHORTS if PAPER else [],
            page=["paper.html", "paper_umap.svg"],
        ),


rule learn_from_real:
    """Train the paper's classifiers on real people, in the encoder's space and on genotypes, and ask them about test people."""
    input:
        genotypes="results/{cohort}/prepare/genotypes.zarr.zip",
        people="results/{cohort}/prepare/people.tsv",
        members="results/{cohort}/prepare/{fraction}/{seed}/members.tsv",
        encoder="results/{cohort}/prepare/{fraction}/{seed}/encoder.npz",
    output:
        guesses="results/{cohort}/prepare/{fraction}/{seed}/guesses.tsv",
    log:
        "results/logs/{cohort}/{fraction}/{seed}/learn_from_real.log",
    benchmark:
        "results/benchmarks/{cohort}/{fraction}/{seed}/learn_from_real.tsv"
    conda:
        "../../envs/train.yaml"
    threads: 2
    resources:
        gpu=CLASSIFIER_GPU,
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=lambda wildcards, attempt: 120 * attempt,
    params:
        settings=paper_settings("classifiers"),
        code=code("learn_from_real"),
    script:
        "../scripts/paper/learn_from_real.py"


rule learn_from_synthetic:
    """Train the paper's classifiers on synthetic people, with or without real ones, and ask them about test people."""
    input:
        shards=drawn_shards,
        vcf="results/{cohort}/{generator}/{fraction}/{seed}/synthetic.vcf.gz",
        labels="results/{cohort}/{generator}/{fraction}/{seed}/synthetic.labels.tsv",
        genotypes="results/{cohort}/prepare/genotypes.zarr.zip",
        people="results/{cohort}/prepare/people.tsv",
        added=added_members,
        encoder="results/{cohort}/prepare/{fraction}/{seed}/encoder.npz",
    output:
        guesses="results/{cohort}/{generator}/{fraction}/{seed}/paper/guesses.{added}.tsv",
    log:
        "results/logs/{cohort}/{generator}/{fraction}/{seed}/learn_from_synthetic/{added}.log",
    benchmark:
        "results/benchmarks/{cohort}/{generator}/{fraction}/{seed}/learn_from_synthetic/{added}.tsv"
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
        code=code("learn_from_synthetic"),
    script:
        "../scripts/paper/learn_from_synthetic.py"


rule compare_classifiers:
    """Compare what classifiers learnt from synthetic, real and mixed people on the same test people: recovery and gain."""
    input:
        synthetic=lambda wildcards: expand(
            "results/{{cohort}}/{{generator}}/{{fraction}}/{{seed}}/paper/guesses.{added}.tsv",
            added=added_fractions(wildcards.generator, int(wildcards.fraction)),
        ),
        real=lambda wildcards: expand(
            "results/{{cohort}}/prepare/{fraction}/{{seed}}/guesses.tsv",
            fraction=compared_fractions(wildcards.generator, int(wildcards.fraction)),
        ),
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
        added=lambda wildcards: added_fractions(
            wildcards.generator, int(wildcards.fraction)
        ),
        compared=lambda wildcards: compared_fractions(
            wildcards.generator, int(wildcards.fraction)
        ),
        code=code("compare_classifiers"),
    script:
        "../scripts/paper/compare_classifiers.py"


rule measure_hundred:
    """Measure nearest neighbours as the paper does, among 100 people in the encoder's space, with copies in sight."""
    input:
        shards=drawn_shards,
        vcf="results/{cohort}/{generator}/{fraction}/{seed}/synthetic.vcf.gz",
        labels="results/{cohort}/{generator}/{fraction}/{seed}/synthetic.labels.tsv",
        latents="results/{cohort}/prepare/{fraction}/{seed}/latents.npz",
        encoder="results/{cohort}/prepare/{fraction}/{seed}/encoder.npz",
        genotypes="results/{cohort}/prepare/genotypes.zarr.zip",
        people="results/{cohort}/prepare/people.tsv",
    output:
        metrics="results/{cohort}/{generator}/{fraction}/{seed}/paper/neighbours.tsv",
    log:
        "results/logs/{cohort}/{generator}/{fraction}/{seed}/measure_hundred.log",
    benchmark:
        "results/benchmarks/{cohort}/{generator}/{fraction}/{seed}/measure_hundred.tsv"
    conda:
        "../../envs/evaluate.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 30 * attempt,
    params:
        label=cohort("label"),
        settings=paper_settings("neighbours"),
        code=code("measure_hundred"),
    script:
        "../scripts/paper/measure_hundred.py"


rule measure_reconstruction:
    """Measure how well the trained denoiser gives back people from each noise level, in one step."""
    input:
        model="results/{cohort}/{generator}/{fraction}/{seed}/model.pt",
        latents="results/{cohort}/prepare/{fraction}/{seed}/latents.npz",
    output:
        metrics="results/{cohort}/{generator}/{fraction}/{seed}/paper/reconstruction.tsv",
    log:
        "results/logs/{cohort}/{generator}/{fraction}/{seed}/measure_reconstruction.log",
    benchmark:
        "results/benchmarks/{cohort}/{generator}/{fraction}/{seed}/measure_reconstruction.tsv"
    wildcard_constraints:
        generator=of_kind("diffusion"),
    conda:
        "../../envs/train.yaml"
    threads: 2
    resources:
        gpu=lambda wildcards: config["generators"][wildcards.generator]["gpu"],
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 30 * attempt,
    params:
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
            "diffusion",
        ),
        synthetic=runs(
            "results/{cohort}/{generator}/{fraction}/{seed}/paper/guesses.0.tsv"
        ),
        real=expand(
            "results/{{cohort}}/prepare/{fraction}/{seed}/guesses.tsv",
            fraction=FRACTIONS,
            seed=config["seeds"],
        ),
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
        code=code("summarise_paper"),
    script:
        "../scripts/paper/summarise_paper.py"


rule write_paper:
    """Write the chapter "The paper, reproduced": its tables beside ours, and what differs in protocol."""
    input:
        metrics="results/{cohort}/summary/paper.tsv",
        people="results/{cohort}/prepare/people.tsv",
        published=str(RESOURCES / "kenneweg2025.tsv"),
    output:
        page=report(
            "results/{cohort}/summary/paper.html",
            caption="../report/paper_page.rst",
            category="The paper, reproduced",
            subcategory="{cohort}",
            labels={"figure": "1 Tables"},
        ),
        recovery=report(
            "results/{cohort}/summary/paper_recovery.svg",
            caption="../report/paper_recovery.rst",
            category="The paper, reproduced",
            subcategory="{cohort}",
            labels={"figure": "2 Recovery"},
        ),
        aats=report(
            "results/{cohort}/summary/paper_aats.svg",
            caption="../report/paper_aats.rst",
            category="The paper, reproduced",
            subcategory="{cohort}",
            labels={"figure": "3 Nearest neighbours among 100"},
        ),
        augmentation=report(
            "results/{cohort}/summary/paper_augmentation.svg",
            caption="../report/paper_augmentation.rst",
            category="The paper, reproduced",
            subcategory="{cohort}",
            labels={"figure": "4 Augmentation"},
        ),
        convergence=report(
            "results/{cohort}/summary/paper_convergence.svg",
            caption="../report/paper_convergence.rst",
            category="The paper, reproduced",
            subcategory="{cohort}",
            labels={"figure": "5 Reconstruction by noise level"},
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
        generators={name: config["generators"][name] for name in ENCODED},
        code=code("write_paper"),
    script:
        "../scripts/paper/write_paper.py"


rule plot_neighbourhood:
    """Draw real and synthetic people on one map of who is near whom (UMAP, cosine distance, as in the paper)."""
    input:
        shards=compared_people,
        latents=compared_encoder("latents.npz"),
        encoder=compared_encoder("encoder.npz"),
        genotypes="results/{cohort}/prepare/genotypes.zarr.zip",
        people="results/{cohort}/prepare/people.tsv",
    output:
        figure=report(
            "results/{cohort}/summary/paper_umap.svg",
            caption="../report/paper_umap.rst",
            category="The paper, reproduced",
            subcategory="{cohort}",
            labels={"figure": "6 Neighbourhoods (UMAP)"},
        ),
    log:
        "results/logs/{cohort}/plot_neighbourhood.log",
    benchmark:
        "results/benchmarks/{cohort}/plot_neighbourhood.tsv"
    conda:
        "../../envs/umap.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=lambda wildcards, attempt: 30 * attempt,
    params:
        code=code("plot_neighbourhood"),
    script:
        "../scripts/paper/plot_neighbourhood.py"
