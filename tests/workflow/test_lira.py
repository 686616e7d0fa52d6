"""Shadow models: which jobs they take, and what the rules write, by the runs of one seed and invented others."""

import shutil

import numpy as np
import pandas as pd
import pytest
import yaml
from runs import TINY, Run

pytestmark = pytest.mark.workflow

SEEDS = list(range(1, 9))


@pytest.fixture(scope="module")
def run(tiny, tmp_path_factory):
    """The prepared cohort, with eight seeds at half of the training samples."""
    folder = tmp_path_factory.mktemp("lira") / "run"
    shutil.copytree(tiny.folder / "results/tiny/prepare", folder / "results/tiny/prepare")
    config = yaml.safe_load(yaml.safe_dump(TINY))
    config["generators"] = {name: config["generators"][name] for name in ("haplotypes", "copycat")}
    config |= {"fractions": [50, 100], "seeds": SEEDS}
    config["evaluate"] |= {"lira": {"fraction": 50}, "ablation": None}
    return Run(folder, config)


@pytest.fixture(scope="module")
def scored(run):
    """Samples scored by one seed's run; each other seed has the same scores, of other samples."""
    paths = "results/tiny/copycat/50/1/audit/shadow.tsv", "results/tiny/haplotypes/50/1/audit/scores.tsv"
    run(*paths)
    shadow, of_model = (pd.read_csv(run.folder / path, sep="\t", dtype={"sample": str}) for path in paths)
    for seed in SEEDS:
        folder = run.folder / f"results/tiny/haplotypes/50/{seed}/audit"
        folder.mkdir(parents=True, exist_ok=True)
        order = np.random.default_rng(seed).permutation(len(shadow))
        other = shadow.assign(sample=shadow["sample"].to_numpy()[order]).sort_values("sample")
        names = dict(zip(shadow["sample"], shadow["sample"].to_numpy()[order], strict=True))
        other.to_csv(folder / "shadow.tsv", sep="\t", index=False)
        of_model.replace({"sample": names}).to_csv(folder / "scores.tsv", sep="\t", index=False)
    run("results/tiny/haplotypes/50/lira.tsv", "--allowed-rules", "measure_lira")
    return run.folder / "results/tiny", shadow, of_model


def test_every_run_at_the_fraction_scores_and_one_job_compares(run):
    jobs = run.planned("results/tiny/summary/metrics.tsv")
    assert (jobs["score_training_samples"], jobs["measure_lira"]) == (2 * 8, 2)


def test_all_training_samples_are_scored_those_left_out_too(scored):
    folder, shadow, of_model = scored
    table = pd.read_csv(folder / "prepare/samples.tsv", sep="\t", dtype=str).set_index("sample")
    inside = set(pd.read_csv(folder / "prepare/50/1/training_samples.tsv", sep="\t", dtype=str)["sample"])
    train = set(table.index[table["split"] == "train"])
    assert inside < train == set(shadow["sample"])
    assert set(shadow["sample"][shadow["inside"] == 1]) == inside
    # The copycat's cohort are the samples inside.
    assert (shadow["distance"][shadow["inside"] == 1] == 0).all()
    parts = of_model.groupby("part")["sample"].agg(set)
    assert parts["train"] == inside
    assert parts["left out"] == train - inside
    assert parts["test"] == set(table.index[table["split"] == "test"])


def test_rates_and_who_is_at_which_risk(scored):
    folder, shadow, _ = scored
    numbers = pd.read_csv(folder / "haplotypes/50/lira.tsv", sep="\t", dtype={"seed": str})
    assert set(numbers["seed"]) == {"all"} and set(numbers["fraction"]) == {50}
    assert set(numbers["variant"]) == {"LiRA", "without shadows"}
    area = numbers[(numbers["metric"] == "membership_auc") & (numbers["group"] == "distance")]
    assert area["value"].min() > 0.999
    assert (numbers["group"] == "denoising_loss").any()
    path = folder / "haplotypes/50/audit/individuals.tsv"
    assert path.stat().st_mode & 0o077 == 0
    individuals = pd.read_csv(path, sep="\t", dtype={"sample": str})
    assert set(individuals["sample"]) == set(shadow["sample"])
    assert individuals["risk"].between(0, 1).all() and "risk_model" in individuals
