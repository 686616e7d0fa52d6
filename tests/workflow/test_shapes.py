"""Run files of other shapes than the demo's: no diffusion, joint labels, several fractions and seeds, PLINK, phases."""

import json
import shutil

import cyvcf2
import linked
import numpy as np
import pandas as pd
import pytest
from bed_reader import to_bed
from runs import TINY, Run

from syngeno.data import vcf
from syngeno.data.store import Sites
from syngeno.evaluate import metrics

pytestmark = pytest.mark.workflow


class TestControlsOnly:
    def test_joint_labels_fractions_and_seeds(self, tmp_path):
        cohort = {**TINY["cohorts"]["tiny"], "label": ["superpopulation", "sex"], "prune": {"r2": 0.1}}
        config = {
            **TINY,
            "cohorts": {"tiny": cohort},
            "generators": {"factors": {"kind": "ancestry_factors", "residual": 0.5}},
            # The envelope that is looked at is of privacy; one takes five splits.
            "evaluate": {
                **TINY["evaluate"],
                "ablation": None,
                "dose": [2],
                "splits": {"fidelity": 2, "privacy": 5, "audit": 2, "utility": 2},
            },
            "fractions": [50, 100],
            "seeds": [1, 2],
            "sample": {"size": 60},
        }
        run = Run(tmp_path, config)
        run("results/tiny/summary/metrics.tsv")
        numbers = metrics.read(tmp_path / "results/tiny/summary/metrics.tsv")
        headline = numbers[(numbers["metric"] == "aa_truth") & (numbers["group"] == "all")]
        judged = numbers[(numbers["metric"] == "heldout_nats") & (numbers["group"] == "all")]
        assert len(judged)
        assert judged["value"].notna().all()
        assert set(headline["fraction"]) == {50, 100}
        assert (headline.loc[headline["seed"] == "all", "n"] == 2).all()
        # The envelope is of sets as large as all training people allow; half of them are not held against it.
        assert (headline["real"].notna() == (headline["fraction"] == 100)).all()
        assert not list((tmp_path / "results").rglob("encoder.npz")), "nobody asked for an encoder"
        doses = numbers[(numbers["metric"] == "membership_auc_by_dose") & (numbers["seed"] == "1")]
        assert set(doses.loc[doses["fraction"] == 50, "group"]) == {
            "1 % of the synthetic samples", "10 % of the synthetic samples", "the synthetic samples",
            "2 times the synthetic samples",
        }  # fmt: skip
        assert not list((tmp_path / "results").rglob("shards/*")), "shards are of no use any more"
        labels = (tmp_path / "results/tiny/factors/50/1/synthetic.labels.tsv").read_text().splitlines()
        assert labels[0].split("\t") == ["sample", "superpopulation", "sex"]
        assert len(labels) == 61


