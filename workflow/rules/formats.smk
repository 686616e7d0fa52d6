# in:  synthetic.vcf.gz and its labels (released/ where people are withheld)
# out: beside them: synthetic.people.txt, .bed/.bim/.fam, .pgen/.pvar/.psam, .bgen/.sample, SHA256SUMS

FORMATS = config["release"]["formats"]
CONVERTED = [
    file for name in tools.FORMATS if name in FORMATS for file in tools.FORMATS[name]
]

if CONVERTED:
    refuse_without(tools.require, tools.PLINK2)


rule formats:
    input:
        runs(
            "results/{cohort}/{generator}/{fraction}/{seed}/{released}{file}",
            but=["copycat", "external"],
            released=RELEASED,
            file=["synthetic.people.txt", *CONVERTED, "SHA256SUMS"],
        ),


rule convert_people:
    """Write synthetic people in the formats that geneticists' tools read (plink2), with checksums of what is handed on."""
    input:
        vcf="results/{cohort}/{generator}/{fraction}/{seed}/{released}synthetic.vcf.gz",
        index="results/{cohort}/{generator}/{fraction}/{seed}/{released}synthetic.vcf.gz.tbi",
        labels="results/{cohort}/{generator}/{fraction}/{seed}/{released}synthetic.labels.tsv",
        people="results/{cohort}/prepare/people.tsv",
    output:
        people="results/{cohort}/{generator}/{fraction}/{seed}/{released}synthetic.people.txt",
        sums="results/{cohort}/{generator}/{fraction}/{seed}/{released}SHA256SUMS",
        files=expand(
            "results/{{cohort}}/{{generator}}/{{fraction}}/{{seed}}/{{released}}{file}",
            file=CONVERTED,
        ),
    log:
        "results/logs/{cohort}/{generator}/{fraction}/{seed}/{released}convert_people.log",
    benchmark:
        "results/benchmarks/{cohort}/{generator}/{fraction}/{seed}/{released}convert_people.tsv"
    wildcard_constraints:
        # Neither real people nor those who are withheld.
        generator=of_kind(*CONTROLS, "diffusion", "masked", "resampled", "imputed"),
        released=RELEASED or "(?:)",
    conda:
        "../../envs/formats.yaml"
    resources:
        mem_mb=by_size(1500, 0.2),
        runtime=by_size(20, 0.02),
    params:
        formats=sorted(FORMATS),
        label=cohort("label"),
        code=code("convert_people"),
    script:
        "../scripts/release/convert_people.py"
