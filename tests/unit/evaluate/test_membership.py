"""Attacks whose answer is known, and their intervals against other ways to get them."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from judged import judged

from syngeno.data.cohort import Cohort
from syngeno.evaluate import membership, metrics


def cohort(dosages, label=None):
    dosages = np.asarray(dosages, dtype=np.int8)
    people, variants = dosages.shape
    label = np.full(people, "A") if label is None else np.asarray(label)
    return Cohort(dosages, label, np.full(variants, "1"), np.arange(variants), np.zeros(variants, np.int32))


class TestDensityRatio:
    def test_nearer_to_synthetic_is_likelier(self):
        score = membership.density_ratio(np.array([10.0, 5, 0]), np.array([10.0, 10, 10]))
        assert score[0] == 0
        assert score[1] == pytest.approx(np.log(10.5 / 5.5))
        assert score[2] == pytest.approx(np.log(10.5 / 0.5))

    def test_a_reference_twin_speaks_against_it(self):
        assert membership.density_ratio(np.array([0.0]), np.array([0.0])).item() == 0


class TestDistanceRatio:
    def test_a_copy_stands_out_and_a_crowd_does_not(self):
        score = membership.distance_ratio(np.array([[0, 100], [50, 100], [100, 100]]))
        assert score == pytest.approx([np.log(100.5 / 0.5), np.log(100.5 / 50.5), 0])

    def test_scale_hardly_matters(self):
        near, far = membership.distance_ratio(np.array([[50, 100], [5000, 10000]]))
        assert near == pytest.approx(far, abs=0.01)


class TestFrequencyRatio:
    def test_by_hand(self):
        # One label, one variant: pooled (1 + .5)/3 = .5 and (3 + .5)/5 = .7, within the label drawn to the pool by 10.
        ours, theirs = (1 + 10 * 0.5) / 12, (3 + 10 * 0.7) / 14
        score = membership.frequency_ratio(cohort([[0], [1], [2]]), cohort([[1]]), cohort([[1], [2]]))
        zero, two = 2 * np.log((1 - ours) / (1 - theirs)), 2 * np.log(ours / theirs)
        assert score == pytest.approx([zero, (zero + two) / 2, two])

    def test_labels_have_frequencies_of_their_own(self):
        synthetic = cohort([[2]] * 50 + [[0]] * 50, ["A"] * 50 + ["B"] * 50)
        reference = cohort([[1]] * 100, ["A", "B"] * 50)
        score = membership.frequency_ratio(cohort([[2], [2]], ["A", "B"]), synthetic, reference)
        assert score[0] > 0 > score[1]

    def test_a_label_that_nobody_else_has_falls_back_on_all(self):
        synthetic, reference = cohort([[2, 0], [1, 0]]), cohort([[0, 1], [1, 2]])
        known, unknown = (
            membership.frequency_ratio(cohort([[2, 1]], [label]), synthetic, reference) for label in ("A", "C")
        )
        ours, theirs = np.array([3.5, 0.5]) / 5, np.array([1.5, 3.5]) / 5
        expected = (
            np.array([2, 1]) * np.log(ours / theirs) + np.array([0, 1]) * np.log((1 - ours) / (1 - theirs))
        ).sum()
        assert unknown == pytest.approx([expected])
        assert known != pytest.approx([expected])

    def test_blocks_of_people_do_not_show(self, monkeypatch):
        rng = np.random.default_rng(1)
        people, synthetic, reference = (
            cohort(rng.integers(0, 3, (n, 30)), rng.choice(["A", "B"], n)) for n in (20, 9, 7)
        )
        whole = membership.frequency_ratio(people, synthetic, reference)
        monkeypatch.setattr(membership, "_SAMPLES", 3)
        assert membership.frequency_ratio(people, synthetic, reference) == pytest.approx(whole)

    def test_finds_those_whose_frequencies_were_used(self):
        rng = np.random.default_rng(2)
        frequency = rng.uniform(0.1, 0.9, 2000)
        members, others, reference = (cohort(rng.binomial(2, frequency, (40, 2000))) for _ in range(3))
        drawn = cohort(rng.binomial(2, members.frequency, (200, 2000)))
        scores = [membership.frequency_ratio(people, drawn, reference) for people in (members, others)]
        assert membership.auc(*scores)[0] > 0.95


class TestAuc:
    def test_by_hand(self):
        # Of 2 x 3 pairs: 3 beats 1, 2, ties 3; 2 beats 1, ties 2, loses to 3: 2.5 + 1.5.
        assert membership.auc(np.array([3.0, 2]), np.array([1.0, 2, 3]))[0] == pytest.approx(4 / 6)

    def test_delong_by_hand(self):
        # Placement values of members 2.5/3 and 1.5/3; of others 1, .75, .25.
        variance = np.var([2.5 / 3, 1.5 / 3], ddof=1) / 2 + np.var([1, 0.75, 0.25], ddof=1) / 3
        value, low, high = membership.auc(np.array([3.0, 2]), np.array([1.0, 2, 3]))
        assert low == pytest.approx(max(0, value - 1.959964 * variance**0.5))
        assert high == pytest.approx(min(1, value + 1.959964 * variance**0.5))

    def test_interval_holds_the_truth_as_often_as_it_says(self):
        rng = np.random.default_rng(3)
        truth = 0.7602  # of normals one standard deviation apart: Phi(1 / sqrt 2)
        inside = 0
        for _ in range(400):
            _, low, high = membership.auc(rng.normal(1, 1, 60), rng.normal(0, 1, 40))
            inside += low <= truth <= high
        assert 0.92 <= inside / 400 <= 0.98

    def test_ties_are_halves_and_one_person_has_no_interval(self):
        assert membership.auc(np.zeros(4), np.zeros(5)) == (0.5, 0.5, 0.5)
        assert np.isnan(membership.auc(np.array([1.0]), np.zeros(5))[1])

    @settings(max_examples=40, deadline=None)
    @given(st.lists(st.integers(0, 5), min_size=2, max_size=20), st.lists(st.integers(0, 5), min_size=2, max_size=20))
    def test_as_written_out_and_mirrored(self, members, others):
        members, others = np.array(members, float), np.array(others, float)
        pairs = np.sign(members[:, None] - others[None]) / 2 + 0.5
        value, low, high = membership.auc(members, others)
        assert value == pytest.approx(pairs.mean())
        assert 0 <= low <= value + 1e-12 and value - 1e-12 <= high <= 1
        assert membership.auc(others, members) == pytest.approx((1 - value, 1 - high, 1 - low))


class TestTruePositives:
    def test_one_per_cent_of_the_others_may_be_accused(self):
        others = np.arange(200.0)
        assert membership.true_positives(np.array([196.9, 197, 197.1, 300]), others).tolist() == [
            False,
            False,
            True,
            True,
        ]
        assert (others > 197).sum() == 2

    def test_below_a_hundred_nobody_may_be(self):
        others = np.arange(99.0)
        assert membership.true_positives(np.array([98.0, 98.5]), others).tolist() == [False, True]

    def test_ties_accuse_nobody(self):
        assert not membership.true_positives(np.ones(5), np.ones(300)).any()

    @settings(max_examples=40, deadline=None)
    @given(st.lists(st.integers(0, 9), min_size=1, max_size=400))
    def test_never_more_than_one_per_cent(self, others):
        others = np.array(others, float)
        assert membership.true_positives(others, others).mean() <= membership.FALSE_POSITIVES


class TestTpr:
    def test_interval_is_that_of_resampled_people(self):
        rng = np.random.default_rng(4)
        members, others = rng.normal(1, 1, 300), rng.normal(0, 1, 400)
        value, low, high = membership.tpr(members, others, 1)
        drawn = []
        for _ in range(1500):
            again = rng.choice(members, 300), rng.choice(others, 400)
            drawn.append(membership.true_positives(*again).mean())
        assert value == membership.true_positives(members, others).mean()
        assert (low, high) == pytest.approx(np.quantile(drawn, [0.025, 0.975]), abs=0.02)

    def test_order_of_people_changes_nothing(self):
        rng = np.random.default_rng(5)
        members, others = rng.normal(1, 1, 50), rng.normal(0, 1, 120)
        assert membership.tpr(members, others, 1) == membership.tpr(
            rng.permutation(members), rng.permutation(others), 1
        )


class TestTprGain:
    def people(self, seed, planted):
        """400 members and 400 others; scores of the first so many members rise above all."""
        rng = np.random.default_rng(seed)
        members, others = rng.normal(0, 1, 400), rng.normal(0, 1, 400)
        after = np.where(np.arange(400) < planted, 100, members)
        return (members, others), (after, others)

    def test_plants_that_are_found(self):
        base, planted = self.people(6, 20)
        value, low, high = membership.tpr_gain(base, planted, 1)
        assert value == pytest.approx(0.05, abs=0.005)
        assert 0.02 < low < value < high < 0.08

    def test_nothing_gained_nothing_claimed(self):
        base, planted = self.people(6, 0)
        assert membership.tpr_gain(base, planted, 1) == (0, 0, 0)

    def test_noise_is_no_gain(self):
        rng = np.random.default_rng(7)
        base, planted = ((rng.normal(0, 1, 400), rng.normal(0, 1, 400)) for _ in range(2))
        _, low, high = membership.tpr_gain(base, planted, 1)
        assert low < 0 < high

    def test_interval_is_that_of_resampled_pairs(self):
        rng = np.random.default_rng(8)
        base, planted = self.people(6, 20)
        planted = planted[0] + rng.normal(0, 0.3, 400), planted[1] + rng.normal(0, 0.3, 400)
        _, low, high = membership.tpr_gain(base, planted, 1)
        drawn = []
        for _ in range(1500):
            m, o = rng.integers(0, 400, 400), rng.integers(0, 400, 400)
            found = [membership.true_positives(scores[0][m], scores[1][o]).mean() for scores in (base, planted)]
            drawn.append(found[1] - found[0])
        assert (low, high) == pytest.approx(np.quantile(drawn, [0.025, 0.975]), abs=0.008)

    def test_order_of_people_changes_nothing(self):
        base, planted = self.people(9, 10)
        rng = np.random.default_rng(0)
        m, o = rng.permutation(400), rng.permutation(400)
        mixed = [(scores[0][m], scores[1][o]) for scores in (base, planted)]
        assert membership.tpr_gain(*mixed, 1) == membership.tpr_gain(base, planted, 1)

    def test_how_many_resamples_are_held_does_not_show(self, monkeypatch):
        base, planted = self.people(6, 20)
        whole = membership.tpr_gain(base, planted, 1), membership.tpr(*base, 1)
        monkeypatch.setattr(membership, "_RESAMPLED", 3000)
        assert (membership.tpr_gain(base, planted, 1), membership.tpr(*base, 1)) == whole


def attacked(gain, low, *, auc=(0.5, 0.45), tpr=0.01, tpr_low=0.0, attack="distance", generator="g", seed=1):
    """An attack on a generator, without plants and with them."""
    subject = {"generator": generator, "fraction": 100, "seed": seed}
    base = [
        metrics.row("membership_auc", auc[0], group=attack, low=auc[1], n=9),
        metrics.row("membership_tpr_at_1pct", tpr, group=attack, low=tpr_low, high=tpr + 0.01, n=9),
    ]
    planted = [
        metrics.row("membership_tpr_at_1pct", tpr + gain, group=attack, n=9),
        metrics.row("membership_tpr_gain", gain, group=attack, low=low, high=gain + 0.1, n=9),
    ]
    return pd.concat([metrics.table(base, **subject), metrics.table(planted, variant="planted 5 %", **subject)])


class TestPower:
    @pytest.mark.parametrize(
        ("gain", "low", "tpr_low", "verdict"),
        [
            (0.05, 0.01, 0.0, membership.DETECTS),
            (0.05, 0.0, 0.0, membership.POWERLESS),
            (0.05, -0.01, 0.0, membership.POWERLESS),
            (-0.05, -0.09, 0.0, membership.POWERLESS),
            (0.0, 0.0, 0.5, membership.DETECTS_WITHOUT),
            (0.05, np.nan, 0.0, membership.POWERLESS),
        ],
    )
    def test_the_interval_of_the_paired_difference_decides(self, gain, low, tpr_low, verdict):
        table = membership.power(attacked(gain, low, tpr_low=tpr_low))
        assert list(table["verdict"]) == [verdict]
        assert bool(table["detects"].iloc[0]) is (verdict == membership.DETECTS)

    def test_a_rate_that_real_samples_show_too_is_no_leak(self):
        table = attacked(0.0, 0.0, tpr_low=0.02)
        for ceiling, verdict in ((0.5, membership.POWERLESS), (0.0, membership.DETECTS_WITHOUT)):
            found = membership.power(table.assign(real_high=ceiling))
            assert list(found["verdict"]) == [verdict]
            assert list(found["leaks"]) == [verdict == membership.DETECTS_WITHOUT]

    @pytest.mark.parametrize(
        ("auc", "verdict"),
        [
            ((0.97, 0.95), membership.DETECTS_WITHOUT),
            ((0.66, 0.62), membership.HINTS),
            ((0.8, 0.49), membership.POWERLESS),
            ((0.5, 0.45), membership.POWERLESS),
        ],
    )
    def test_a_far_area_is_no_null_result_whatever_canaries_add(self, auc, verdict):
        """An AUC of .97 whose attacker is sure of nobody was "without power here", in grey."""
        found = membership.power(attacked(0.0, -0.01, auc=auc).assign(real_high=0.6))
        assert list(found["verdict"]) == [verdict]
        assert list(found["leaks"]) == [verdict == membership.DETECTS_WITHOUT]
        beside = membership.power(attacked(0.0, -0.01, auc=auc).assign(real_high=0.99))
        assert list(beside["verdict"]) == [membership.POWERLESS]

    def test_a_leak_that_detects_canaries_as_well_is_a_leak(self):
        found = membership.power(attacked(0.05, 0.01, tpr=0.85, tpr_low=0.8))
        assert list(found["verdict"]) == [membership.DETECTS_WITHOUT]
        assert found["detects"].all()

    def test_a_leak_needs_no_canaries_to_be_one(self):
        table = attacked(0.05, 0.01, tpr_low=0.5)
        alone = membership.power(table[table["variant"] == ""])
        assert list(alone["verdict"]) == [membership.DETECTS_WITHOUT]

    def test_both_rates_and_their_difference_stand_in_a_row(self):
        one = membership.power(attacked(0.05, 0.01)).iloc[0]
        assert (one["tpr"], one["planted"], one["gain"]) == pytest.approx((0.01, 0.06, 0.05))
        assert (one["gain_low"], one["gain_high"]) == pytest.approx((0.01, 0.15))

    def test_an_attack_without_plants_was_not_tried(self):
        table = attacked(0.05, 0.01)
        alone = membership.power(table[table["variant"] == ""])
        assert list(alone["verdict"]) == [membership.UNTRIED]
        assert not alone["detects"].any()

    def test_a_row_for_each_attack_generator_and_seed_and_none_for_means_or_releases(self):
        table = judged(generators=("diffusion", "li_stephens"), labels=("A", "B"))
        released = table[table["metric"].str.startswith("membership") & (table["variant"] == "")]
        table = pd.concat([table, released.assign(variant="released")], ignore_index=True)
        table = pd.concat([table, released.assign(variant="released planted 5 %")], ignore_index=True)
        found = membership.power(table)
        assert len(found) == 2 * (5 + 4)  # the denoising loss of the diffusion model only
        assert not found.duplicated(["generator", "fraction", "seed", "attack"]).any()
        assert set(found["seed"]) == {"1", "2"}

    def test_an_attack_that_nobody_knows_is_an_error(self):
        with pytest.raises(ValueError, match="'haplotype_windows' is not in the table of attacks"):
            membership.power(attacked(0.05, 0.01, attack="haplotype_windows"))


class TestUndetected:
    def test_only_where_no_attack_on_the_people_saw_anything(self):
        blind = attacked(0.0, -0.01, generator="blind")
        seen = attacked(0.05, 0.01, generator="seen")
        known = attacked(0.0, 0.0, tpr=1.0, tpr_low=0.9, generator="known")
        half = [attacked(0.05, 0.01, generator="half"), attacked(0.0, -0.1, attack="density_ratio", generator="half")]
        untried = attacked(0.0, -0.1, generator="untried")
        table = pd.concat([blind, seen, known, *half, untried[untried["variant"] == ""]], ignore_index=True)
        assert membership.undetected(table) == {("blind", 100)}

    def test_an_attack_on_the_model_does_not_make_up_for_blindness(self):
        both = pd.concat([attacked(0.0, -0.01), attacked(0.9, 0.8, attack="denoising_loss")], ignore_index=True)
        assert membership.undetected(both) == {("g", 100)}
