import numpy as np
import pytest

from syngeno import paired

ALL, NONE, HALF = np.ones(100, bool), np.zeros(100, bool), np.arange(100) < 50


class TestRatio:
    def test_same_people_right_is_one_in_every_draw(self):
        assert paired.ratio(HALF, HALF, 1) == (1, 1)

    def test_holds_the_ratio_and_is_as_wide_as_the_binomial(self):
        low, high = paired.ratio(HALF, ALL, 1)
        assert low == pytest.approx(0.5 - 1.96 * 0.05, abs=0.015)
        assert high == pytest.approx(0.5 + 1.96 * 0.05, abs=0.015)

    def test_draws_where_nobody_is_right_are_left_out(self):
        one = np.arange(100) == 0
        assert paired.ratio(one, one, 1) == (1, 1)


class TestDifference:
    def test_same_people_right_is_nothing_in_every_draw(self):
        assert paired.difference(HALF, HALF, 1) == (0, 0)

    def test_sign(self):
        assert paired.difference(ALL, NONE, 1) == (1, 1)
        low, high = paired.difference(NONE, HALF, 1)
        assert -0.62 < low < -0.5 < high < -0.38

    def test_pairs_are_narrower_than_strangers(self):
        """Right on the same people, less two: the difference hardly varies."""
        low, high = paired.difference(HALF, np.arange(100) < 48, 1)
        assert high - low < 0.08
