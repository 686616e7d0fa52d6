"""People of few variants, imputed from a reference panel to all, and judged beside those drawn with all at once."""

import cyvcf2
import pandas as pd
import pysam.bcftools
import pytest
from runs import Run

from syngeno.data import beagle
from syngeno.evaluate import metrics

pytestmark = [
    pytest.mark.workflow,
    pytest.mark.skipif(not beagle.available(), reason="Beagle is not installed"),
]

MADE = {"cohorts": {"made": {"simulate": {"samples": 160, "length": 2e5}, "label": "population"}}}
PANEL = 60
COHORT = {
    "genotypes": ["cohort1.vcf.gz", "cohort2.vcf.gz"],
    "labels": "samples.tsv",
    "samples": "intersect",
    "label": "population",
    "split": {"train": 0.6, "validation": 0.1, "test": 0.3},
}
CONFIG = {
    "cohorts": {
        "dense": {**COHORT, "prune": {"r2": None}},
        "array": {**COHORT, "filter": {"maf": 0.05}, "prune": {"r2": 0.5}},
    },
    "generators": {
        "li_stephens": {"kind": "li_stephens"},
        "imputed": {
            "kind": "imputed",
            "cohort": "dense",
            "source": {"cohort": "array", "generator": "li_stephens"},
            "panel": ["panel1.vcf.gz", "panel2.vcf.gz"],
        },
    },
    "evaluate": {"splits": {"fidelity": 2, "privacy": 2, "audit": 2, "utility": 2}},
}
JUDGED = [f"results/dense/imputed/100/1/{name}.tsv" for name in ("panel", "metrics.fidelity", "metrics.audit")]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Simulated people, some of whom are a panel of their own."""
    run = Run(tmp_path_factory.mktemp("imputed"), MADE)
    made = run.folder / "results/made/prepare/simulated"
    run(str((made / "samples.tsv").relative_to(run.folder)))
    people = pd.read_csv(made / "samples.tsv", sep="\t")
    people.to_csv(run.folder / "samples.tsv", sep="\t", index=False)
    parts = {"panel": people["sample"][:PANEL], "cohort": people["sample"][PANEL:], "all": people["sample"]}
    for contig in (1, 2):
        for name, ids in parts.items():
            path = str(run.folder / f"{name}{contig}.vcf.gz")
            source = str(made / f"{contig}.vcf.gz")
            pysam.bcftools.view("-s", ",".join(ids), "-Oz", "-o", path, source, catch_stdout=False)
            pysam.tabix_index(path, preset="vcf", force=True)
    run.configure({**CONFIG, "data_dir": str(run.folder)})
    return run


def test_imputed_people_have_all_variants_and_are_judged(run):
    run("impute", *JUDGED)
    folder = run.folder / "results/dense/imputed/100/1"
    imputed, drawn = (
        cyvcf2.VCF(str(run.folder / f"results/{path}/100/1/synthetic.vcf.gz"))
        for path in ("dense/imputed", "array/li_stephens")
    )
    assert imputed.samples == drawn.samples
    found = {(one.CHROM, one.POS): one.gt_types.tolist() for one in imputed}
    kept = {(one.CHROM, one.POS): one.gt_types.tolist() for one in drawn}
    assert len(found) > 1.5 * len(kept)
    assert all(found[site] == types for site, types in kept.items())  # what was drawn stays
    # The panel has more variants than the cohort keeps, and so have the imputed people.
    assert sum(1 for _ in cyvcf2.VCF(str(folder / "imputed/1.vcf.gz"))) > sum(site[0] == "1" for site in found)
    told = metrics.read(folder / "panel.tsv").set_index("group")["value"]
    assert 0.5 < told["all"] <= 1
    labels = (folder / "synthetic.labels.tsv").read_bytes()
    assert labels == (run.folder / "results/array/li_stephens/100/1/synthetic.labels.tsv").read_bytes()


def test_who_is_withheld_is_not_imputed_nor_handed_on(run):
    run.configure({**CONFIG, "data_dir": str(run.folder), "release": {"withhold": 10}})
    run("impute")
    released = run.folder / "results/dense/imputed/100/1/released"
    people, source = (
        pd.read_csv(folder / "synthetic.labels.tsv", sep="\t")["sample"].tolist()
        for folder in (released, run.folder / "results/array/li_stephens/100/1/released")
    )
    assert len(people) < len(source)
    for contig in (1, 2):
        assert cyvcf2.VCF(str(released / f"imputed/{contig}.vcf.gz")).samples == people
        assert cyvcf2.VCF(str(released / f"../imputed/{contig}.vcf.gz")).samples == source


def test_a_panel_of_the_cohorts_own_people_is_refused(run):
    generators = {**CONFIG["generators"], "imputed": dict(CONFIG["generators"]["imputed"])}
    generators["imputed"]["panel"] = ["all1.vcf.gz", "all2.vcf.gz"]
    run.configure({**CONFIG, "data_dir": str(run.folder), "generators": generators})
    said = run("results/dense/imputed/100/1/panel.tsv", fails=True)
    assert f"{160 - PANEL} of its 160 samples are samples of the cohort" in said
    assert not (run.folder / "results/dense/imputed/100/1/panel.tsv").exists()
