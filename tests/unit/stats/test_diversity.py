"""The site-frequency spectrum against counting, drawing and scipy's hypergeometric distribution."""

import numpy as np
import pytest
from scipy import stats

from syngeno.data.cohort import Cohort
from syngeno.stats import diversity


def cohort(dosages):
    people, variants = dosages.shape
    return Cohort(
        dosages.astype(np.int8),
        np.full(people, "A"),
        np.full(variants, "1"),
        1000 * np.arange(1, variants + 1),
        np.zeros(variants, np.int32),
    )


class TestPolymorphic:
    def test_by_hand(self):
        # 2 of 4 alleles, drawn 2: both kinds in 2/3 of the draws.
        assert diversity.polymorphic(cohort(np.array([[1], [1]])), 1) == pytest.approx(2 / 3)

    def test_everybody_is_counting(self):
        dosages = np.array([[0, 1, 2, 2, 1], [0, 0, 2, 1, 1], [0, 0, 2, 2, 0]])
        assert diversity.polymorphic(cohort(dosages), 3) == pytest.approx(3 / 5)

    def test_is_the_mean_of_draws(self):
        dosages = np.random.default_rng(1).binomial(2, 0.03, (60, 200))
        haplotypes = np.concatenate([dosages >= 1, dosages == 2])
        rng = np.random.default_rng(2)
        draws = [haplotypes[rng.choice(120, 20, replace=False)].sum(0) for _ in range(400)]
        expected = np.mean([((draw > 0) & (draw < 20)).mean() for draw in draws])
        assert diversity.polymorphic(cohort(dosages), 10) == pytest.approx(expected, abs=0.01)


class TestFolded:
    def test_everybody_is_counting(self):
        dosages = np.array([[0, 1, 2, 2, 1], [0, 0, 2, 1, 1], [0, 0, 2, 2, 1]])
        # Copies of the rarer allele among six: 0, 1, 0, 1, 3.
        assert diversity.folded(cohort(dosages), 3) == pytest.approx([2 / 5, 2 / 5, 0, 1 / 5])

    def test_by_hand(self):
        # 2 of 4 alleles, drawn 2: one of each in 2/3 of the draws.
        assert diversity.folded(cohort(np.array([[1], [1]])), 1) == pytest.approx([1 / 3, 2 / 3])

    def test_as_scipy(self):
        dosages = np.random.default_rng(1).binomial(2, np.random.default_rng(2).beta(0.3, 0.3, 200), (60, 200))
        count = dosages.sum(0)
        draws = stats.hypergeom(120, count[:, None], 30).pmf(np.arange(31)).mean(0)
        expected = [draws[k] + draws[30 - k] if k < 15 else draws[k] for k in range(16)]
        found = diversity.folded(cohort(dosages), 15)
        assert found == pytest.approx(expected, abs=1e-10)
        assert found.sum() == pytest.approx(1)
        assert diversity.polymorphic(cohort(dosages), 15) == pytest.approx(1 - found[0])

    def test_ref_and_alt_alike(self):
        dosages = np.random.default_rng(1).binomial(2, 0.1, (30, 50))
        swapped = diversity.folded(cohort(2 - dosages), 10)
        assert diversity.folded(cohort(dosages), 10) == pytest.approx(swapped)

    def test_nothing_varies(self):
        assert diversity.folded(cohort(np.zeros((4, 3))), 2) == pytest.approx([1, 0, 0])
