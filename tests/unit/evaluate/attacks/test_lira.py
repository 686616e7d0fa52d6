"""LiRA on scores whose model is known: areas and risks against theory, and nothing where there is nothing."""

import numpy as np
import pytest
from scipy.special import ndtr

from syngeno.evaluate import membership
from syngeno.evaluate.attacks import lira

RUNS, PEOPLE = 16, 1200


def made(shift=0.0, spread=0.0, seed=0, runs=RUNS, people=PEOPLE):
    """Scores with noise of 1 about an individual's level (3) and a run's (1), moved inside by its shift; who is inside.

    Each run is fitted on a random half.
    """
    rng = np.random.default_rng(seed)
    inside = np.array([rng.permutation(people) < people // 2 for _ in range(runs)])
    shifts = rng.normal(shift, spread, people)
    level = rng.normal(0, 3, people) + rng.normal(0, 1, (runs, 1))
    return level + inside * shifts + rng.normal(0, 1, inside.shape), inside, shifts


def area(scores, inside):
    return membership.auc(scores[inside], scores[~inside])[0]


class TestLogRatios:
    @pytest.mark.parametrize("shift", [0.5, 1.0])
    def test_the_area_is_that_of_theory(self, shift):
        """All individuals are shifted alike: the area of two normals, less what is lost on levels that are estimated
        from 15 runs; one threshold for all reaches little, for levels differ far more."""
        scores, inside, _ = made(shift)
        ideal = ndtr(shift / np.sqrt(2) / np.sqrt(1 + 1 / (RUNS - 1)))
        assert area(lira.log_ratios(scores, inside), inside) == pytest.approx(ideal, abs=0.012)
        assert area(scores, inside) < 0.5 + (ideal - 0.5) / 2

    def test_shifts_that_differ_are_learnt(self):
        scores, inside, shifts = made(0, 1)
        ideal = ndtr(np.abs(shifts) / np.sqrt(2)).mean()
        found = area(lira.log_ratios(scores, inside), inside)
        assert area(scores, inside) == pytest.approx(0.5, abs=0.02)
        assert 0.6 < found < ideal

    @pytest.mark.parametrize("own", [0.0, 3.0])
    def test_copies_of_all_who_are_inside(self, own):
        """At a distance of 0, but for the rounding of the runs' means; outside distances may be an individual's own."""
        rng = np.random.default_rng(0)
        inside = np.array([rng.permutation(100) < 50 for _ in range(8)])
        scores = np.where(inside, 0, -np.abs(10 + own * rng.normal(size=100) + rng.normal(size=inside.shape)))
        assert area(lira.log_ratios(scores, inside), inside) > 0.999

    def test_more_shadows_find_more(self):
        few, many = (area(lira.log_ratios(*data), data[1]) for data in (made(0.5, 0.7, runs=n)[:2] for n in (6, 24)))
        assert few + 0.02 < many

    def test_nothing_is_found_where_there_is_nothing(self):
        scores, inside, _ = made()
        assert lira.rates(lira.log_ratios(scores, inside), inside, 1).auc[1] <= 0.5 + 1e-3

    def test_labels_in_and_out_that_are_permuted_give_nothing(self):
        scores, inside, _ = made(1, 0.5)
        rng = np.random.default_rng(5)
        other = np.array([rng.permutation(one) for one in inside])
        value, low, high = lira.rates(lira.log_ratios(scores, other), other, 1).auc
        assert low <= 0.5 <= high
        assert 0.48 < value < 0.52

    def test_the_target_is_no_shadow_of_its_own(self):
        """Its membership does not come into its own ratios."""
        scores, inside, _ = made(1, 0.5, people=60, runs=8)
        changed = inside.copy()
        changed[3] = ~changed[3]
        assert lira.log_ratios(scores, changed)[3] == pytest.approx(lira.log_ratios(scores, inside)[3])

    def test_a_run_that_scores_all_higher_changes_nothing(self):
        scores, inside, _ = made(1, 0.5, people=60, runs=8)
        moved = scores + np.arange(8)[:, None]
        assert lira.log_ratios(moved, inside) == pytest.approx(lira.log_ratios(scores, inside))

    def test_who_was_always_or_never_inside_is_judged_by_the_others(self):
        scores, inside, _ = made(1, 0.5, people=200, runs=8)
        inside[:, 0], inside[:, 1] = True, False
        found = lira.log_ratios(scores, inside)
        assert np.isfinite(found).all()
        assert np.isfinite(lira.Risks(scores, inside).of_individuals).all()

    @pytest.mark.parametrize(
        ("scores", "inside", "told"),
        [
            (np.zeros((8, 5)), np.zeros((8, 4), bool), "not both"),
            (np.zeros((3, 5)), np.zeros((3, 5), bool), "3 runs are too few"),
            (np.zeros((8, 5)), np.ones((8, 5), bool), "too few individuals"),
        ],
    )
    def test_what_cannot_be(self, scores, inside, told):
        with pytest.raises(ValueError, match=told):
            lira.log_ratios(scores, inside)


class TestRisks:
    def test_of_individuals_who_differ(self):
        """The mean is that of true risks; those at the highest are told, but not how far they go beyond the others."""
        for runs in (8, 16):
            scores, inside, shifts = made(0.6, 0.6, runs=runs)
            true, risk = ndtr(shifts / np.sqrt(2)), lira.Risks(scores, inside).of_individuals
            assert risk.mean() == pytest.approx(true.mean(), abs=0.015)
            assert 0.75 < np.quantile(risk, 0.99) < np.quantile(true, 0.99)
            assert true[np.argsort(-risk)[:120]].mean() == pytest.approx(np.sort(risk)[-120:].mean(), abs=0.03)

    def test_few_runs_make_no_risk_out_of_chance(self):
        """The areas of single individuals reach 1; here all have the same risk, or none."""
        for shift in (0, 0.6):
            scores, inside, _ = made(shift, runs=8)
            single = [area(scores[:, one], inside[:, one]) for one in range(PEOPLE) if 0 < inside[:, one].sum() < 8]
            assert np.quantile(single, 0.99) == 1
            risk = lira.Risks(scores, inside).of_individuals
            assert np.quantile(risk, 0.99) == pytest.approx(ndtr(shift / np.sqrt(2)), abs=0.06)

    def test_permuted_labels_give_no_risk(self):
        scores, inside, _ = made(1, 0.5)
        rng = np.random.default_rng(5)
        other = np.array([rng.permutation(one) for one in inside])
        assert np.quantile(lira.Risks(scores, other).of_individuals, 0.99) < 0.55

    def test_a_few_who_are_at_risk_have_the_highest(self):
        scores, inside, _ = made(0.2)
        at_risk = np.arange(PEOPLE) < 12
        risk = lira.Risks(scores + 5 * (inside & at_risk), inside).of_individuals
        assert np.median(risk[at_risk]) > 0.9
        assert risk[at_risk].min() > np.quantile(risk[~at_risk], 0.99)
        assert np.median(risk) == pytest.approx(ndtr(0.2 / np.sqrt(2)), abs=0.02)

    def test_quantiles_with_intervals(self):
        scores, inside, _ = made(0.6, 0.6, people=300, runs=8)
        risks = lira.Risks(scores, inside)
        found = risks.quantiles([0.5, 0.99, 1.0], seed=1)
        for share, (value, low, high) in zip([0.5, 0.99, 1.0], found, strict=True):
            assert value == np.quantile(risks.of_individuals, share)
            assert 0.4 < low <= value <= high <= 1
            assert high - low > 0.02

    def test_copies_are_certain(self):
        scores, inside, _ = made(50, people=60, runs=8)
        assert lira.Risks(scores, inside).of_individuals.min() == 1


class TestRates:
    def test_as_of_one_run(self):
        scores, inside, _ = made(1, people=300, runs=3)
        found = lira.rates(scores.round(), inside, 1)
        pair = scores.round()[inside], scores.round()[~inside]
        assert found.auc[0] == pytest.approx(membership.auc(*pair)[0])
        assert found.tpr[0] == membership.true_positives(*pair).mean()
        assert found.tpr_rare[0] == membership.true_positives(*pair, 0.001).mean()
        for value, low, high in found:
            assert 0 <= low <= value <= high <= 1

    def test_individuals_that_differ_make_the_interval_wide(self):
        """Runs score the same individuals: 16 of them say less than 16 times as many individuals."""
        scores, inside, _ = made(0, 2)
        _, low, high = lira.rates(scores, inside, 1).auc
        one = membership.auc(scores[inside], scores[~inside])
        assert high - low > 1.5 * (one[2] - one[1])

    def test_of_several_attacks_the_intervals_hold_together(self):
        scores, inside, _ = made(0.5, people=200, runs=8)
        value, low, high = lira.rates(scores, inside, 1).auc
        same, lower, higher = lira.rates(scores, inside, 1, tried=9).auc
        assert same == value
        assert value - lower == pytest.approx((value - low) * 2.7729 / 1.9600, rel=1e-4)
        assert higher - value == pytest.approx((high - value) * 2.7729 / 1.9600, rel=1e-4)
