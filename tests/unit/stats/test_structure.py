"""Principal axes by SVD, transport in closed form, Fst of cases worked by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syngeno.data.cohort import Cohort
from syngeno.stats import pca, structure
from syngeno.stats.pca import fit_axes


def cohort(dosages, label=None):
    people, variants = dosages.shape
    return Cohort(
        dosages.astype(np.int8),
        np.full(people, "A") if label is None else np.asarray(label),
        np.full(variants, "1"),
        1000 * np.arange(1, variants + 1),
        np.zeros(variants, np.int32),
    )


def people(n, seed, variants=400):
    """Four populations of other frequencies."""
    p = np.random.default_rng(7).beta(0.5, 0.5, (4, variants))
    population = np.arange(n) % 4
    return cohort(np.random.default_rng(seed).binomial(2, p[population]), np.array(list("ABCD"))[population])


class TestPrincipalAxes:
    def test_coordinates_as_by_svd(self):
        train, other = people(60, 1), people(10, 2)
        ours = structure.coordinates(train, other, components=3)
        mean = train.dosages.mean(0)
        axes = np.linalg.svd(train.dosages - mean, full_matrices=False)[2][:3]
        for cohort_, found in zip((train, other), ours, strict=True):
            expected = (cohort_.dosages - mean) @ axes.T
            assert np.allclose(np.abs(found), np.abs(expected), atol=1e-2)

    @pytest.mark.parametrize("shape", [(60, 400), (300, 40), (50, 50)])
    def test_axes_as_by_svd_whichever_side_is_longer(self, shape, monkeypatch):
        monkeypatch.setattr(pca, "_WIDENED", 1000)  # many parts
        dosages = people(shape[0], 1, shape[1]).dosages
        found = fit_axes(dosages, 3)
        values, expected = np.linalg.svd(dosages - dosages.mean(0), full_matrices=False)[1:]
        assert values[2] > 1.02 * values[3]
        assert np.allclose(np.abs(np.sum(found.loadings * expected[:3].T, 0)), 1, atol=1e-4)
        assert (found.loadings[np.abs(found.loadings).argmax(0), range(3)] > 0).all()

    @pytest.mark.parametrize("variants", [5, 400])
    def test_all_people_are_alike(self, variants):
        found = fit_axes(np.ones((20, variants), np.int8), 3)
        assert found.loadings.shape == (variants, 3)
        assert not found.loadings.any()

    @pytest.mark.parametrize("variants", [8, 400])
    def test_nothing_lies_along_an_axis_without_variation(self, variants):
        dosages = np.repeat(people(2, 1, variants).dosages, 5, 0)
        found = fit_axes(dosages, 3)
        assert np.allclose(np.linalg.norm(found.loadings, axis=0), [1, 0, 0], atol=1e-4)
        assert np.allclose(found.coordinates(dosages)[:, 1:], 0)

    def test_never_more_than_people_less_one(self):
        assert structure.principal_axes(people(4, 1), 50).loadings.shape == (400, 3)
        with pytest.raises(ValueError, match="two samples"):
            structure.principal_axes(people(1, 1), 2)


class TestWasserstein:
    def test_shift_is_the_distance(self):
        cloud = np.random.default_rng(1).normal(size=(50, 3))
        assert structure.wasserstein(cloud + np.array([0, 1, -2]), cloud) == pytest.approx([0, 1, 2], abs=1e-12)

    def test_other_sizes(self):
        assert structure.wasserstein(np.array([[0.0], [1.0]]), np.array([[0.5]])) == pytest.approx([0.5])


class TestSinkhorn:
    def test_two_points_apart(self):
        # Everything must go over the largest cost, which is 1 by definition.
        assert structure.sinkhorn(np.zeros((3, 2)), np.ones((5, 2))) == pytest.approx(1)

    def test_all_points_are_one(self):
        assert structure.sinkhorn(np.ones((3, 2)), np.ones((4, 2))) == 0

    def test_matching_is_found(self):
        """Corners of a square onto corners moved by a tenth: the regularisation is too weak to blur them."""
        corners = np.array([[0.0, 0], [0, 1], [1, 0], [1, 1]])
        assert structure.sinkhorn(corners, corners) == pytest.approx(0, abs=1e-6)
        largest = 1.1**2 + 1
        assert structure.sinkhorn(corners + np.array([0.1, 0]), corners) == pytest.approx(0.01 / largest, rel=1e-4)

    def test_blur_of_a_cloud_with_itself(self):
        cloud = np.random.default_rng(1).normal(size=(300, 2))
        assert 0.0005 < structure.sinkhorn(cloud, cloud) < 0.002


class TestFst:
    def test_fixed_differences_are_one(self):
        assert structure.fst(np.zeros((3, 5), np.int8), np.full((4, 5), 2, np.int8)) == 1

    def test_by_hand(self):
        # 1 of 4 against 3 of 4 alleles: within 1/2 each, between 1/4 * 1/4 + 3/4 * 3/4 = 5/8; Fst 1/5.
        one, other = np.array([[1], [0]], np.int8), np.array([[1], [2]], np.int8)
        assert structure.fst(one, other) == pytest.approx(0.2)

    def test_ratio_of_sums_not_mean_of_ratios(self):
        one, other = np.array([[1, 0], [0, 0]], np.int8), np.array([[1, 2], [2, 2]], np.int8)
        assert structure.fst(one, other) == pytest.approx((1 / 8 + 1) / (5 / 8 + 1))

    def test_two_samples_of_one_population_have_none_on_average(self):
        rng = np.random.default_rng(1)
        p = rng.uniform(0.05, 0.95, 3000)
        assert structure.fst(rng.binomial(2, p, (8, 3000)), rng.binomial(2, p, (50, 3000))) == pytest.approx(
            0, abs=0.01
        )

    def test_nothing_varies(self):
        assert np.isnan(structure.fst(np.zeros((3, 5), np.int8), np.zeros((2, 5), np.int8)))

    @settings(max_examples=20, deadline=None)
    @given(st.integers(0, 1000))
    def test_symmetric_and_blind_to_order(self, seed):
        rng = np.random.default_rng(seed)
        one, other = (rng.binomial(2, rng.random(20), (n, 20)) for n in (4, 7))
        value = structure.fst(one, other)
        assert value == pytest.approx(structure.fst(other, one))
        assert value == structure.fst(one[rng.permutation(4)], other)


class TestFstBetweenLabels:
    def test_each_pair_once(self):
        one = people(60, 1)
        found = structure.fst_between_labels(one, ["A", "B", "D"])
        assert list(found) == [("A", "B"), ("A", "D"), ("B", "D")]
        assert found["A", "D"] == structure.fst(one.of("A").dosages, one.of("D").dosages) > 0.1

    def test_one_label(self):
        assert structure.fst_between_labels(people(60, 1), ["A"]) == {}
