"""Synthetic people in other tools' formats, by the real rule: whole, consistent, and read by those tools."""

import hashlib
import shutil
import subprocess

import cyvcf2
import numpy as np
import pandas as pd
import pysam.bcftools
import pytest
from runs import Run

pytestmark = pytest.mark.workflow
needs_plink2 = pytest.mark.skipif(shutil.which("plink2") is None, reason="plink2 is not installed")

SMALL = {
    "cohorts": {
        "small": {
            "simulate": {"samples": 80, "length": 5e4, "causal": 3, "prevalence": 0.5, "heritability": 0},
            "label": ["population", "case"],
            "split": {"train": 0.6, "validation": 0.2, "test": 0.2},
        }
    },
    "generators": {"li_stephens": {"kind": "li_stephens"}, "copycat": {"kind": "copycat"}},
    "sample": {"size": 64},
    "release": {"formats": ["plink", "pgen", "bgen"]},
}
FOLDER = "results/small/li_stephens/100/1"
MADE = ["bed", "bim", "fam", "pgen", "pvar", "psam", "bgen", "sample", "samples.txt"]
READ = {
    "plink": ["--bfile", "synthetic"],
    "pgen": ["--pfile", "synthetic"],
    "bgen": ["--bgen", "synthetic.bgen", "ref-first", "--sample", "synthetic.sample"],
}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    run = Run(tmp_path_factory.mktemp("release") / "run", SMALL)
    run("release")
    return run


@pytest.fixture
def folder(run, tmp_path):
    """A copy of the files that are handed on, for tools to write beside."""
    return shutil.copytree(run.folder / FOLDER, tmp_path / "handed_on")


