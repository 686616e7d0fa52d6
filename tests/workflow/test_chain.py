"""The whole chain, judged by properties of what it made."""

import json
import re

import cyvcf2
import numpy as np
import pandas as pd
import pysam.bcftools
import pytest
import torch
from runs import Run

from syngeno.data.store import open_store
from syngeno.evaluate import metrics

pytestmark = pytest.mark.workflow
FITTED = ["latent", "haplotypes", "independent", "markov", "li_stephens"]
RUNS = ["latent", "haplotypes", "resampled", "independent", "markov", "li_stephens"]


@pytest.fixture(scope="module")
def results(tiny):
    return tiny.folder / "results"


@pytest.fixture(scope="module")
def numbers(results):
    return metrics.read(results / "tiny/summary/metrics.tsv")


def value(numbers, generator, metric, against="", group="all", variant=""):
    chosen = numbers[
        (numbers["generator"] == generator)
        & (numbers["metric"] == metric)
        & (numbers["against"] == against)
        & (numbers["group"] == group)
        & (numbers["variant"] == variant)
    ]
    assert len(chosen) == 1, f"{generator} {metric} {against} {group}: {len(chosen)} rows"
    return chosen.iloc[0]


class TestSyntheticCohort:
    @pytest.mark.parametrize("generator", RUNS)
    def test_is_a_valid_vcf_with_the_sites_of_the_real_cohort(self, results, generator):
        path = results / f"tiny/{generator}/100/1/synthetic.vcf.gz"
        assert "number of records:" in pysam.bcftools.stats(str(path))
        store = open_store(results / "tiny/prepare/genotypes.zarr.zip")
        variants = [(v.CHROM, v.POS, v.REF, v.ALT[0]) for v in cyvcf2.VCF(str(path))]
        sites = store.sites()
        assert variants == list(
            zip(sites.contig.tolist(), sites.position.tolist(), sites.ref.tolist(), sites.alt.tolist(), strict=True)
        )
        first = variants[0]
        assert first[1] == next(cyvcf2.VCF(str(path))(f"{first[0]}:{first[1]}-{first[1]}")).POS

    @pytest.mark.parametrize("generator", RUNS)
    def test_carries_no_id_of_a_real_person(self, results, generator):
        real = pd.read_csv(results / "tiny/prepare/samples.tsv", sep="\t")
        labels = pd.read_csv(results / f"tiny/{generator}/100/1/synthetic.labels.tsv", sep="\t")
        samples = cyvcf2.VCF(str(results / f"tiny/{generator}/100/1/synthetic.vcf.gz")).samples
        assert labels["sample"].tolist() == samples
        assert samples[0] == "SYN000001"
        assert not set(samples) & set(real["sample"])

    @pytest.mark.parametrize("generator", RUNS)
    def test_has_the_labels_of_train(self, results, generator):
        real = pd.read_csv(results / "tiny/prepare/samples.tsv", sep="\t")
        labels = pd.read_csv(results / f"tiny/{generator}/100/1/synthetic.labels.tsv", sep="\t")
        train = real[real["split"] == "train"]["label"].value_counts().to_dict()
        assert labels["population"].value_counts().to_dict() == train

    def test_is_phased_where_the_generator_draws_haplotypes(self, results):
        for generator, phased in (
            ("independent", True),
            ("li_stephens", True),
            ("haplotypes", True),
            ("latent", False),
        ):
            variant = next(cyvcf2.VCF(str(results / f"tiny/{generator}/100/1/synthetic.vcf.gz")))
            assert bool(variant.gt_phases.all()) is phased