class TestPlink:
    def test_a_bed_file_with_one_class(self, tmp_path):
        people, variants = 60, 80
        rng = np.random.default_rng(1)
        ids = [f"P{i}" for i in range(people)]
        to_bed(
            tmp_path / "x.bed",
            rng.binomial(2, rng.uniform(0.1, 0.9, variants), (people, variants)).astype(np.float32),
            properties={
                "iid": ids,
                "sid": [f"rs{i}" for i in range(variants)],
                "chromosome": np.repeat(["chr3", "chr7"], variants // 2),
                "bp_position": np.tile(np.arange(1, variants // 2 + 1) * 1000, 2),
                "allele_1": np.repeat("A", variants),
                "allele_2": np.repeat("G", variants),
            },
        )
        rows = "".join(f"{one}\tall of them\n" for one in ids)
        (tmp_path / "samples.tsv").write_text("sample\tpopulation\n" + rows)
        cohort = {"genotypes": "x.bed", "labels": "samples.tsv", "label": "population", "chromosomes": [7]}
        generators = {
            "latent": TINY["generators"]["latent"],
            "genotypes": TINY["generators"]["haplotypes"],  # of the space that the cohort has
            "li_stephens": TINY["generators"]["li_stephens"],
        }
        config = {
            **TINY,
            # Nothing is said here of envelopes, for which five splits are needed.
            "evaluate": {**TINY["evaluate"], "ablation": None, "splits": {"fidelity": 2, "privacy": 2, "audit": 2}},
            "data_dir": str(tmp_path),
            "cohorts": {"plink": cohort},
            "generators": generators,
        }
        run = Run(tmp_path, config)
        run("results/plink/summary/metrics.tsv", "results/plink/prepare/cohort.json")
        numbers = metrics.read(tmp_path / "results/plink/summary/metrics.tsv")
        assert "privacy_loss" in set(numbers["metric"])
        assert "recovery_rate" not in set(numbers["metric"])
        about = json.loads((tmp_path / "results/plink/prepare/cohort.json").read_text())
        assert (about["phased"], about["phased_by_beagle"]) == (False, 0), "unlinked variants have no haplotypes"


@pytest.mark.skipif(shutil.which("beagle") is None, reason="Beagle is not installed")
class TestUnphased:
    def test_linked_samples_are_phased_and_drawn_as_haplotypes(self, tmp_path):
        rng = np.random.default_rng(1)
        founders = (rng.random((6, linked.VARIANTS)) < 0.5).astype(np.int8)  # few, so that neighbours go together
        real = linked.cohort(linked.mosaics(founders, 160, rng))
        sites = Sites(real.contig, real.position, *(np.full(len(real.position), x) for x in ".AC"), {"1": 0, "2": 0})
        names = [f"P{i}" for i in range(len(real))]
        vcf.write_vcf(tmp_path / "x.vcf.gz", sites, names, vcf.unphased_calls(real.dosages), phased=False)
        (tmp_path / "samples.tsv").write_text("sample\tpopulation\n" + "".join(f"{name}\tP\n" for name in names))
        cohort = {"genotypes": "x.vcf.gz", "labels": "samples.tsv", "label": "population", "prune": {"r2": None}}
        haplotypes = TINY["generators"]["haplotypes"] | {"space": "haplotype"}
        config = {"data_dir": str(tmp_path), "cohorts": {"unphased": cohort}, "generators": {"made": haplotypes}}
        run = Run(tmp_path, config)
        said = run("results/unphased/made/100/1/synthetic.vcf.gz", "results/unphased/prepare/cohort.json")
        assert "x.vcf.gz is not phased, first at 1:" in said
        about = json.loads((tmp_path / "results/unphased/prepare/cohort.json").read_text())
        assert (about["phased"], about["phased_by_beagle"], about["linkage"]) == (True, 2, "linked")
        variant = next(cyvcf2.VCF(str(tmp_path / "results/unphased/made/100/1/synthetic.vcf.gz")))
        assert variant.gt_phases.all()
        assert not list(tmp_path.glob("results/unphased/prepare/phased/*")), "what was merged is of no use any more"
        run.configure(config | {"cohorts": {"unphased": cohort | {"phasing": "never"}}})
        said = run("results/unphased/made/100/1/synthetic.vcf.gz", fails=True)
        assert "is not phased at 1:" in said
        assert "`phasing: auto`" in said


class TestSomeLabels:
    def test_are_judged_by_real_samples_of_these(self, copy):
        names = ("independent", "copycat")
        config = {
            **TINY,
            "generators": {name: TINY["generators"][name] for name in names},
            "evaluate": {**TINY["evaluate"], "ablation": None},
            "sample": {"size": 100, "labels": {"AFR": 1, "EUR": 2}},
        }
        copy.configure(config)
        copy("results/tiny/summary/metrics.tsv", "results/tiny/summary/pca.svg")
        table = pd.read_csv(copy.folder / "results/tiny/prepare/samples.tsv", sep="\t")
        train = table[(table["split"] == "train") & table["label"].isin(["AFR", "EUR"])]
        numbers = metrics.read(copy.folder / "results/tiny/summary/metrics.tsv")
        recall = numbers[numbers["metric"] == "recall"]
        assert set(recall["generator"]) == set(names)
        assert set(recall["group"]) == {"AFR", "EUR"}
        assert recall["real"].notna().all()
        attacked = numbers[(numbers["metric"] == "membership_auc") & (numbers["variant"] == "")]
        assert set(attacked[attacked["against"] == ""]["n"]) == {len(train)}
        within = attacked[attacked["against"].isin(["AFR", "EUR"])]
        assert within.groupby("against")["n"].unique().str[0].to_dict() == train["label"].value_counts().to_dict()


class TestLocalAncestry:
    def test_is_written_where_it_is_asked_for_and_drawn_by_proportions(self, tmp_path):
        mixed = {**TINY["generators"]["haplotypes"], "clusters": {"number": 8, "ancestries": 2}}
        config = {
            **TINY,
            "generators": {"mixed": mixed, "independent": TINY["generators"]["independent"]},
            "evaluate": {**TINY["evaluate"], "ablation": None},
            "sample": {"size": 40, "shards": 2, "local_ancestry": True},
        }
        run, folder = Run(tmp_path, config), tmp_path / "results/tiny/mixed/100/1"
        run("sample")
        assert not list((tmp_path / "results/tiny/independent").rglob("*ancestry*"))
        vcf, labels = folder / "synthetic.vcf.gz", pd.read_csv(folder / "synthetic.labels.tsv", sep="\t")
        sites = [(variant.CHROM, variant.POS) for variant in cyvcf2.VCF(str(vcf))]
        tracts = pd.read_csv(folder / "synthetic.ancestry.tsv.gz", sep="\t", dtype={"contig": str})
        sequences = tracts.groupby(["sample", "haplotype"])
        assert list(sequences.groups) == [(sample, haplotype) for sample in labels["sample"] for haplotype in (0, 1)]
        for _, part in sequences:
            tracts_of_one = list(part[["contig", "start", "end"]].itertuples(index=False))
            covered = [
                site for contig, start, end in tracts_of_one for site in sites
                if contig == site[0] and start <= site[1] <= end
            ]  # fmt: skip
            assert covered == sites
        q = pd.read_csv(folder / "synthetic.proportions.tsv", sep="\t", index_col="sample")
        assert q.index.tolist() == labels["sample"].tolist()
        assert set(tracts["ancestry"]) <= set(q.columns) and len(q.columns) == 2
        assert q.sum(axis=1).to_numpy() == pytest.approx(1, abs=1e-5)

        asked = {"ADX": {q.columns[1]: 1}}
        run.configure({**config, "sample": {**config["sample"], "proportions": asked}})
        jobs = run.planned("sample")
        assert jobs["draw_with_ancestry"] == 2 and not {"draw", "split_samples", "fit_generator"} & set(jobs)
        run("sample")
        tracts = pd.read_csv(folder / "synthetic.ancestry.tsv.gz", sep="\t")
        of_label = tracts["sample"].isin(labels.loc[labels["population"] == "ADX", "sample"])
        assert set(tracts.loc[of_label, "ancestry"]) == {q.columns[1]}

        run.configure({**config, "sample": {**config["sample"], "proportions": {"ADX": {"none": 1}}}})
        said = run("sample", fails=True)
        told = f"sample.proportions.ADX: the model has no ancestry 'none'; use {q.columns[0]}, {q.columns[1]}"
        assert f"Bad input: {told}" in said
        assert "Traceback" not in said
