"""The contents of the report: chapter, title and order of each figure and page, by its place in one list.

A key is also the name of the caption, `workflow/report/{key}.rst`. Read while the Snakefile is parsed.
"""

# Of each cohort, in the order in which to read them.
COHORT = {
    "landing": "Start here",
    "tradeoff": "Privacy-utility trade-off",
    "scorecard": "Scorecard",
    "audit": "Privacy audit",
    "aats": "Privacy: nearest neighbours",
    "membership": "Privacy: membership attacks and their power",
    "relatives": "Privacy: duplicates and kinship",
    "utility": "Utility",
    "association": "Utility: association scans",
    "pca": "Population structure",
    "allele_frequencies": "Allele frequencies",
    "spectrum": "Allele counts and diversity",
    "ld_decay": "LD decay",
    "ld_blocks": "LD blocks",
    "structure": "Distances and Fst",
    "published": "Likelihood and published figures",
    "training": "Training of {generator}, {fraction} %, seed {seed}",
    "ablation": "Variants compared",
    "ablation_table": "Variants compared, table",
    "model_card": "Model card of {generator}, {fraction} %, seed {seed}",
    "officer": "For the data-protection officer: {generator}, {fraction} %, seed {seed}",
    "metrics": "All metrics",
    "run": "Run",
}

PAPER_CHAPTER = "The paper, reproduced"
PAPER = {
    "paper": "Tables",
    "paper_recovery": "Recovery rates",
    "paper_aats": "Nearest neighbours among 100",
    "paper_augmentation": "Augmentation",
    "paper_convergence": "Reconstruction by noise level",
    "paper_umap": "Neighbourhoods (UMAP)",
}


def place(key: str) -> dict:
    """Chapter and label of a figure or page, as Snakemake's `report` takes them.

    Snakemake sorts labels as text, and a browser shows no blanks before them: the more blanks, the earlier. Numbers
    would leave gaps where a figure is not drawn, and repeat where there is one per generator. Raises KeyError where
    there is no such key.
    """
    titles = PAPER if key in PAPER else COHORT
    title = titles[key]
    labels = {"figure": " " * (len(titles) - list(titles).index(key)) + title}
    if titles is PAPER:
        return {"category": PAPER_CHAPTER, "subcategory": "{cohort}", "labels": labels}
    return {"category": "{cohort}", "labels": labels}
