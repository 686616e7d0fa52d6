"""Nearest neighbours against distances written out in full."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syngeno.stats import nearest, pairwise


def slow(a, b, metric, exclude_self=False):
    difference = np.abs(a[:, None].astype(float) - b[None].astype(float))
    distances = difference.sum(2) if metric == "l1" else np.sqrt((difference**2).sum(2))
    if exclude_self:
        np.fill_diagonal(distances, np.inf)
    return np.sort(distances, axis=1)[:, :2]


class TestNearest:
    def test_by_hand(self):
        a = np.array([[0, 0, 2]], dtype=np.int8)
        b = np.array([[0, 0, 0], [1, 0, 2], [2, 2, 0]], dtype=np.int8)
        assert nearest.nearest(a, b, "l1").tolist() == [[1, 2]]
        assert nearest.nearest(a.astype(float), b.astype(float), "euclidean").tolist() == [[1, 2]]

    def test_nobody_is_their_own_neighbour(self):
        a = np.array([[0, 0], [0, 0], [2, 2]], dtype=np.int8)
        assert nearest.nearest(a, a, "l1", exclude_self=True).tolist() == [[0, 4], [0, 4], [4, 4]]

    def test_too_few_are_infinitely_far(self):
        a = np.array([[0, 1]], dtype=np.int8)
        assert nearest.nearest(a, a, "l1").tolist() == [[0, np.inf]]
        assert nearest.nearest(a, a, "l1", exclude_self=True).tolist() == [[np.inf, np.inf]]

    @settings(max_examples=25, deadline=None)
    @given(st.integers(1, 12), st.integers(2, 12), st.integers(1, 30), st.integers(0, 99))
    def test_as_written_out(self, n, m, variants, seed):
        rng = np.random.default_rng(seed)
        a, b = rng.integers(0, 3, (n, variants), np.int8), rng.integers(0, 3, (m, variants), np.int8)
        assert np.array_equal(nearest.nearest(a, b, "l1"), slow(a, b, "l1"))
        assert np.array_equal(nearest.nearest(b, b, "l1", True), slow(b, b, "l1", True))
        x, y = rng.normal(size=a.shape), rng.normal(size=b.shape)
        assert np.allclose(nearest.nearest(x, y, "euclidean"), slow(x, y, "euclidean"))

    def test_small_blocks_and_many_variants(self, monkeypatch):
        monkeypatch.setattr(nearest, "_ENTRIES", 20)
        monkeypatch.setattr(nearest, "_VARIANTS", 7)
        monkeypatch.setattr(pairwise, "_VARIANTS", 7)
        rng = np.random.default_rng(1)
        a, b = rng.integers(0, 3, (23, 40), np.int8), rng.integers(0, 3, (9, 40), np.int8)
        assert np.array_equal(nearest.nearest(a, b, "l1"), slow(a, b, "l1"))
        assert np.array_equal(nearest.nearest(a, a, "l1", True), slow(a, a, "l1", True))
        forth, back = (distances for distances, _ in nearest.find_both_ways(a, b, "l1"))
        assert np.array_equal(forth, slow(a, b, "l1"))
        assert np.array_equal(back, slow(b, a, "l1"))

    def test_exact_copies_are_at_zero(self):
        x = np.random.default_rng(2).normal(size=(50, 300)).astype(np.float32)
        assert (nearest.nearest(x, x, "euclidean")[:, 0] == 0).all()

    def test_refuses(self):
        a, b = np.zeros((2, 3), np.int8), np.zeros((3, 4), np.int8)
        with pytest.raises(ValueError, match="no distance"):
            nearest.nearest(a, b, "l1")


class TestNearestBothWays:
    @pytest.mark.parametrize("metric", ["l1", "euclidean"])
    def test_is_nearest_twice(self, metric):
        rng = np.random.default_rng(3)
        a, b = rng.integers(0, 3, (11, 25), np.int8), rng.integers(0, 3, (17, 25), np.int8)
        forth, back = (distances for distances, _ in nearest.find_both_ways(a, b, metric))
        assert np.allclose(forth, slow(a, b, metric))
        assert np.allclose(back, slow(b, a, metric))


class TestFind:
    def test_by_hand(self):
        a = np.array([[0, 0, 2], [2, 2, 2]], dtype=np.int8)
        b = np.array([[0, 0, 0], [1, 0, 2], [2, 2, 0]], dtype=np.int8)
        for metric in ["l1", "euclidean"]:
            distances, who = nearest.find(a, b, metric)
            assert who.tolist() == [[1, 0], [2, 1]]
            assert np.array_equal(distances, nearest.nearest(a, b, metric))

    def test_nobody_there_is_no_row(self):
        a = np.array([[0, 1]], dtype=np.int8)
        assert nearest.find(a, a, "l1")[1].tolist() == [[0, -1]]
        assert nearest.find(a, a, "l1", exclude_self=True)[1].tolist() == [[-1, -1]]

    @pytest.mark.parametrize("metric", ["l1", "euclidean"])
    def test_rows_are_where_the_distances_are(self, metric, monkeypatch):
        monkeypatch.setattr(nearest, "_ENTRIES", 40)
        rng = np.random.default_rng(6)
        a, b = rng.integers(0, 3, (15, 30), np.int8), rng.integers(0, 3, (13, 30), np.int8)
        forth, back = nearest.find_both_ways(a, b, metric)
        for (distances, who), x, y in ((forth, a, b), (back, b, a), (nearest.find(a, b, metric), a, b)):
            difference = np.abs(x[:, None].astype(float) - y[who])
            there = difference.sum(2) if metric == "l1" else np.sqrt((difference**2).sum(2))
            assert np.allclose(there, distances)
            assert (who[:, 0] != who[:, 1]).all()

    def test_more_than_two_and_the_first_of_several_at_one_distance(self):
        b = np.array([[2], [0], [0], [1], [0]], dtype=np.int8)
        distances, who = nearest.find(np.zeros((1, 1), np.int8), b, "l1", count=4)
        assert distances.tolist() == [[0, 0, 0, 1]]
        assert who.tolist() == [[1, 2, 4, 3]]
        for count in (1, 2, 3):
            assert nearest.find(np.zeros((1, 1), np.int8), b, "l1", count=count)[1].tolist() == [[1, 2, 4][:count]]


class TestAmong:
    @settings(max_examples=40, deadline=None)
    @given(
        st.integers(2, 14),
        st.integers(2, 14),
        st.integers(2, 6),
        st.sampled_from(["l1", "euclidean"]),
        st.integers(0, 99),
    )
    def test_is_what_a_search_finds(self, n, m, count, metric, seed):
        rng = np.random.default_rng(seed)
        a, b = rng.integers(0, 3, (n, 12), np.int8), rng.integers(0, 3, (m, 12), np.int8)
        rows, kept = (np.sort(rng.choice(k, rng.integers(1, k + 1), replace=False)) for k in (n, m))
        found = nearest.among(nearest.find(a, b, metric, count=count), a, rows, b, kept, metric)
        assert np.array_equal(found, nearest.nearest(a[rows], b[kept], metric))

    @settings(max_examples=40, deadline=None)
    @given(st.integers(2, 14), st.integers(2, 6), st.integers(0, 99))
    def test_nobody_is_their_own_neighbour(self, n, count, seed):
        rng = np.random.default_rng(seed)
        a = rng.integers(0, 3, (n, 12), np.int8)
        kept = np.sort(rng.choice(n, rng.integers(1, n + 1), replace=False))
        all_found = nearest.find(a, a, "l1", exclude_self=True, count=count)
        found = nearest.among(all_found, a, kept, a, kept, "l1", exclude_self=True)
        assert np.array_equal(found, nearest.nearest(a[kept], a[kept], "l1", exclude_self=True))

    def test_only_rows_that_lack_neighbours_are_searched(self, monkeypatch):
        rng = np.random.default_rng(1)
        a, b = rng.integers(0, 3, (9, 12), np.int8), rng.integers(0, 3, (20, 12), np.int8)
        found = nearest.find(a, b, "l1", count=20)
        monkeypatch.setattr(nearest, "_find", None)
        nearest.among(found, a, np.arange(9), b, np.array([3, 11, 12]), "l1")


class TestFarther:
    def test_votes(self):
        x, y = np.array([1.0, 2.0, 3.0, np.inf, np.inf, 1]), np.array([2.0, 2.0, 2.0, np.inf, 1, np.inf])
        assert nearest.farther(x, y, "l1").tolist() == [0, 0.5, 1, 0.5, 1, 0]
        assert nearest.farther(x, y, "euclidean").tolist() == [0, 0.5, 1, 0.5, 1, 0]

    def test_rounding_is_a_tie_only_where_there_is_rounding(self):
        x, y = np.array([100.0]), np.array([100.0001])
        assert nearest.farther(x, y, "euclidean").tolist() == [0.5]
        assert nearest.farther(x, y, "l1").tolist() == [0]
