"""Intervals by hand, against statsmodels, and of answers that are sure."""

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from syngeno.stats import intervals

ALL, NONE, HALF = np.ones(100, bool), np.zeros(100, bool), np.arange(100) < 50


class TestWilson:
    @pytest.mark.parametrize(("right", "n"), [(0, 1), (0, 20), (3, 20), (10, 20), (20, 20), (499, 500), (7, 5000)])
    def test_as_statsmodels(self, right, n):
        assert intervals.wilson(right / n, n) == pytest.approx(proportion_confint(right, n, method="wilson"), abs=1e-11)

    def test_certainty_has_its_bound(self):
        assert intervals.wilson(0, 50)[0] == 0
        assert intervals.wilson(1, 50)[1] == 1


class TestMean:
    def test_by_hand(self):
        # A variance of 8 / 3 over four values.
        assert intervals.mean(np.array([1.0, 5, 3, 3])) == pytest.approx(
            (3, 3 - 1.959964 * (8 / 3) ** 0.5 / 2, 3 + 1.959964 * (8 / 3) ** 0.5 / 2)
        )

    def test_one_value_has_no_interval(self):
        value, low, high = intervals.mean(np.array([4.0]))
        assert value == 4
        assert np.isnan([low, high]).all()


class TestOverSeeds:
    def test_by_hand(self):
        low, high = intervals.over_seeds(np.array([0.4, 0.6]), np.array([0.3, 0.5]), np.array([0.6, 0.8]))
        between = 0.02 / 2
        for end, arm, side in ((low, 0.1, -1), (high, 0.2, 1)):
            total = (arm / 1.959964) ** 2 + between
            freedom = (total / between) ** 2
            assert end == pytest.approx(0.5 + side * stats.t.ppf(0.975, freedom) * total**0.5)

    def test_two_seeds_that_agree_have_the_interval_over_samples(self):
        """Not the points .4993 (.499 to .499) that a t interval over seeds gives."""
        ends = intervals.over_seeds(np.array([0.4993, 0.4993]), np.array([0.429, 0.429]), np.array([0.569, 0.569]))
        assert ends == pytest.approx((0.429, 0.569))

    def test_never_narrower_than_over_samples_on_either_side(self):
        """A rate of 0 in every seed, whose Wilson intervals go up to .05, can still be .05."""
        low, high = intervals.over_seeds(np.zeros(3), np.zeros(3), np.full(3, 0.05))
        assert (low, high) == pytest.approx((0, 0.05))

    def test_over_seeds_alone_where_no_seed_has_an_interval(self):
        absent = np.full(3, np.nan)
        low, high = intervals.over_seeds(np.array([0.4, 0.5, 0.6]), absent, absent)
        assert (low, high) == pytest.approx((0.5 - 4.302653 * 0.1 / 3**0.5, 0.5 + 4.302653 * 0.1 / 3**0.5))

    @pytest.mark.parametrize(
        ("seeds", "spread", "promised"), [(2, 0.5, 0.95), (2, 9, 0.88), (3, 9, 0.93), (5, 1, 0.95)]
    )
    def test_how_often_it_holds_the_truth(self, seeds, spread, promised):
        """Samples move all seeds together (sd 1), each seed moves by itself."""
        rng, held = np.random.default_rng(seeds), []
        for _ in range(1000):
            value = rng.normal() + rng.normal(0, spread, seeds)
            low, high = intervals.over_seeds(value, value - intervals.Z, value + intervals.Z)
            held.append(low <= 0 <= high)
        assert np.mean(held) == pytest.approx(promised, abs=0.025)


class TestPlacements:
    def test_by_hand(self):
        found = intervals.placements(np.array([0, 2, 2.5, 9]), np.array([3, 1, 2]))
        assert found == pytest.approx([0, 1.5 / 3, 2 / 3, 1])

    def test_what_one_kind_exceeds_the_other_does_not(self):
        rng = np.random.default_rng(1)
        one, other = rng.integers(0, 5, 40), rng.integers(1, 6, 30)
        assert intervals.placements(one, other).mean() == pytest.approx(1 - intervals.placements(other, one).mean())


class TestRatio:
    def test_same_people_right_is_one_in_every_draw(self):
        assert intervals.ratio(HALF, HALF, 1) == (1, 1)

    def test_holds_the_ratio_and_is_as_wide_as_the_binomial(self):
        low, high = intervals.ratio(HALF, ALL, 1)
        assert low == pytest.approx(0.5 - 1.96 * 0.05, abs=0.015)
        assert high == pytest.approx(0.5 + 1.96 * 0.05, abs=0.015)

    def test_draws_where_nobody_is_right_are_left_out(self):
        one = np.arange(100) == 0
        assert intervals.ratio(one, one, 1) == (1, 1)


class TestDifference:
    def test_same_people_right_is_nothing_in_every_draw(self):
        assert intervals.difference(HALF, HALF, 1) == (0, 0)

    def test_sign(self):
        assert intervals.difference(ALL, NONE, 1) == (1, 1)
        low, high = intervals.difference(NONE, HALF, 1)
        assert -0.62 < low < -0.5 < high < -0.38

    def test_pairs_are_narrower_than_strangers(self):
        """Right on the same people, less two: the difference hardly varies."""
        low, high = intervals.difference(HALF, np.arange(100) < 48, 1)
        assert high - low < 0.08


class TestShare:
    def test_half_of_what_is_there(self):
        """Of 100 people 20 are right to begin with, then 60 or 40, the same ones among them."""
        right = {n: np.arange(100) < n for n in (20, 40, 60)}
        low, high = intervals.share(right[40], right[60], right[20], 1)
        assert 0.3 < low < 0.5 < high < 0.7

    def test_all_and_nothing_are_sure(self):
        assert intervals.share(ALL, ALL, NONE, 1) == (1, 1)
        assert intervals.share(NONE, ALL, NONE, 1) == (0, 0)

    def test_a_loss_is_less_than_nothing(self):
        assert intervals.share(NONE, ALL, HALF, 1)[1] < -0.5

    def test_there_is_no_share_of_nothing(self):
        assert np.isnan(intervals.share(ALL, HALF, HALF, 1)).all()
