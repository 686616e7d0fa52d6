"""Scans whose odds ratios can be worked by hand."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2 as chi2_distribution
from statsmodels.api import OLS

from syngeno.data.cohort import Cohort
from syngeno.evaluate import association


def cohort(dosages, label):
    return cohort_of(np.asarray(dosages, np.int8), np.array(list(label)))


def cohort_of(dosages, label):
    variants = dosages.shape[1]
    return Cohort(dosages, label, np.full(variants, "1"), np.arange(variants), np.zeros(variants, int))


def cohort_far(dosages, label):
    """Variants that are too far apart to be neighbours."""
    return replace(cohort_of(dosages.astype(np.int8), label), position=np.arange(dosages.shape[1]) * 10**6 + 1)


def people(n, seed, labels="AB", variants=400, spread=2.0, founders=9):
    """People whose labels differ in frequencies; the frequencies come from `founders`."""
    rng = np.random.default_rng(seed)
    frequency = np.random.default_rng(founders).beta(spread, spread, (len(labels), variants))
    code = np.arange(n) % len(labels)
    return cohort(rng.binomial(2, frequency[code]), np.array(list(labels))[code])


def measure(synthetic, train):
    return {
        (row["metric"], row["group"]): row
        for row in association.measure(synthetic, train, association.in_train(train), seed=1)
    }


class TestEffects:
    # Three cases carry 4 of 6 ALT alleles, two controls 1 of 4.
    five = cohort([[2, 0], [1, 0], [1, 0], [1, 0], [0, 0]], "AAABB")

    def test_by_hand(self):
        ratio, p = association.effects(self.five, "A", np.array([False, False]))
        assert ratio[0] == pytest.approx(np.log(4.5 * 3.5 / (2.5 * 1.5)))
        z = ratio[0] / np.sqrt(1 / 4.5 + 1 / 2.5 + 1 / 1.5 + 1 / 3.5)
        assert z == pytest.approx(1.1437, abs=1e-4)
        assert p[0] == pytest.approx(0.2527, abs=1e-4)

    def test_the_other_allele_and_the_other_label_turn_the_sign(self):
        ratio, p = association.effects(self.five, "A", np.array([False, True]))
        flipped, same = association.effects(self.five, "A", np.array([True, False]))
        assert np.allclose(flipped, -ratio)
        assert np.allclose(same, p)
        assert np.allclose(association.effects(self.five, "B", np.array([False, True]))[0], -ratio)

    @pytest.mark.parametrize("label", ["AAAAA", "BBBBB"])
    def test_nobody_to_compare(self, label):
        ratio, p = association.effects(cohort(self.five.dosages, label), "A", np.array([False, False]))
        assert ratio.tolist() == [0, 0]
        assert p.tolist() == [1, 1]

    @given(st.integers(0, 1000))
    def test_order_of_people_changes_nothing(self, seed):
        some = people(30, 1, variants=20)
        mixed = some.take(np.random.default_rng(seed).permutation(30))
        flip = np.zeros(20, bool)
        assert np.array_equal(association.effects(some, "A", flip), association.effects(mixed, "A", flip))


class TestHits:
    def test_significant_ones_where_there_are_enough(self):
        p = np.ones(1000)
        p[5:30] = 1e-9
        assert association.hits(p).tolist() == list(range(5, 30))

    def test_top_of_a_scan_without_power(self):
        p = np.linspace(1, 0.1, 5000)
        assert association.hits(p).tolist() == list(range(4950, 5000))
        assert len(association.hits(p[:300])) == 20
        assert len(association.hits(p[:7])) == 7


class TestMeasure:
    train = people(400, 1)

    def test_the_same_people_agree_fully(self):
        rows = measure(self.train, self.train)
        assert {group for _, group in rows} == {"all"}  # one scan of two labels
        assert rows["association_r", "all"]["value"] == pytest.approx(1)
        assert rows["association_slope", "all"]["value"] == pytest.approx(1)
        assert rows["association_r", "all"]["against"] == "train"
        assert rows["association_r", "all"]["n"] > 100

    def test_fresh_people_agree_but_for_the_winners_curse(self):
        rows = measure(people(400, 2), self.train)
        assert 0.95 < rows["association_r", "all"]["value"] < 1
        assert 0.9 < rows["association_slope", "all"]["value"] < 1

    def test_half_the_effect_is_half_the_slope(self):
        # Each person's genotypes go to somebody of a random label with probability 1/2: odds move to the mean.
        rng = np.random.default_rng(3)
        label = self.train.label.copy()
        moved = rng.random(len(label)) < 0.5
        label[moved] = rng.permutation(label[moved])
        rows = measure(cohort(self.train.dosages, label), self.train)
        assert 0.35 < rows["association_slope", "all"]["value"] < 0.65
        assert rows["association_r", "all"]["value"] > 0.9

    def test_people_of_another_origin_do_not_agree(self):
        rows = measure(people(400, 2, founders=8), self.train)
        assert abs(rows["association_r", "all"]["value"]) < 0.2

    def test_labels_that_are_swapped_are_seen(self):
        swapped = cohort(self.train.dosages, np.where(self.train.label == "A", "B", "A"))
        rows = measure(swapped, self.train)
        assert rows["association_r", "all"]["value"] == pytest.approx(-1)
        assert rows["association_slope", "all"]["value"] == pytest.approx(-1)

    def test_each_of_three_labels_and_their_mean(self):
        train, synthetic = people(300, 1, "ABC"), people(300, 2, "ABC")
        rows = measure(synthetic, train)
        each = [rows["association_r", label]["value"] for label in "ABC"]
        assert rows["association_r", "all"]["value"] == pytest.approx(np.mean(each))
        assert rows["association_r", "all"]["n"] == sum(rows["association_r", label]["n"] for label in "ABC")

    def test_a_label_that_is_missing_has_no_effects(self):
        train = people(300, 1, "ABC")
        rows = measure(train.take(train.label != "C"), train)
        assert rows["association_r", "C"]["value"] == rows["association_slope", "C"]["value"] == 0
        assert rows["association_r", "A"]["value"] > 0.5

    def test_which_allele_is_called_alt_does_not_matter(self):
        train, synthetic = people(300, 1, "ABC"), people(300, 2, "ABC")
        turn = np.arange(400) % 3 == 0
        turned = [cohort(np.where(turn, 2 - one.dosages, one.dosages), one.label) for one in (synthetic, train)]
        there, here = measure(*turned), measure(synthetic, train)
        assert {key: one["value"] for key, one in there.items()} == pytest.approx(
            {key: one["value"] for key, one in here.items()}
        )

    def test_nothing_without_labels_or_variation(self):
        same = people(30, 1, "A")
        assert measure(same, same) == {}
        still = cohort(np.zeros((10, 5)), "AABBBAABBB")
        assert measure(still, still) == {}


class TestCalibration:
    def test_inflation_by_hand(self):
        chi2 = np.array([0.1, 0.9, 4.0])
        assert association.inflation(chi2_distribution.sf(chi2, 1)) == pytest.approx(0.9 / 0.4549364, rel=1e-6)
        assert association.inflation(np.linspace(0, 1, 1001)) == pytest.approx(1)
        assert np.isfinite(association.inflation(np.zeros(3)))

    def test_false_hits_are_far_from_real_ones(self):
        contig, position = np.array(list("11112")), np.array([1, 500_001, 500_002, 600_000, 1])
        p, real = np.array([1e-9, 1e-9, 1e-9, 1e-3, 1e-9]), np.array([1e-9, 1, 1, 1, 1])
        assert association.false_hits(p, real, contig, position) == 2  # the third, and the one on contig 2
        assert association.false_hits(real, p, contig, position) == 0

    def test_as_many_of_each_label(self):
        one, other = cohort(np.zeros((5, 1)), "AAABC"), cohort(np.zeros((4, 1)), "AABB")
        assert association.as_many(one, other, 1).label.tolist() == ["A", "A", "B"]
        assert association.as_many(other, one, 1).label.tolist() == ["A", "A", "B"]
        assert association.as_many(one, one, 1) is one

    def test_overdone_effects_agree_but_are_inflated(self):
        """Twice the difference between labels: r near 1, and p values that are many orders too small."""
        rng = np.random.default_rng(1)
        middle, half = rng.uniform(0.3, 0.7, 400), rng.normal(0, 0.04, 400).clip(-0.1, 0.1)
        code = np.arange(600) % 2

        def drawn(times):
            sign = np.where(code == 1, 1, -1)[:, None] * times
            return cohort_far(rng.binomial(2, middle + sign * half), np.array(list("AB"))[code])

        train, fresh, overdone = drawn(1), drawn(1), drawn(2)
        fair, rows = measure(fresh, train), measure(overdone, train)
        assert rows["association_r", "all"]["value"] > 0.9
        assert fair["association_lambda_ratio", "all"]["value"] == pytest.approx(1, abs=0.25)
        assert rows["association_lambda_ratio", "all"]["value"] > 2
        assert rows["association_lambda_real", "all"] == fair["association_lambda_real", "all"]
        assert rows["association_false_hits", "all"]["value"] > 4 * fair["association_false_hits", "all"]["value"]

    def test_more_samples_are_no_inflation(self):
        rows = measure(people(2000, 3, spread=40), people(200, 2, spread=40))
        assert rows["association_lambda_ratio", "all"]["value"] == pytest.approx(1, abs=0.3)

    def test_of_a_trait_and_not_of_a_label_that_is_missing(self):
        train = people(300, 1, labels=("A|case", "A|control", "B|case", "B|control"))
        found = measure(train, train)
        assert found["association_lambda_ratio", "trait"]["value"] == 1
        assert found["association_false_hits", "trait"]["value"] == 0
        lacking = measure(train.take(train.label != "A|case"), train)
        assert ("association_lambda_ratio", "A|case") not in lacking
        assert ("association_lambda_ratio", "B|case") in lacking


class TestTrait:
    def test_the_part_that_is_coded_as_one(self):
        asked = association.trait(["AFR|case", "AFR|control", "EUR|control", "EAS|case"])
        assert asked == association.Trait(1, "case")
        cases, rest = asked.of(np.array(["EUR|control", "AFR|case"]))
        assert (cases.tolist(), rest.tolist()) == ([0, 1], ["EUR", "AFR"])

    def test_others_with_two_values_are_none(self):
        asked = association.trait(["A|male|Case", "B|female|Control", "A|female|Case"])
        assert asked == association.Trait(2, "Case")
        assert asked.of(np.array(["A|male|Case"]))[1].tolist() == ["A|male"]

    def test_codes_of_cases(self):
        assert association.trait(["1|A", "2|B", "1|C"]).value == "2"
        assert association.trait(["1|A", "0|B", "1|C"]).value == "1"

    @pytest.mark.parametrize(
        "labels", [["case", "control"], ["A|x", "B|y"], ["A|case", "B|case"], ["A|case", "control"]]
    )
    def test_none(self, labels):
        assert association.trait(labels) is None


class TestScan:
    def test_as_ordinary_least_squares_with_a_dummy_for_each_class(self):
        some = people(200, 4, "ABC", variants=60)
        outcome = (some.dosages[:, 3] + np.random.default_rng(1).normal(size=200) > 1).astype(float)
        slope, p = association.scan(some.dosages, outcome, some.label, np.zeros(60, bool))
        classes = np.stack([some.label == one for one in "ABC"], axis=1).astype(float)
        for j in range(60):
            fitted = OLS(outcome, np.column_stack([classes, some.dosages[:, j]])).fit()
            assert slope[j] == pytest.approx(fitted.params[-1], rel=1e-6, abs=1e-9)
            assert p[j] == pytest.approx(fitted.pvalues[-1], rel=1e-6)
        assert p.argmin() == 3

    def test_structure_alone_is_no_effect(self):
        some = people(600, 5, spread=0.5, variants=3000)
        prevalence = np.where(some.label == "A", 0.2, 0.8)
        outcome = (np.random.default_rng(2).random(600) < prevalence).astype(float)
        none = np.zeros(3000, bool)
        p = association.scan(some.dosages, outcome, some.label, none)[1]
        assert 0.03 < (p < 0.05).mean() < 0.07
        assert (association.scan(some.dosages, outcome, np.full(600, "A"), none)[1] < 0.05).mean() > 0.3

    def test_an_effect_among_linked_variants_is_seen(self):
        # A block of strong linkage, where axes of all variants would take the effect for structure.
        rng = np.random.default_rng(3)
        founders = rng.integers(0, 2, (8, 200))
        dosages = (founders[rng.integers(0, 8, 1000)] + founders[rng.integers(0, 8, 1000)]).astype(np.int8)
        outcome = (0.8 * dosages[:, 50] + rng.normal(size=1000) > 0.8).astype(float)
        p = association.scan(dosages, outcome, np.full(1000, "A"), np.zeros(200, bool))[1]
        assert p[50] < association.GENOME_WIDE

    def test_nothing_to_explain(self):
        some, one = people(50, 1, variants=10), np.full(50, "A")
        slope, p = association.scan(some.dosages, np.zeros(50), one, np.zeros(10, bool))
        assert (slope.tolist(), p.tolist()) == ([0] * 10, [1] * 10)
        still = np.zeros((50, 2), np.int8)
        assert association.scan(still, np.arange(50) % 2.0, one, np.zeros(2, bool))[1].tolist() == [1, 1]

    def test_measured_where_labels_hold_a_trait(self):
        def of(seed, effect):
            some = people(800, seed, "ABC", variants=300)
            liability = some.dosages[:, :20] @ np.full(20, effect) + np.random.default_rng(seed).normal(size=800)
            case = np.where(liability > np.median(liability), "case", "control")
            return cohort_of(some.dosages, np.char.add(np.char.add(some.label, "|"), case))

        rows = measure(of(2, 0.3), of(1, 0.3))
        assert rows["association_r", "trait"]["value"] > 0.6
        assert abs(measure(of(2, 0.0), of(1, 0.3))["association_r", "trait"]["value"]) < 0.5
        assert ("association_r", "trait") not in measure(people(100, 1), people(100, 2))


class TestScanned:
    def test_the_trait_else_the_commonest_label_else_nothing(self):
        some = people(60, 1, "AAB")
        what, found = association.scanned(some, some)
        assert what == "A against the rest"
        flip = some.frequency > 0.5
        assert all(np.array_equal(one[0], association.effects(some, "A", flip)[0]) for one in found)
        with_trait = cohort_of(some.dosages, np.char.add(some.label, np.where(np.arange(60) % 2, "|case", "|control")))
        assert association.scanned(with_trait)[0] == "cases (case) against controls, within the other labels"
        assert association.scanned(cohort_of(some.dosages, np.full(60, "A"))) == ("", [])