class TestCopycat:
    def test_is_flagrant(self, numbers):
        assert value(numbers, "copycat", "aa_truth", "train")["value"] == 0
        assert value(numbers, "copycat", "duplicate_share", "train")["value"] == 1
        loss = value(numbers, "copycat", "privacy_loss")
        assert loss["value"] == pytest.approx(0.5, abs=0.2)
        assert loss["value"] > loss["real_high"]
        assert loss["value"] > value(numbers, "independent", "privacy_loss")["value"] + 0.1

    def test_is_judged_without_a_file_of_real_samples(self, results):
        assert not list(results.glob("tiny/copycat/**/synthetic*"))

    def test_is_no_product(self, tiny):
        assert "copycat" not in tiny("sample", "--forceall", "--dry-run")
        assert "MissingRuleException" in tiny("results/tiny/copycat/100/1/synthetic.vcf.gz", fails=True)


class TestAudit:
    def test_lists_every_copy_by_id(self, numbers, results):
        people = pd.read_csv(results / "tiny/copycat/100/1/audit/samples.tsv", sep="\t", keep_default_na=False)
        assert (people["listed"] == "exact").all()
        train = pd.read_csv(results / "tiny/prepare/samples.tsv", sep="\t").query("split == 'train'")["sample"]
        assert set(people["nearest_train"]) == set(train)

    @pytest.mark.parametrize("generator", RUNS)
    def test_sees_the_plants(self, numbers, generator):
        assert value(numbers, generator, "planted_listed", "train", variant="planted 5 %, whole")["value"] == 1

    def test_tables_that_name_real_people_are_for_their_owner(self, results):
        for path in ("latent/100/1/audit/samples.tsv", "haplotypes/100/1/audit/scores.tsv"):
            assert (results / "tiny" / path).stat().st_mode & 0o077 == 0

    def test_pages_name_no_real_person(self, results):
        real = pd.read_csv(results / "tiny/prepare/samples.tsv", sep="\t")["sample"]
        for page in (
            "summary/landing.html",
            "summary/audit.html",
            "latent/100/1/model_card.html",
            "latent/100/1/officer.html",
            "latent/100/1/officer.md",
            "summary/scorecard.html",
        ):
            text = (results / "tiny" / page).read_text()
            assert not [name for name in real if name in text], page


class TestMetrics:
    def test_every_generator_is_judged_alike(self, numbers):
        # What only a generator with haplotypes, with a likelihood, an encoder or a denoiser can be asked.
        own = {"three_point_r", "haplotype_diversity", "haplotype_diversity_r", "heldout_nats", "decode_concordance"}
        own |= {f"{one}{suffix}" for one in ("private_run_cm", "longest_segment_cm") for suffix in ("", "_real")}
        own |= {"membership_auc_by_dose"}  # of whom canaries are planted among, which the copycat is not
        shared = numbers[
            ~numbers["metric"].isin(own) & (numbers["group"] != "denoising_loss") & (numbers["variant"] == "")
        ]
        asked = {
            name: set(zip(part["metric"], part["group"], part["against"], strict=True))
            for name, part in shared.groupby("generator")
            if name != "real"
        }
        assert len(asked) == 7
        assert all(one == asked["latent"] for one in asked.values())

    def test_haplotypes_are_judged_where_there_are_some(self, numbers):
        for metric in ("three_point_r", "haplotype_diversity"):
            judged = set(numbers.loc[numbers["metric"] == metric, "generator"])
            assert judged == {"haplotypes", "resampled", "independent", "markov", "li_stephens", "copycat"}

    def test_some_say_how_probable_heldout_people_are(self, numbers):
        nats = {
            name: value(numbers, name, "heldout_nats", "test")["value"]
            for name in ("independent", "markov", "li_stephens", "haplotypes")
        }
        assert nats["haplotypes"] < nats["independent"]
        assert nats["li_stephens"] < nats["independent"]
        assert nats["markov"] < nats["independent"]

    def test_envelopes_stand_beside_the_numbers(self, numbers):
        for metric, against in (
            ("aa_truth", "test"),
            ("privacy_loss", ""),
            ("recovery_rate", "test"),
            ("ld_r", "train"),
        ):
            row = value(numbers, "latent", metric, against)
            assert row["real_low"] <= row["real"] <= row["real_high"]

    def test_independent_variants_have_no_linkage_of_their_own(self, numbers):
        row = value(numbers, "independent", "ld_r", "train")
        assert row["value"] < row["real_low"]

    def test_decoding_is_measured(self, numbers):
        assert 0.5 < value(numbers, "latent", "decode_concordance", "validation")["value"] <= 1


