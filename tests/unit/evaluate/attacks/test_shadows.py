"""Scores of those inside and outside of a run, and the rows that LiRA makes of several runs."""

import linked
import numpy as np
import pandas as pd
import pytest

from syngeno.evaluate import membership
from syngeno.evaluate.attacks import shadows
from syngeno.evaluate.metrics import RANGES


@pytest.fixture(scope="module")
def runs():
    """Eight runs, each fitted on half of the same 120 samples: `painting` tells which, `distance` nothing."""
    rng, tables = np.random.default_rng(0), []
    level = rng.normal(0, 3, 120)
    for _ in range(8):
        inside = rng.permutation(120) < 60
        scores = {"distance": rng.normal(0, 1, 120), "painting": level + 2 * inside + rng.normal(0, 1, 120)}
        about = {"sample": [f"S{i:03}" for i in range(120)], "label": np.repeat(["A", "B"], 60)}
        tables.append(pd.DataFrame({**about, "inside": inside.astype(int), **scores}))
    return tables


def by(rows, metric):
    return {(one["group"], one["against"]): one for one in rows if one["metric"] == metric}


class TestScores:
    def test_of_all_samples_by_every_attack_on_the_synthetic_ones(self):
        whole, reference = linked.real(24, 1).at(np.arange(650, 750)), linked.real(8, 2).at(np.arange(650, 750))
        fitted, left_out = whole.take(np.arange(0, 24, 2)), whole.take(np.arange(1, 24, 2))
        found = shadows.scores(fitted, fitted, left_out, reference)
        assert set(found.columns) == {*shadows.ABOUT, *membership.ATTACK_NAMES} - {membership.DENOISING}
        assert found["sample"].tolist() == sorted(whole.sample.tolist())
        assert found.loc[found["inside"] == 1, "sample"].isin(fitted.sample).all()
        # The synthetic samples are those inside themselves.
        assert found.groupby("inside")["distance"].max().tolist() == [found["distance"][found["inside"] == 0].max(), 0]
        assert not found.isna().any(axis=None)


class TestMeasure:
    def test_shadows_add_to_the_attack_that_tells(self, runs):
        found = shadows.measure(runs, seed=1)
        assert found.strongest == "painting"
        ours, plain = (by(rows, "membership_auc") for rows in (found.rows, found.plain_rows))
        assert ours["painting", ""]["low"] > plain["painting", ""]["high"]
        assert ours["distance", ""]["low"] < 0.5 < ours["distance", ""]["high"]
        # The strongest of two attacks, in an interval that holds for both.
        assert ours["all", ""]["value"] == ours["painting", ""]["value"]
        assert ours["all", ""]["low"] < ours["painting", ""]["low"]
        assert ("all", "") not in plain
        assert {one["n"] for one in (*ours.values(), *plain.values())} == {8}

    def test_risk_of_individuals(self, runs):
        found = shadows.measure(runs, seed=1)
        risk = by(found.rows, "individual_risk")
        assert set(risk) == {("all", who) for who in ("median", "99 %", "largest")}
        # Normals with a standard deviation of 1, 2 apart: Phi(sqrt 2).
        assert risk["all", "median"]["value"] == pytest.approx(0.92, abs=0.05)
        assert risk["all", "largest"]["value"] == found.individuals["risk"].max() == found.individuals["risk"].iloc[0]
        assert list(found.individuals.columns) == ["sample", "label", "runs", "risk"]
        assert found.individuals["runs"].sum() == 8 * 60
        assert "individual_risk" in RANGES[0, 1]

    def test_the_model_is_attacked_beside_but_is_not_the_strongest(self, runs):
        of_model = [one.set_index("sample")["inside"] + 0.1 * one["distance"].to_numpy() for one in runs]
        found = shadows.measure(runs, [one.sample(frac=1, random_state=1) for one in of_model], seed=1)
        assert by(found.rows, "membership_auc")[membership.DENOISING, ""]["value"] > 0.99
        assert found.strongest == "painting"
        assert found.individuals["risk_model"].min() > 0.95
        assert (membership.DENOISING, "99 %") in by(found.rows, "individual_risk")

    def test_runs_of_other_samples(self, runs):
        with pytest.raises(ValueError, match="not of the same training samples"):
            shadows.measure([*runs[:-1], runs[-1].iloc[1:]], seed=1)

    def test_a_sample_without_a_score_of_the_model(self, runs):
        of_model = [one.set_index("sample")["distance"] for one in runs]
        with pytest.raises(ValueError, match="1 of 120 samples have no score"):
            shadows.measure(runs, [*of_model[:-1], of_model[-1].iloc[1:]], seed=1)

    def test_an_unknown_attack(self, runs):
        with pytest.raises(ValueError, match="attack 'guess' is not in the table"):
            shadows.measure([one.assign(guess=0.0) for one in runs], seed=1)
