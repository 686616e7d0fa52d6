"""Attacks whose answer is known, and their intervals against other ways to get them."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from judged import judged

from syngeno.evaluate import membership, metrics


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

    def test_of_several_attacks_the_intervals_hold_together(self):
        rng = np.random.default_rng(3)
        value, low, high = membership.auc(*(pair := (rng.normal(1, 1, 60), rng.normal(0, 1, 40))))
        same, lower, higher = membership.auc(*pair, tried=9)
        assert same == value
        # The normal quantile of 1 - .025 / 9 over that of .975.
        assert value - lower == pytest.approx((value - low) * 2.7729 / 1.9600, rel=1e-4)
        assert higher - value == pytest.approx((high - value) * 2.7729 / 1.9600, rel=1e-4)

    @settings(max_examples=40, deadline=None)
    @given(st.lists(st.integers(0, 5), min_size=2, max_size=20), st.lists(st.integers(0, 5), min_size=2, max_size=20))
    def test_as_written_out_and_mirrored(self, members, others):
        members, others = np.array(members, float), np.array(others, float)
        pairs = np.sign(members[:, None] - others[None]) / 2 + 0.5
        value, low, high = membership.auc(members, others)
        assert value == pytest.approx(pairs.mean())
        assert 0 <= low <= value + 1e-12 and value - 1e-12 <= high <= 1
        assert membership.auc(others, members) == pytest.approx((1 - value, 1 - high, 1 - low))


class TestStrongest:
    def scores(self, seed, shift):
        rng = np.random.default_rng(seed)
        return rng.normal(shift, 1, 80), rng.normal(0, 1, 60)

    def test_whose_interval_reaches_highest(self):
        scores = {"weak": self.scores(1, 0.2), "strong": self.scores(2, 1), "none": self.scores(3, 0)}
        attack, found = membership.strongest(scores)
        assert attack == "strong"
        assert found == membership.auc(*scores["strong"], tried=3)

    def test_of_equal_ends_the_larger_area(self):
        sure, nearly = np.ones(50), np.r_[np.ones(49), -1]
        scores = {"nearly": (nearly, np.zeros(50)), "sure": (sure, np.zeros(50))}
        assert membership.auc(*scores["nearly"])[2] == 1
        assert membership.strongest(scores) == ("sure", (1, 1, 1))

    def test_one_attack_is_itself(self):
        scores = self.scores(4, 0.5)
        assert membership.strongest({"only": scores}) == ("only", membership.auc(*scores))

    def test_of_many_that_guess_the_interval_holds_a_half(self):
        """The largest of nine areas lies above a half by its own interval often, by the simultaneous one seldom."""
        alone, together = 0, 0
        for seed in range(200):
            scores = {f"{k}": self.scores([seed, k], 0) for k in range(9)}
            best, (_, low, _) = membership.strongest(scores)
            together += low > 0.5
            alone += membership.auc(*scores[best])[1] > 0.5
        assert together / 200 <= 0.05 < alone / 200


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

    def test_one_in_a_thousand_is_rarer(self):
        rng = np.random.default_rng(4)
        members, others = rng.normal(1, 1, 300), rng.normal(0, 1, 2000)
        value, low, high = membership.tpr(members, others, 1, membership.RARE_FALSE_POSITIVES)
        assert value == (members > np.sort(others)[-3]).mean() < membership.tpr(members, others, 1)[0]
        assert low <= value <= high
        drawn = []
        for _ in range(1500):
            again = rng.choice(members, 300), rng.choice(others, 2000)
            drawn.append(membership.true_positives(*again, membership.RARE_FALSE_POSITIVES).mean())
        assert (low, high) == pytest.approx(np.quantile(drawn, [0.025, 0.975]), abs=0.02)


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


def attacked(
    gain, low, *, auc=(0.5, 0.45), tpr=0.01, tpr_low=0.0, attack="distance", generator="g", seed=1, kind="whole"
):
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
    planted = metrics.table(planted, variant=f"planted 5 %, {kind}", **subject)
    return pd.concat([metrics.table(base, **subject), planted])


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
        assert alone["canaries"].isna().all()
        assert not alone["detects"].any()

    def test_a_row_for_each_attack_generator_and_seed_and_none_for_means_or_releases(self):
        table = judged(generators=("diffusion", "li_stephens"), labels=("A", "B"))
        released = table[table["metric"].str.startswith("membership") & (table["variant"] == "")]
        table = pd.concat([table, released.assign(variant="released")], ignore_index=True)
        table = pd.concat([table, released.assign(variant="released planted 5 %, whole")], ignore_index=True)
        found = membership.power(table)
        attacks = len(membership.ATTACK_NAMES)
        assert len(found) == 2 * (attacks + attacks - 1)  # the denoising loss of the diffusion model only
        assert not found.duplicated(["generator", "fraction", "seed", "attack"]).any()
        assert set(found["seed"]) == {"1", "2"}

    @pytest.mark.parametrize("best", ["whole", "pieces of 1 cM", "pieces of 5 cM"])
    def test_of_several_kinds_of_canaries_that_which_it_gains_most_by(self, best):
        kinds = ("whole", "pieces of 1 cM", "pieces of 5 cM")
        # By the lower end: the others have the larger gains, and no interval above 0.
        gains = {kind: (0.05, 0.01) if kind == best else (0.08, -0.02) for kind in kinds}
        tables = [attacked(*gain, kind=kind) for kind, gain in gains.items()]
        table = pd.concat([tables[0], *(one[one["variant"] != ""] for one in tables[1:])])
        (one,) = membership.power(table).to_dict("records")
        assert one["canaries"] == best
        assert (one["gain"], one["gain_low"], one["planted"]) == pytest.approx((0.05, 0.01, 0.06))
        assert one["verdict"] == membership.DETECTS

    def test_the_kinds_are_chosen_for_each_attack_and_seed(self):
        parts = [
            attacked(0.05, 0.01, kind="whole"),
            attacked(0.02, -0.01, kind="pieces of 3 cM"),
            attacked(0.02, -0.01, kind="whole", attack="windows"),
            attacked(0.05, 0.01, kind="pieces of 3 cM", attack="windows"),
            attacked(0.02, -0.01, kind="whole", seed=2),
            attacked(0.05, 0.01, kind="pieces of 3 cM", seed=2),
        ]
        table = pd.concat(parts).drop_duplicates(ignore_index=True)
        found = membership.power(table).set_index(["attack", "seed"])["canaries"]
        assert found.to_dict() == {
            ("distance", "1"): "whole", ("windows", "1"): "pieces of 3 cM", ("distance", "2"): "pieces of 3 cM",
        }  # fmt: skip

    def test_a_gain_without_an_interval_comes_last(self):
        tables = [attacked(0.05, np.nan), attacked(0.02, -0.01, kind="pieces of 1 cM")]
        table = pd.concat([tables[0], tables[1][tables[1]["variant"] != ""]])
        assert membership.power(table)["canaries"].tolist() == ["pieces of 1 cM"]

    def test_areas_of_some_samples_are_no_runs_of_their_own(self):
        table = attacked(0.05, 0.01)
        some = table[(table["metric"] == "membership_auc") & (table["variant"] == "")]
        table = pd.concat([table, some.assign(against="A", value=0.9), some.assign(against="B", value=0.1)])
        assert membership.power(table)["auc"].tolist() == [0.5]

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
