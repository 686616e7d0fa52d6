"""The paper's experiments on a simulated trait: every table is there, and an interrupted run gives the same."""

import os
import shutil
import signal
import time

import pandas as pd
import pytest
import yaml
from runs import TINY, Run

from syngeno.evaluate import metrics
from syngeno.prepare import simulate

pytestmark = pytest.mark.workflow
TABLE = "results/real/summary/paper.tsv"
CLASSIFIERS = {f"{space}: {kind}" for space in ("latents", "genotypes") for kind in ("mlp", "logistic_regression")}


def run_file(data):
    diffusion = TINY["generators"]["latent"]
    return {
        "data_dir": str(data),
        "cohorts": {
            "real": {
                "genotypes": ["1.vcf.gz", "2.vcf.gz"],
                "labels": "samples.tsv",
                "label": "trait",
                "trait": {"heritability": 0.8, "prevalence": 0.4, "causal": 10},
                "split": TINY["cohorts"]["tiny"]["split"],
            }
        },
        "generators": {
            "dense": {
                **diffusion,
                "denoiser": {"kind": "mlp", "mlp_widths": [64, 32]},
                "training": {"epochs": 3, "least_steps": 400, "patience": 0},
                "save_every": 0.05,
                "fractions": [50, 100],
            },
            "copycat": {"kind": "copycat"},
        },
        "sample": {"size": "train"},
        "evaluate": {
            "paper": {
                "augment": ["dense"],
                "neighbours": {"samples": 60, "repeats": 5},
                "classifiers": {"kinds": ["mlp", "logistic_regression"], "epochs": 2, "least_steps": 0},
            }
        },
    }  # fmt: skip


@pytest.fixture(scope="module")
def paper(tmp_path_factory):
    data = tmp_path_factory.mktemp("data")
    vcf, tables = [data / "1.vcf.gz", data / "2.vcf.gz"], [data / name for name in ("samples.tsv", "genes", "causal")]
    trait = {"heritability": 0.5, "prevalence": 0.3, "causal": 20}
    simulate.write_cohort(vcf, *tables, samples=160, length=1.5e5, seed=1, **trait)
    run = Run(tmp_path_factory.mktemp("paper"), run_file(data))
    run("paper")
    return run


def test_the_trait_is_the_label(paper):
    people = pd.read_csv(paper.folder / "results/real/prepare/samples.tsv", sep="\t")
    assert people["label"].value_counts().to_dict() == {"control": 96, "case": 64}
    assert len(pd.read_csv(paper.folder / "results/real/prepare/trait/causal.tsv", sep="\t")) == 10


def test_every_experiment_is_in_the_table(paper):
    numbers = metrics.read(paper.folder / TABLE)
    rates = numbers[numbers["metric"] == "recovery_rate"]
    assert set(rates["group"]) == CLASSIFIERS
    assert set(zip(rates["generator"], rates["fraction"], strict=True)) == {
        ("dense", 50), ("dense", 100), ("copycat", 100)
    }  # fmt: skip
    gains = numbers[numbers["metric"] == "gain"]
    assert set(gains["generator"]) == {"dense"}
    assert set(zip(gains["fraction"], gains["real_fraction"], strict=True)) == {(50, 50), (100, 50)}
    leads = numbers[numbers["metric"] == "lead"]
    assert set(zip(leads["generator"], leads["against"], strict=True)) == {("dense", "copycat"), ("copycat", "dense")}
    real = numbers[(numbers["generator"] == "real") & (numbers["metric"] == "accuracy")]
    assert set(real["fraction"]) == {50, 100}
    assert set(real["group"]) == {*CLASSIFIERS, "most frequent label"}
    assert {"aa_truth", "aa_syn", "reconstruction_error"} <= set(numbers["metric"])
    assert numbers["value"].notna().all()


def test_training_samples_are_as_good_as_they_are_and_count_as_neighbours(paper):
    numbers = metrics.read(paper.folder / TABLE)
    copies = numbers[numbers["generator"] == "copycat"]
    rates = copies[(copies["metric"] == "recovery_rate") & copies["group"].str.startswith("genotypes")]
    assert rates["value"].between(0.7, 1.3).all()
    beside = numbers[(numbers["metric"] == "aa_truth") & (numbers["against"] == "train")].set_index("generator")
    assert beside.loc["copycat", "value"] < beside.loc["copycat", "real_low"]


def test_a_generator_of_few_samples_draws_as_many(paper):
    counts = {
        fraction: len(pd.read_csv(paper.folder / f"results/real/dense/{fraction}/1/synthetic.labels.tsv", sep="\t"))
        for fraction in (50, 100)
    }
    assert counts == {50: 80, 100: 80}
    assert len(pd.read_csv(paper.folder / "results/real/prepare/50/1/training_samples.tsv", sep="\t")) == 40


def test_another_classifier_setting_samples_nothing_again(paper, tmp_path):
    config = yaml.safe_load((paper.folder / "run.yaml").read_text())
    config["evaluate"]["paper"]["classifiers"]["epochs"] = 3
    shutil.copytree(paper.folder, tmp_path / "run")
    jobs = Run(tmp_path / "run", config).planned("paper")
    assert {"train_classifiers", "write_paper"} <= set(jobs)
    assert not {"draw", "fit_generator", "measure_reconstruction", "encode"} & set(jobs)


def test_the_page_and_the_figures(paper):
    folder = paper.folder / "results/real/summary"
    page = (folder / "paper.html").read_text()
    assert "The paper (ALS)" in page and "dense" in page
    assert {path.name for path in folder.glob("paper_*.svg")} == {
        f"paper_{name}.svg" for name in ("recovery", "aats", "augmentation", "convergence", "umap")
    }


def test_the_report_has_the_chapter(paper):
    """The report asks for the chapter, and nothing that was made for it is made again."""
    made = {"fit_generator", "draw", "train_classifiers", "plot_umap"}
    jobs = paper.planned("report", "--forcerun", "write_paper")
    assert {"plot_metrics", "write_paper"} <= set(jobs)
    assert not made & set(jobs)
    assert not {*made, "write_paper"} & set(paper.planned("report"))


def test_a_run_killed_in_training_and_gone_on_gives_the_same_tables(paper, tmp_path):
    shutil.copytree(paper.folder, tmp_path / "run")
    run = Run(tmp_path / "run", yaml.safe_load((paper.folder / "run.yaml").read_text()))
    undisturbed = run.read("real/summary/paper.tsv")
    for folder in ("summary", "dense/100"):
        shutil.rmtree(run.folder / "results/real" / folder)

    process = run.start(TABLE)
    state = run.folder / "results/real/dense/100/1/training.state"
    until = time.monotonic() + 120
    while not state.exists() and time.monotonic() < until and process.poll() is None:
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    assert state.exists(), "the training was over before it could be killed"
    assert not (run.folder / TABLE).exists()

    run("--unlock")
    assert "resuming at step" in run(TABLE, "--rerun-incomplete")
    assert run.read("real/summary/paper.tsv") == undisturbed
