import numpy as np
import pytest

from syngeno.stats import intervals


class TestPlacements:
    def test_by_hand(self):
        found = intervals.placements(np.array([0, 2, 2.5, 9]), np.array([3, 1, 2]))
        assert found == pytest.approx([0, 1.5 / 3, 2 / 3, 1])

    def test_what_one_kind_exceeds_the_other_does_not(self):
        rng = np.random.default_rng(1)
        one, other = rng.integers(0, 5, 40), rng.integers(1, 6, 30)
        assert intervals.placements(one, other).mean() == pytest.approx(1 - intervals.placements(other, one).mean())
