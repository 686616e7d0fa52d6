"""Fidelity numbers that can be checked by hand, and the directions in which bad cohorts must move them."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from settings import run_file

from syngeno.data.cohort import Cohort, same_variants
from syngeno.evaluate import fidelity
from syngeno.stats import ld, structure

SETTINGS = run_file()["evaluate"]["fidelity"]


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
    haplotypes = founders[population, which, np.arange(variants)].astype(np.int8)
    return replace(cohort(haplotypes.sum(1), label), haplotypes=haplotypes)


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
        assert one.in_canonical_order() is one
        assert np.array_equal(one.dosages, other.dosages)
        assert np.array_equal(one.label, other.label)

    def test_refuses(self):
        with pytest.raises(ValueError, match="label has shape"):
            cohort(np.zeros((2, 2)), ["A"])
        with pytest.raises(ValueError, match="0, 1 or 2"):
            cohort(np.array([[-1, 0]]))
        with pytest.raises(ValueError, match="same variants"):
            same_variants(cohort(np.zeros((2, 2))), cohort(np.zeros((2, 3))))
        with pytest.raises(ValueError, match="without samples"):
            same_variants(cohort(np.zeros((0, 2))))


class TestInbreeding:
    def test_random_mating_has_none_and_selfing_has_one(self):
        p = np.random.default_rng(1).uniform(0.1, 0.9, 3000)
        reference = cohort(np.random.default_rng(2).binomial(2, p, (200, 3000)))
        fresh = np.random.default_rng(3).binomial(2, p, (200, 3000))
        assert fidelity.inbreeding(fresh == 1, reference.frequency, 200).mean() == pytest.approx(0, abs=0.01)
        assert fidelity.inbreeding(np.zeros(fresh.shape, bool), reference.frequency, 200).tolist() == [1] * 200

    def test_undefined_where_nothing_varies(self):
        assert np.isnan(fidelity.inbreeding(np.zeros((2, 3), bool), np.zeros(3), 4)).all()


class TestMeasure:
    train, test = people(150, 1), people(60, 2)

    def measure(self, synthetic, **more):
        return fidelity.measure(synthetic, self.train, self.test, seed=1, **SETTINGS, **more)

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

    def test_copies_have_the_structure_of_train(self):
        rows = self.measure(self.train)
        assert values(rows, "fst_difference", "train") == {"all": 0}
        # An unbiased estimator sees two samples, and the pairs of copies among them do not count as different.
        assert all(-0.02 < value <= 0 for value in values(rows, "fst_to_train", "train").values())
        assert set(values(rows, "fst_to_train", "train")) == {"all", "A", "B"}
        assert values(rows, "fst")["A / B"] == pytest.approx(
            structure.fst(self.train.of("A").dosages, self.train.of("B").dosages)
        )

    def test_swapped_labels_are_far_from_their_own(self):
        swapped = replace(self.train, label=np.where(self.train.label == "A", "B", "A"))
        rows = self.measure(swapped)
        between = values(rows, "fst")["A / B"]
        assert values(rows, "fst_difference", "train")["all"] == pytest.approx(0)  # the same two groups
        assert values(rows, "fst_to_train", "train")["A"] == pytest.approx(between)

    def test_mixed_labels_have_no_differentiation(self):
        mixed = replace(self.train, label=np.where(np.arange(150) % 2, "A", "B"))
        rows = self.measure(mixed)
        assert values(rows, "fst")["A / B"] == pytest.approx(0, abs=0.02)
        assert values(rows, "fst_difference", "train")["all"] > 0.1

    def test_haplotypes_of_copies(self):
        rows = self.measure(self.train)
        assert values(rows, "three_point_r", "train") == pytest.approx(
            dict.fromkeys(["all", "gap 1", "gap 4", "gap 16", "gap 64"], 1)
        )
        assert values(rows, "haplotype_diversity_r", "train")["all"] == pytest.approx(1)
        assert set(values(rows, "haplotype_diversity")) == {"all", "A", "B"}

    def test_haplotypes_with_independent_sites(self):
        rng = np.random.default_rng(1)
        shuffled = rng.permuted(self.train.haplotypes.reshape(300, -1), axis=0).reshape(150, 2, -1)
        bad = replace(self.train, haplotypes=shuffled, dosages=shuffled.sum(1).astype(np.int8))
        rows, good = self.measure(bad), self.measure(people(150, 3))
        assert values(rows, "three_point_r", "train")["gap 1"] < 0.5 < values(good, "three_point_r", "train")["gap 1"]
        assert values(rows, "haplotype_diversity")["all"] > values(good, "haplotype_diversity")["all"]

    def test_unphased_people_have_no_haplotype_statistics(self):
        metrics = {row["metric"] for row in self.measure(replace(self.train, haplotypes=None))}
        assert not metrics & {"three_point_r", "haplotype_diversity", "haplotype_diversity_r"}
        assert "distance_within" in metrics

    def test_distances_of_all_pairs(self):
        rows = self.measure(self.test)
        assert values(rows, "distance_within_w1", "test")["all"] == 0
        # Between test and itself everybody also meets himself, at distance 0: the shares shift by 1 in 60.
        within = values(rows, "distance_within")["all"]
        assert values(rows, "distance_between", "test")["all"] == pytest.approx(within * 59 / 60)
        assert values(rows, "distance_between_w1", "test")["all"] == pytest.approx(within / 60)

    def test_one_person_over_and_over_is_too_uniform(self):
        rows = self.measure(self.train.take(np.zeros(50, int)))
        assert values(rows, "distance_within") == {"all": 0}
        assert values(rows, "distance_within_w1", "test")["all"] > 50

    def test_hardy_weinberg(self):
        rng = np.random.default_rng(1)
        fine = cohort(rng.binomial(2, 0.4, (150, 400)), self.train.label)
        selfed = cohort(2 * rng.binomial(1, 0.4, (150, 400)), self.train.label)
        assert values(self.measure(fine), "hwe_outliers")["all"] < 0.01
        assert values(self.measure(selfed), "hwe_outliers") == {"all": 1, "A": 1, "B": 1}

    def test_everybody_heterozygous_is_out_of_equilibrium(self):
        rows = self.measure(cohort(np.ones((150, 400)), self.train.label))
        assert values(rows, "hwe_outliers") == {"all": 1, "A": 1, "B": 1}

    def test_spectrum_holds_what_is_polymorphic(self):
        rows = self.measure(people(150, 3))
        spectrum = values(rows, "sfs")
        assert list(spectrum) == ["mac 1", "mac 2", "mac 3-5", "mac 6-10", "mac 11-20", "mac 21-50", "mac 51+"]
        assert sum(spectrum.values()) == pytest.approx(values(rows, "polymorphic_share")["all"])
        assert spectrum["mac 1"] == pytest.approx(values(rows, "singleton_share")["all"])

    def test_ld_decay_per_label_and_on_the_map(self):
        # Just below 1 cM/Mb, so that no pair falls on the other side of a bound by rounding.
        train, test = (replace(one, cm=0.9999e-6 * one.position) for one in (self.train, self.test))
        rows = fidelity.measure(train, train, test, seed=1, **SETTINGS)
        found = values(rows, "ld_r2")
        assert found["1-10kb"] == pytest.approx(found["0.001-0.01cM"])  # the very same pairs
        assert found["A: 1-10kb"] > found["A: 200kb-1Mb"] + 0.1
        assert {"B: 1-10kb", "B: 0.001-0.01cM"} <= set(found)

    def test_unlinked_variants_have_no_ld_within_labels(self):
        """20 people per label: some pairs are correlated by chance, and that is not LD."""
        rng = np.random.default_rng(1)
        label = np.repeat(["A", "B"], 20)
        one, other = (cohort(rng.binomial(2, 0.4, (40, 300)), label) for _ in range(2))
        assert len(ld.in_ld(one.of("A"))["all"].r) > ld.PAIRS_MIN
        large = [cohort(rng.binomial(2, 0.4, (400, 300)), np.repeat(["A", "B"], 200)) for _ in range(2)]
        rows = fidelity.measure(large[0], large[1], other, seed=1, **SETTINGS)
        assert not values(rows, "ld_r", "train")
        assert not [group for group in values(rows, "ld_r2") if ":" in group]

    def test_sinkhorn_sees_a_shift(self):
        far = self.measure(cohort(2 - self.train.dosages, self.train.label))
        near = self.measure(people(150, 3))
        assert values(near, "sinkhorn_pc1_2", "test")["all"] < values(far, "sinkhorn_pc1_2", "test")["all"] / 3

    def test_a_label_that_is_not_there(self):
        rows = self.measure(self.train.of("A"))
        assert values(rows, "fst_to_train", "train").keys() == {"all", "A"}
        assert not values(rows, "fst")
        assert np.isfinite(values(rows, "distance_between", "test")["all"])

    def test_large_cohorts_are_sampled_alike_in_any_order(self, monkeypatch):
        monkeypatch.setattr(fidelity, "_PAIRED_SAMPLES", 40)
        monkeypatch.setattr(fidelity, "_SINKHORN_SAMPLES", 40)
        mixed = self.test.take(np.random.default_rng(4).permutation(60))
        rows = self.measure(self.test)
        assert rows == self.measure(mixed)
        assert {row["n"] for row in rows if row["metric"] == "distance_within_w1"} == {40}

    def test_sum_of_principal_components(self):
        distance = values(self.measure(people(150, 3)), "wasserstein_pc1_6", "test")
        assert distance["all"] == pytest.approx(sum(distance[f"PC{k}"] for k in range(1, 7)))

    def test_order_of_people_changes_nothing(self):
        mixed = self.test.take(np.random.default_rng(4).permutation(60))
        assert self.measure(self.test) == self.measure(mixed)

    def test_what_depends_on_real_samples_alone_may_be_given(self):
        real = fidelity.reference(self.train, self.test, seed=1, **SETTINGS)
        mixed = self.train.take(np.random.default_rng(4).permutation(150))
        assert self.measure(people(80, 3), real=real) == self.measure(people(80, 3))
        rows = fidelity.measure(people(80, 3), mixed, self.test, seed=1, real=real, **SETTINGS)
        assert rows == self.measure(people(80, 3))

    def test_every_number_once(self):
        rows = self.measure(self.test)
        keys = [(row["metric"], row["group"], row["against"]) for row in rows]
        assert len(keys) == len(set(keys))
        assert all(np.isfinite(row["value"]) for row in rows)

    def test_tiny_cohorts(self):
        rows = fidelity.measure(people(2, 1), people(3, 2), people(2, 3), seed=1, **SETTINGS)
        assert "wasserstein_pc1_6" in {row["metric"] for row in rows}
        assert "all" not in values(rows, "wasserstein_pc1_6", "test")  # two axes only
