"""Haplotype statistics by hand, by numpy and by scikit-allel."""

import allel
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syngeno.stats import diversity


def haps(n, seed, variants=60):
    rng = np.random.default_rng(seed)
    founders = rng.integers(0, 2, (5, variants))
    return founders[rng.integers(0, 5, n)].astype(np.int8)


def diversity_of(haplotypes, starts, size):
    return diversity.diversity(diversity.in_windows(haplotypes, starts, size))


class TestWindows:
    def test_side_by_side_on_each_contig(self):
        contig = np.repeat(["1", "2", "3"], [7, 2, 3])
        assert diversity.windows(contig, 3).tolist() == [0, 3, 9]

    def test_none_fits(self):
        assert diversity.windows(np.repeat("1", 5), 6).tolist() == []
        assert diversity.windows(np.array([], str), 6).tolist() == []


class TestDiversity:
    def test_by_hand(self):
        one = np.array([[0, 0, 0, 1], [0, 0, 1, 1], [0, 1, 1, 1], [0, 1, 0, 1]], np.int8)
        # All four differ in 1 and 2; in 3 and 4 there are two of each: 1 - 1/2, times 4/3.
        assert diversity_of(one, np.array([1, 2]), 2) == pytest.approx([1, 2 / 3])
        assert diversity_of(one[:, [0, 3]], np.array([0]), 2) == [0]

    @pytest.mark.parametrize("size", [1, 20])
    def test_as_scikit_allel(self, size):
        one = haps(40, 1)
        found = diversity_of(one, diversity.windows(np.repeat("1", 60), size), size)
        assert found == pytest.approx(allel.moving_haplotype_diversity(one.T, size))

    def test_longest_window(self):
        one = np.zeros((2, 62), np.int8)
        one[1, 61] = 1
        assert diversity_of(one, np.array([0]), 62) == [1]

    def test_refuses(self):
        with pytest.raises(ValueError, match="two haplotypes"):
            diversity_of(np.zeros((1, 3), np.int8), np.array([0]), 2)


class TestTriplets:
    def test_within_a_contig_and_varying(self):
        contig = np.repeat(["1", "2"], [6, 5])
        varies = np.arange(11) != 1
        assert diversity.triplets(contig, varies, 2).tolist() == [[0, 2, 4], [6, 8, 10]]

    def test_spread_evenly_where_there_are_many(self):
        chosen = diversity.triplets(np.repeat("1", 1003), np.ones(1003, bool), 1, most=11)
        assert chosen[:, 0].tolist() == list(range(0, 1001, 100))

    def test_none(self):
        assert diversity.triplets(np.repeat("1", 4), np.ones(4, bool), 2).shape == (0, 3)


class TestThreePoint:
    def test_by_hand(self):
        # Pairwise independent bits whose third is the exclusive or of the first two: E xyz = 0, and so
        # E (x - 1/2)(y - 1/2)(z - 1/2) = -1/8.
        one = np.array([[0, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 0]], np.int8)
        assert diversity.three_point(one, np.array([[0, 1, 2]])) == pytest.approx([-1 / 8])

    def test_independent_alleles_have_none(self):
        every = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)], np.int8)
        assert diversity.three_point(every, np.array([[0, 1, 2]])) == pytest.approx([0])

    @settings(max_examples=20, deadline=None)
    @given(st.integers(0, 1000))
    def test_is_the_central_moment_in_any_order(self, seed):
        rng = np.random.default_rng(seed)
        one = rng.binomial(1, rng.random(12), (30, 12)).astype(np.int8)
        chosen = np.array([[0, 1, 2], [3, 7, 11], [5, 5, 6]])
        centred = one - one.mean(0)
        found = diversity.three_point(one, chosen)
        assert found == pytest.approx(centred[:, chosen].prod(2).mean(0), abs=1e-12)
        assert found.tolist() == diversity.three_point(one[rng.permutation(30)], chosen).tolist()
