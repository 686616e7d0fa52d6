# in:  the prepared real cohort, split, and the training samples of each fraction and seed
# out: results/{cohort}/summary/real.{suite}.tsv, results/{cohort}/prepare/{fraction}/{seed}/reference/{suite}.npz: all
#      that depends on real samples alone, measured once for all generators


rule measure_envelope:
    """Measure real samples against other real samples, split after split: the envelope beside every number."""
    input:
        genotypes="results/{cohort}/prepare/genotypes.zarr.zip",
        samples="results/{cohort}/prepare/samples.tsv",
        genetic_map=map_file,
        relatives=known_relatives,
    output:
        envelope="results/{cohort}/summary/real.{suite}.tsv",
    log:
        "results/logs/{cohort}/measure_envelope/{suite}.log",
    benchmark:
        "results/benchmarks/{cohort}/measure_envelope/{suite}.tsv"
    conda:
        "../../envs/evaluate.yaml"
    threads: 2
    resources:
        mem_mb=by_size(1500, 16),
        runtime=by_size(60, 0.3),
    params:
        settings=suite_settings,
        splits=lambda wildcards: config["evaluate"]["splits"][wildcards.suite],
        module=suite_module,
        labels=config["sample"]["labels"],
        code=code("measure_envelope", suite_module),
    script:
        "../scripts/evaluate/measure_envelope.py"


rule measure_reference:
    """Measure what depends on real samples alone and what a suite needs, once for all generators."""
    input:
        unpack(prepared_samples),
    output:
        reference="results/{cohort}/prepare/{fraction}/{seed}/reference/{suite}.npz",
    log:
        "results/logs/{cohort}/{fraction}/{seed}/measure_reference/{suite}.log",
    benchmark:
        "results/benchmarks/{cohort}/{fraction}/{seed}/measure_reference/{suite}.tsv"
    wildcard_constraints:
        suite="|".join(name for name in suites.REFERENCES if name != "imputation"),
    conda:
        "../../envs/evaluate.yaml"
    threads: 2
    resources:
        mem_mb=by_size(1500, 6),
        runtime=by_size(30, 0.05),
    params:
        settings=suite_settings,
        module=reference_module,
        labels=config["sample"]["labels"],
        code=code("measure_reference", reference_module),
    script:
        "../scripts/evaluate/measure_reference.py"


use rule measure_reference as impute_reference with:
    wildcard_constraints:
        suite="imputation",
    conda:
        "../../envs/impute.yaml"
    resources:
        mem_mb=by_size(4000, 8),
        runtime=by_size(60, 0.4),


rule measure_encoder:
    """Measure how many genotypes of held-out samples survive encoding and decoding."""
    input:
        genotypes="results/{cohort}/prepare/genotypes.zarr.zip",
        samples="results/{cohort}/prepare/samples.tsv",
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


rule measure_ceiling:
    """Measure training samples by the protocol of the published figures, and set these figures beside them."""
    input:
        genotypes="results/{cohort}/prepare/genotypes.zarr.zip",
        samples="results/{cohort}/prepare/samples.tsv",
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
