"""Fidelity numbers that can be checked by hand, and the directions in which bad cohorts must move them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syngeno import fidelity
from syngeno.cohort import Cohort, same_variants


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
    """Two populations with LD: founders' haplotypes, copied in stretches."""
    rng = np.random.default_rng(seed)
    founders = np.random.default_rng(7).random((2, 8, variants)) < np.random.default_rng(8).beta(0.5, 0.5, variants)
    label = np.where(np.arange(n) < n // 2, "A", "B")
    which = np.repeat(rng.integers(0, 8, (n, 2, variants // 20)), 20, axis=2)
    population = (label == "B").astype(int)[:, None, None]
    return cohort(founders[population, which, np.arange(variants)].sum(1), label)


def values(rows, metric, against=""):
    return {row["group"]: row["value"] for row in rows if row["metric"] == metric and row["against"] == against}


class TestCohort:
    def test_take_and_of(self):
        one = cohort(np.array([[0, 1], [2, 2], [1, 0]]), ["A", "B", "A"])
        assert one.of("A").dosages.tolist() == [[0, 1], [1, 0]]
        assert one.labels == ["A", "B"]
        assert one.frequency.tolist() == [0.5, 0.5]

    @settings(max_examples=20, deadline=None)
    @given(st.integers(0, 1000))
    def test_canonical_order_forgets_the_order(self, seed):
        rng = np.random.default_rng(seed)
        one = cohort(rng.integers(0, 2, (9, 3)), rng.choice(["A", "B"], 9))
        other = one.take(rng.permutation(9)).in_canonical_order()
        one = one.in_canonical_order()
        assert np.array_equal(one.dosages, other.dosages)
        assert np.array_equal(one.label, other.label)

    def test_refuses(self):
        with pytest.raises(ValueError, match="as many labels"):
            cohort(np.zeros((2, 2)), ["A"])
        with pytest.raises(ValueError, match="0, 1 or 2"):
            cohort(np.array([[-1, 0]]))
        with pytest.raises(ValueError, match="same variants"):
            same_variants(cohort(np.zeros((2, 2))), cohort(np.zeros((2, 3))))
        with pytest.raises(ValueError, match="without people"):
            same_variants(cohort(np.zeros((0, 2))))


class TestRarefied:
    def test_by_hand(self):
        # 2 of 4 alleles, drawn 2: both kinds in 2/3 of the draws, and then each is a singleton.
        assert fidelity.rarefied(cohort(np.array([[1], [1]])), 1) == pytest.approx((2 / 3, 2 / 3))

    def test_everybody_is_counting(self):
        dosages = np.array([[0, 1, 2, 2, 1], [0, 0, 2, 1, 1], [0, 0, 2, 2, 0]])
        polymorphic, single = fidelity.rarefied(cohort(dosages), 3)
        assert polymorphic == pytest.approx(3 / 5)
        assert single == pytest.approx(2 / 5)  # one ALT of six, and one REF of six

    def test_is_the_mean_of_draws(self):
        dosages = np.random.default_rng(1).binomial(2, 0.03, (60, 200))
        haplotypes = np.concatenate([dosages >= 1, dosages == 2])
        rng = np.random.default_rng(2)
        draws = [haplotypes[rng.choice(120, 20, replace=False)].sum(0) for _ in range(400)]
        expected = np.mean([((draw > 0) & (draw < 20)).mean() for draw in draws])
        assert fidelity.rarefied(cohort(dosages), 10)[0] == pytest.approx(expected, abs=0.01)


class TestInbreeding:
    def test_random_mating_has_none_and_selfing_has_one(self):
        p = np.random.default_rng(1).uniform(0.1, 0.9, 3000)
        reference = cohort(np.random.default_rng(2).binomial(2, p, (200, 3000)))
        fresh = np.random.default_rng(3).binomial(2, p, (200, 3000))
        assert fidelity.inbreeding(fresh, reference).mean() == pytest.approx(0, abs=0.01)
        assert fidelity.inbreeding(2 * (fresh > 0), reference).tolist() == [1] * 200

    def test_undefined_where_nothing_varies(self):
        assert np.isnan(fidelity.inbreeding(np.zeros((2, 3)), cohort(np.zeros((4, 3))))).all()


class TestPrincipalAxes:
    def test_coordinates_as_by_svd(self):
        train, other = people(60, 1), people(10, 2)
        ours = fidelity.coordinates(train, other, components=3)
        mean = train.dosages.mean(0)
        axes = np.linalg.svd(train.dosages - mean, full_matrices=False)[2][:3]
        for cohort_, found in zip((train, other), ours, strict=True):
            expected = (cohort_.dosages - mean) @ axes.T
            assert np.allclose(np.abs(found), np.abs(expected), atol=1e-2)

    def test_never_more_than_people_less_one(self):
        assert fidelity.principal_axes(people(4, 1), 50, 0).loadings.shape == (400, 3)
        with pytest.raises(ValueError, match="two people"):
            fidelity.principal_axes(people(1, 1), 2, 0)


class TestMeasure:
    train, test = people(150, 1), people(60, 2)

    def measure(self, synthetic, **settings):
        return fidelity.measure(synthetic, self.train, self.test, seed=1, **settings)

    def test_copies_are_perfect_against_train(self):
        rows = self.measure(self.train)
        assert values(rows, "allele_frequency_rmse", "train")["all"] == 0
        assert values(rows, "allele_frequency_r", "train")["all"] == pytest.approx(1)
        assert values(rows, "ld_r", "train") == pytest.approx({"all": 1, "within_labels": 1, "A": 1, "B": 1})
        assert values(rows, "polymorphic_ratio", "train")["all"] == pytest.approx(1)
        assert values(rows, "heterozygosity")["all"] == pytest.approx((self.train.dosages == 1).mean())

    def test_independent_sites_lose_ld_only(self):
        rng = np.random.default_rng(1)
        shuffled = self.train.dosages.copy()
        for label in "AB":
            mine = self.train.label == label
            shuffled[mine] = rng.permuted(self.train.dosages[mine], axis=0)
        bad = self.measure(cohort(shuffled, self.train.label))
        good = self.measure(people(150, 3))
        assert values(bad, "allele_frequency_r", "train")["all"] == pytest.approx(1)
        for label in "AB":  # together the two populations have LD by their structure alone
            assert values(bad, "ld_r", "train")[label] < 0.3 < 0.8 < values(good, "ld_r", "train")[label]
        assert values(bad, "ld_r2")["1-10kb"] < values(good, "ld_r2")["1-10kb"] / 2
        distance = [values(rows, "wasserstein_pc1_6", "test")["all"] for rows in (good, bad)]
        assert distance[0] < distance[1]

    def test_lost_rare_variants_show(self):
        common = self.train.dosages.copy()
        p = self.train.frequency
        common[:, p < 0.1] = 0
        rows = self.measure(cohort(common, self.train.label))
        assert values(rows, "polymorphic_ratio", "train")["all"] < 0.95
        assert values(rows, "heterozygosity")["all"] < (self.train.dosages == 1).mean()

    def test_sum_of_principal_components(self):
        distance = values(self.measure(people(150, 3)), "wasserstein_pc1_6", "test")
        assert distance["all"] == pytest.approx(sum(distance[f"PC{k}"] for k in range(1, 7)))

    def test_order_of_people_changes_nothing(self):
        mixed = self.test.take(np.random.default_rng(4).permutation(60))
        assert self.measure(self.test) == self.measure(mixed)

    def test_every_number_once(self):
        rows = self.measure(self.test)
        keys = [(row["metric"], row["group"], row["against"]) for row in rows]
        assert len(keys) == len(set(keys))
        assert all(np.isfinite(row["value"]) for row in rows)

    def test_tiny_cohorts(self):
        rows = fidelity.measure(people(2, 1), people(3, 2), people(2, 3), seed=1)
        assert "wasserstein_pc1_6" in {row["metric"] for row in rows}
        assert "all" not in values(rows, "wasserstein_pc1_6", "test")  # two axes only
