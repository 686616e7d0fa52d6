"""Distances of all pairs against scipy's, pair by pair."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial.distance import cdist, pdist

from syngeno.stats import pairwise


def dosages(n, seed, variants=30, most=2):
    rng = np.random.default_rng(seed)
    return rng.binomial(most, rng.random(variants), (n, variants)).astype(np.int8)


class TestMeanWithin:
    @settings(max_examples=20, deadline=None)
    @given(st.integers(2, 12), st.integers(0, 1000), st.integers(1, 2))
    def test_as_pair_by_pair(self, n, seed, most):
        rows = dosages(n, seed, most=most)
        assert pairwise.mean_within(rows) == pytest.approx(pdist(rows, "cityblock").mean())

    def test_nobody_to_pair(self):
        assert np.isnan(pairwise.mean_within(dosages(1, 1)))


class TestMeanBetween:
    @settings(max_examples=20, deadline=None)
    @given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 1000))
    def test_as_pair_by_pair(self, n, m, seed):
        ours, theirs = dosages(n, seed), dosages(m, seed + 1)
        assert pairwise.mean_between(ours, theirs) == pytest.approx(cdist(ours, theirs, "cityblock").mean())


class TestHistograms:
    @pytest.mark.parametrize("most", [1, 2])
    def test_as_pair_by_pair(self, monkeypatch, most):
        monkeypatch.setattr(pairwise, "_ENTRIES", 40)
        monkeypatch.setattr(pairwise, "_ROWS", 5)
        monkeypatch.setattr(pairwise, "_VARIANTS", 7)
        ours, theirs = dosages(23, 1, most=most), dosages(11, 2, most=most)
        within = np.bincount(pdist(ours, "cityblock").astype(int), minlength=61)
        between = np.bincount(cdist(ours, theirs, "cityblock").astype(int).ravel(), minlength=61)
        assert pairwise.within(ours).tolist() == within.tolist()
        assert pairwise.between(ours, theirs).tolist() == between.tolist()

    @pytest.mark.parametrize("rare", [0, 0.3, 1])
    @pytest.mark.parametrize("most", [1, 2])
    def test_rare_and_common_variants_by_other_products(self, monkeypatch, rare, most):
        monkeypatch.setattr(pairwise, "RARE", rare)
        monkeypatch.setattr(pairwise, "_FEW", 0)
        ours, theirs = dosages(23, 1, most=most), dosages(11, 2, most=most)
        assert pairwise.l1(ours, theirs).tolist() == cdist(ours, theirs, "cityblock").tolist()
        assert pairwise.squared(ours, theirs) == pytest.approx(cdist(ours, theirs, "sqeuclidean"), abs=1e-9)

    def test_equal_people_are_at_zero(self):
        assert pairwise.within(np.ones((4, 3), np.int8)).tolist() == [6, 0, 0, 0, 0, 0, 0]

    def test_farthest_people(self):
        none, two = np.zeros((1, 3), np.int8), np.full((2, 3), 2, np.int8)
        assert pairwise.between(none, two).tolist() == [0, 0, 0, 0, 0, 0, 2]

    def test_one_person_has_no_pair(self):
        assert pairwise.within(dosages(1, 1)).sum() == 0


class TestWasserstein:
    @settings(max_examples=20, deadline=None)
    @given(st.lists(st.integers(0, 20), min_size=1), st.lists(st.integers(0, 20), min_size=1))
    def test_as_scipy(self, x, y):
        found = pairwise.wasserstein(np.bincount(x, minlength=21), np.bincount(y, minlength=21))
        assert found == pytest.approx(stats.wasserstein_distance(x, y))

    def test_nothing_to_compare(self):
        assert np.isnan(pairwise.wasserstein(np.zeros(3, int), np.array([1, 0, 0])))