class TestReport:
    def test_is_written_with_all_figures(self, results):
        page = (results / "report.html").read_text()
        for name in (
            "tradeoff.svg",
            "aats.svg",
            "membership.svg",
            "utility.svg",
            "pca.svg",
            "ld_decay.svg",
            "training.svg",
        ):
            assert name in page
        assert "allele_frequencies.svg" in page
        for name in ("landing.html", "scorecard.html", "audit.html", "model_card.html", "officer.html"):
            assert name in page

    def test_the_landing_page_has_a_card_for_each_generator_and_its_links_lead_somewhere(self, results):
        folder = results / "tiny/summary"
        page = (folder / "landing.html").read_text()
        assert all(f"<h3>{name}</h3>" in page for name in [*RUNS, "copycat"])
        assert "<dd>160</dd>" in page
        links = re.findall(r'href="([^"]+)"', page)
        assert len(links) == 4 * len(RUNS) + 5
        assert not [link for link in links if not (folder / link).exists()]

    def test_logs_and_benchmarks_of_every_job(self, results):
        for kind in ("logs", "benchmarks"):
            names = {path.relative_to(results / kind).parts[1].split(".")[0] for path in (results / kind).rglob("*.*")}
            assert {"simulate_cohort", "check_inputs", "split_samples", "filter_variants", "summarise"} <= names


class TestTargets:
    def test_a_second_run_has_nothing_to_do(self, tiny):
        assert tiny.planned() == {}

    @pytest.mark.parametrize("target", ["prepare", "fit", "sample", "evaluate", "report"])
    def test_each_stage_is_a_target(self, tiny, target):
        jobs = tiny.planned(target, "--forceall")
        stages = {
            "prepare": "encode",
            "fit": "fit_generator",
            "sample": "write_cohort",
            "evaluate": "summarise",
            "report": "plot_metrics",
        }
        order = list(stages)
        for stage, rule in stages.items():
            assert (rule in jobs) == (order.index(stage) <= order.index(target)), (target, rule)

    def test_memory_and_time_are_asked_for_by_the_size_of_the_cohort(self, tiny, tmp_path):
        path = "results/tiny/prepare/100/1/encoder.npz"
        before, after = Run(tmp_path)(path, "--dry-run"), tiny(path, "--dry-run", "--forcerun", "fit_encoder")
        asked = [re.search(r"rule fit_encoder:.*?mem_mb=([^,]+)", said, re.DOTALL)[1] for said in (before, after)]
        assert asked[0] == "<TBD>"
        assert 1000 <= int(asked[1]) < 1100


class TestModel:
    def test_is_a_plain_file_of_this_run(self, results):
        model = torch.load(results / "tiny/latent/100/1/fitted.model", weights_only=True)
        assert model["labels"] == ["ADX", "AFR", "EAS", "EUR"]
        assert not list(results.rglob("training.state"))

    def test_what_validation_samples_chose_is_written(self, results):
        chosen = {name: json.loads((results / f"tiny/{name}/100/1/chosen.json").read_text()) for name in FITTED}
        assert set(chosen["li_stephens"]) == {"rho", "mu"}
        assert set(chosen["markov"]) == {"weight"}
        assert chosen["independent"] == {}

    def test_history_has_a_row_per_epoch(self, results):
        history = pd.read_csv(results / "tiny/latent/100/1/history.tsv", sep="\t")
        assert history["epoch"].tolist() == [1, 2, 3]
        assert np.isfinite(history[["train_loss", "validation_loss"]]).all(axis=None)