def plink2(folder, *arguments):
    command = ["plink2", "--threads", "1", "--memory", "640", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def calls(path):
    """Sites, and alleles (variants, people, 2)."""
    records = [((v.CHROM, v.POS, v.REF, v.ALT), v.genotype.array()[:, :2]) for v in cyvcf2.VCF(str(path))]
    return [site for site, _ in records], np.array([alleles for _, alleles in records])


@needs_plink2
class TestHandedOn:
    def test_is_whole(self, folder):
        handed_on = {f"synthetic.{end}" for end in [*MADE, "vcf.gz", "vcf.gz.tbi", "labels.tsv"]}
        sums = dict(line.split("  ")[::-1] for line in (folder / "SHA256SUMS").read_text().splitlines())
        assert set(sums) == handed_on
        for name, told in sums.items():
            assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == told
        others = {"SHA256SUMS", "chosen.json", "fitted.model", "history.tsv", "synthetic.zarr.zip"}
        assert {path.name for path in folder.iterdir() if path.is_file()} == {*handed_on, *others}

    def test_tells_the_same_of_the_same_people(self, folder):
        labels = pd.read_csv(folder / "synthetic.labels.tsv", sep="\t")
        assert len(labels) == 64
        assert cyvcf2.VCF(str(folder / "synthetic.vcf.gz")).samples == labels["sample"].tolist()
        for name in ("synthetic.psam", "synthetic.samples.txt"):
            people = pd.read_csv(folder / name, sep="\t")
            assert people["#IID"].tolist() == labels["sample"].tolist()
            assert people["population"].tolist() == labels["population"].tolist()
            assert people["case"].map({1: "control", 2: "case"}).tolist() == labels["case"].tolist()
        fam = pd.read_csv(folder / "synthetic.fam", sep="\t", header=None)
        assert fam[1].tolist() == labels["sample"].tolist()
        assert fam[5].map({1: "control", 2: "case"}).tolist() == labels["case"].tolist()

    @pytest.mark.parametrize("form", READ)
    def test_holds_the_same_genotypes(self, folder, form):
        plink2(folder, *READ[form], "--export", "vcf", "--out", "back")
        (sites, ours), (found, theirs) = calls(folder / "synthetic.vcf.gz"), calls(folder / "back.vcf")
        assert len(sites) > 50
        assert found == sites
        if form == "plink":
            ours, theirs = ours.sum(axis=2), theirs.sum(axis=2)
        # 2.00a3.5 reads haplotypes the other way round; what is in the file: tests/unit/export/test_plink2.py
        swapped = form == "bgen" and (theirs == ours[:, :, ::-1]).all()
        assert swapped or (theirs == ours).all()

    @pytest.mark.parametrize("form", READ)
    def test_goes_through_an_association_test_and_pca(self, folder, form):
        trait = [] if form == "plink" else ["--pheno-name", "case"]  # a .fam has one, and no name for it
        plink2(folder, *READ[form], "--glm", "allow-no-covars", *trait, "--out", "tested")
        results = pd.read_csv(next(folder.glob("tested.*.glm.logistic*")), sep="\t")
        assert results["P"].notna().mean() > 0.9
        plink2(folder, *READ[form], "--pca", "3", "--out", "axes")
        axes = pd.read_csv(folder / "axes.eigenvec", sep="\t")
        assert len(axes) == 64
        assert axes[["PC1", "PC2", "PC3"]].notna().all(axis=None)

    def test_people_are_a_table_of_phenotypes_and_covariates(self, folder):
        table = ["--pheno", "synthetic.samples.txt", "--pheno-name", "case"]
        covariates = ["--covar", "synthetic.samples.txt", "--covar-name", "population"]
        plink2(folder, "--bfile", "synthetic", *table, *covariates, "--glm", "hide-covar", "--out", "tested")
        assert list(folder.glob("tested.case.glm.logistic*"))

    def test_the_vcf_goes_through_bcftools(self, folder):
        said = pysam.bcftools.stats(str(folder / "synthetic.vcf.gz"))
        assert "SN\t0\tnumber of samples:\t64\n" in said

    def test_is_left_alone_when_nothing_changed(self, run):
        assert run.planned("release") == {}


@needs_plink2
class TestWhoIsHandedOn:
    def test_never_the_copycat(self, run):
        assert "copycat" not in run("release", "--forceall", "--dry-run")
        run("results/small/copycat/100/1/synthetic.bed", "--dry-run", fails=True)

    def test_never_who_is_withheld(self, run, tmp_path):
        withheld = Run(tmp_path, {**SMALL, "release": {"withhold": 5, **SMALL["release"]}})
        said = withheld("release", "--dry-run")
        assert f"{FOLDER}/released/synthetic.bed" in said
        assert f"{FOLDER}/synthetic.bed" not in said
        withheld(f"{FOLDER}/synthetic.bed", "--dry-run", fails=True)


class TestWithoutTheTool:
    @pytest.fixture
    def bare(self, tmp_path, monkeypatch):
        """A PATH with what Snakemake calls, and nothing else."""
        tools = tmp_path / "tools"
        tools.mkdir()
        for name in ("bash", "sh", "which"):
            (tools / name).symlink_to(shutil.which(name))
        monkeypatch.setenv("PATH", str(tools))

    def test_is_refused_before_any_work(self, bare, tmp_path):
        said = Run(tmp_path / "run", SMALL)("release", fails=True)
        assert "plink2: is not installed; install it" in said
        assert "Traceback" not in said
        assert not (tmp_path / "run/results").exists()

    def test_the_vcf_alone_needs_none(self, bare, tmp_path):
        jobs = Run(tmp_path / "run", {**SMALL, "release": {"formats": ["vcf"]}}).planned("release")
        assert jobs["convert"] == 1

    @needs_plink2
    def test_is_told_by_the_rule_where_each_has_its_environment(self, bare, run, tmp_path):
        shutil.copytree(run.folder / "results", tmp_path / "run/results")
        there = Run(tmp_path / "run", SMALL)
        said = there("release", "--forcerun", "convert", "--sdm", "env-modules", fails=True)
        assert "Bad input: plink2: is not installed" in said
        assert not list((tmp_path / "run" / FOLDER).glob("*.bed"))
        assert not list((tmp_path / "run" / FOLDER).glob(".*.part"))
