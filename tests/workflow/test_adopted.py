"""A cohort that another tool made, by its own conventions: judged, or refused with what differs; and withholding."""

import gzip
import shutil

import cyvcf2
import pandas as pd
import pytest
from runs import TINY

from syngeno.evaluate import metrics

pytestmark = pytest.mark.workflow


# What another tool may do to the records of a cohort that cannot be judged then, and what is told of it.
REFUSED = {
    "subset": (lambda records: records[5:], "lacks 5 of the cohort's"),
    "missing": (lambda records: [[*records[0][:9], "./.", *records[0][10:]], *records[1:]], "missing"),
    "haploid": (lambda records: [[*records[0][:9], *["1" for _ in records[0][9:]]], *records[1:]], "no diploid call"),
}


def adopt(run, **changes):
    """Rewrite the records of the tiny run's independent cohort by other tools' conventions, as plain text; each change
    makes a generator of its name.
    """
    source = run.folder / "results/tiny/independent/100/1/synthetic.vcf.gz"
    lines = gzip.decompress(source.read_bytes()).decode().splitlines()
    header = [
        line.replace("ID=", "ID=chr") if line.startswith("##contig") else line for line in lines if line[0] == "#"
    ]
    records = [["chr" + fields[0], *fields[1:]] for fields in (line.split("\t") for line in lines if line[0] != "#")]
    outside = {}
    for name, change in changes.items():
        text = "\n".join([*header, *("\t".join(fields) for fields in change(records))]) + "\n"
        (run.folder / f"{name}.vcf").write_text(text)
        shutil.copy(source.with_name("synthetic.labels.tsv"), run.folder / f"{name}.tsv")
        outside[name] = {"kind": "external", "cohort": "tiny", "genotypes": f"{name}.vcf", "labels": f"{name}.tsv"}
    run.configure({**TINY, "data_dir": str(run.folder), "generators": {**TINY["generators"], **outside}})


def by_other_conventions(records):
    """Alleles swapped at every second site, no phase, last site first, one site more."""
    changed = []
    for i, (*fields, ref, alt, quality, passed, _, form) in enumerate(row[:9] for row in records):
        calls = [call.replace("|", "/") for call in records[i][9:]]
        if i % 2:
            ref, alt = alt, ref
            calls = [call.translate(str.maketrans("01", "10")) for call in calls]
        changed.append([*fields, ref, alt, quality, passed, ".", form, *calls])
    more = [*changed[0]]
    more[1] = "7"
    return [*reversed(changed), more]


class TestExternal:
    def test_is_judged_as_its_own_people_are(self, copy):
        adopt(copy, theirs=by_other_conventions)
        copy("evaluate")
        ours, adopted = (
            cyvcf2.VCF(str(copy.folder / f"results/tiny/{name}/100/1/synthetic.vcf.gz"))
            for name in ("independent", "theirs")
        )
        for one, other in zip(ours, adopted, strict=True):
            assert (one.CHROM, one.POS, one.REF, one.ALT) == (other.CHROM, other.POS, other.REF, other.ALT)
            assert (one.gt_types == other.gt_types).all()
        numbers = metrics.read(copy.folder / "results/tiny/summary/metrics.tsv")
        same = ["aa_truth", "ld_r", "recovery_rate", "membership_auc", "near_duplicate_share"]
        asked = numbers[numbers["metric"].isin(same) & (numbers["variant"] == "")]
        # Theirs have no phase, so the attacks along haplotypes look at something else.
        whole = ["distance", "distance_ratio", "density_ratio", "frequency_ratio"]
        asked = asked[(asked["metric"] != "membership_auc") | asked["group"].isin(whole)].set_index(metrics.NUMBER)
        values = {name: part["value"] for name, part in asked.groupby("generator")}
        assert set(same) <= set(values["theirs"].index.get_level_values("metric"))
        pd.testing.assert_series_equal(values["theirs"], values["independent"])

    def test_is_refused_with_what_differs(self, copy):
        adopt(copy, **{name: change for name, (change, _) in REFUSED.items()})
        paths = [f"results/tiny/{name}/100/1/synthetic.vcf.gz" for name in REFUSED]
        said = copy(*paths, "--keep-going", fails=True)
        for name, (_, told) in REFUSED.items():
            logs = (copy.folder / "results/logs/tiny" / name).rglob("*.log")
            (refusal,) = {line for log in logs for line in log.read_text().splitlines() if "Bad input" in line}
            assert told in refusal, name
            assert f"{name}.vcf" in refusal
            assert refusal in said

    def test_is_refused_before_anything_is_fitted(self, copy):
        adopt(copy, theirs=lambda records: records)
        (copy.folder / "theirs.tsv").write_text("sample\tpopulation\nT1\tA\n")
        shutil.rmtree(copy.folder / "results/tiny")
        said = copy("sample", fails=True)
        assert "theirs.tsv: has no row for" in said
        assert not list((copy.folder / "results/tiny").rglob("fitted.model"))


class TestWithholding:
    def test_says_what_it_withheld_and_what_that_did(self, copy):
        generators = {"independent": TINY["generators"]["independent"]}
        evaluate = {**TINY["evaluate"], "ablation": None}
        copy.configure({**TINY, "generators": generators, "evaluate": evaluate, "release": {"withhold": 10}})
        copy("evaluate")
        folder = copy.folder / "results/tiny/independent/100/1"
        people = pd.read_csv(folder / "audit/samples.tsv", sep="\t", keep_default_na=False)
        withheld = pd.read_csv(folder / "released/withheld.tsv", sep="\t")
        released = cyvcf2.VCF(str(folder / "released/synthetic.vcf.gz")).samples
        assert len(withheld) >= round(0.1 * len(people))
        assert set(released) | set(withheld["sample"]) == set(people["sample"])
        assert not set(released) & set(withheld["sample"])
        for label, part in people.groupby("label"):
            held = part["sample"].isin(withheld["sample"])
            assert held.any(), label
            assert part.loc[held, "risk"].min() >= part.loc[~held, "risk"].max(), label
        composition = pd.read_csv(folder / "released/composition.tsv", sep="\t")
        assert composition["released"].sum() == len(released)
        numbers = metrics.read(copy.folder / "results/tiny/summary/metrics.tsv")
        ours = numbers[(numbers["generator"] == "independent") & (numbers["group"] == "all")]
        for metric in ("privacy_loss", "recovery_rate", "ld_r", "high_risk"):
            assert set(ours.loc[ours["metric"] == metric, "variant"]) == {"", "released"}
