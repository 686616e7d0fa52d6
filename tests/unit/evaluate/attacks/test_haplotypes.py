"""Attacks along haplotypes, where what they must find is known, and by hand."""

from dataclasses import replace

import linked
import numpy as np
import pytest

from syngeno.evaluate import membership
from syngeno.evaluate.attacks import haplotypes, samples
from syngeno.stats import matches, nearest

ATTACKS = {"run_length", "windows", "windows_cm", "painting", "painting_posterior", "likelihood"}


def areas(scores):
    return {attack: membership.auc(*pair)[0] for attack, pair in scores.items()}


def unphased(*cohorts):
    return [replace(one, haplotypes=None) for one in cohorts]


@pytest.fixture(scope="module")
def cohorts():
    """Training, held-out, reference and synthetic samples, the last mosaics of the first."""
    train = linked.real(200, 1)
    return train, linked.real(200, 2), linked.real(60, 3), linked.drawn_from(train, 200, 4)


@pytest.fixture(scope="module")
def few():
    """The same of fewer samples and variants, of two labels."""
    label = np.repeat(["A", "B"], 8)
    return [linked.real(16, seed, label).at(np.arange(650, 750)) for seed in range(4)]


class TestMosaics:
    """No synthetic sample is a training sample, and every piece of one is of one."""

    def test_attacks_along_haplotypes_find_whose_pieces_they_are(self, cohorts):
        found = areas(haplotypes.scores(*cohorts, {})[""])
        assert set(found) == ATTACKS
        assert min(found.values()) > 0.9

    def test_attacks_on_whole_samples_see_little(self, cohorts):
        train, test, reference, synthetic = cohorts
        to_synthetic = tuple(nearest.nearest(one.dosages, synthetic.dosages, "l1") for one in (train, test))
        to_reference = tuple(nearest.nearest(one.dosages, reference.dosages, "l1")[:, 0] for one in (train, test))
        found = areas(samples.scores((train, test), reference, synthetic, to_synthetic, to_reference))
        assert max(found.values()) < 0.7

    def test_without_phase(self, cohorts):
        found = areas(haplotypes.scores(*unphased(*cohorts), {})[""])
        assert set(found) == ATTACKS
        assert min(found.values()) > 0.65
        assert max(found.values()) > 0.8

    def test_one_cohort_without_phase_is_enough_to_take_none(self, few):
        *real, synthetic = few
        found = haplotypes.scores(*real, *unphased(synthetic), {})[""]
        expected = haplotypes.scores(*unphased(*few), {})[""]
        for attack, pair in found.items():
            assert [one.tolist() for one in pair] == [one.tolist() for one in expected[attack]]


@pytest.mark.parametrize("phased", [True, False])
def test_verbatim_copies_give_all_away(phased):
    train, test, reference = linked.real(40, 1), linked.real(40, 2), linked.real(30, 3)
    cohorts = [train, test, reference, train.take(np.random.default_rng(0).permutation(40))]
    found = areas(haplotypes.scores(*(cohorts if phased else unphased(*cohorts)), {})[""])
    assert set(found) == ATTACKS
    assert min(found.values()) > 0.98


def test_real_samples_in_place_of_synthetic_ones_are_guessing():
    inside = {attack: 0 for attack in ATTACKS}
    for seed in range(20):
        cohorts = [linked.real(n, [seed, i]) for i, n in enumerate((50, 50, 20, 50))]
        for attack, pair in haplotypes.scores(*cohorts, {})[""].items():
            _, low, high = membership.auc(*pair)
            inside[attack] += low <= 0.5 <= high
    assert min(inside.values()) >= 16
    assert sum(inside.values()) / (20 * len(ATTACKS)) > 0.9


class TestByHand:
    """Six variants, one window of them, one haplotype of each kind (twice in a sample)."""

    def scores(self, monkeypatch, window=6):
        monkeypatch.setattr(matches, "WINDOW", window)
        training, heldout = [0, 0, 0, 0, 0, 0], [1, 1, 1, 0, 0, 0]
        reference, synthetic = [1, 1, 1, 1, 1, 1], [0, 0, 0, 0, 0, 1]
        cohorts = [linked.cohort(np.array([one, one], np.int8)) for one in (training, heldout, reference, synthetic)]
        return {name: [one.item() for one in pair] for name, pair in haplotypes.scores(*cohorts, {})[""].items()}

    def test_windows(self, monkeypatch):
        found = self.scores(monkeypatch)["windows"]
        assert found == pytest.approx([2 * np.log(6.5 / 1.5), 2 * np.log(3.5 / 4.5)])
        found = self.scores(monkeypatch, 3)["windows"]
        heldout = np.log(0.5 / 3.5) + np.log(3.5 / 1.5)
        assert found == pytest.approx([2 * (np.log(3.5 / 0.5) + np.log(3.5 / 1.5)), 2 * heldout])

    def test_painting_shares_among_ties(self, monkeypatch):
        assert self.scores(monkeypatch)["painting"] == [2, 0]  # both synthetic haplotypes, of training haplotypes
        # In the second window training and held-out haplotypes are as near.
        assert self.scores(monkeypatch, 3)["painting"] == [3, 1]

    def test_run_length(self, monkeypatch):
        training = np.log1p([1, 2, 3, 4, 5, 0]).sum()
        heldout = np.log1p([0, 0, 0, 1, 2, 0]).sum() - np.log1p([1, 2, 3, 0, 0, 0]).sum()
        assert self.scores(monkeypatch)["run_length"] == pytest.approx([2 * training, 2 * heldout])

    def test_windows_of_too_few_variants_are_no_attack(self, monkeypatch):
        assert "windows_cm" not in self.scores(monkeypatch)


class TestScores:
    @pytest.mark.parametrize("phased", [True, False])
    def test_with_canaries_as_of_both_cohorts_together(self, few, phased):
        train, test, reference, synthetic = few if phased else unphased(*few)
        added = {"some": train.take(np.array([0, 9])), "others": test.take(np.array([3]))}
        found = haplotypes.scores(train, test, reference, synthetic, added, [0.25])
        assert set(found) == {"", "some", "others", "0.25"}
        expected = {"": synthetic, "0.25": synthetic.take(np.arange(4))}
        expected |= {name: synthetic.joined(one) for name, one in added.items()}
        for name, cohort in expected.items():
            afresh = haplotypes.scores(train, test, reference, cohort, {})[""]
            assert set(afresh) == set(found[name])
            for attack, pair in afresh.items():
                for one, other in zip(pair, found[name][attack], strict=True):
                    assert one == pytest.approx(other, rel=1e-5), (name, attack)

    def test_canaries_raise_the_scores_of_whom_they_are(self, few):
        train, *others = few
        found = haplotypes.scores(train, *others, {"canary": train.take(np.array([5]))})
        for attack in ATTACKS & set(found[""]):
            gain = found["canary"][attack][0] - found[""][attack][0]
            assert gain.argmax() == 5 and gain[5] > 0, attack

    def test_a_share_of_few_samples_is_one_sample(self, few):
        train, test, reference, synthetic = few
        found = haplotypes.scores(train, test, reference, synthetic.take(np.arange(3)), {}, [0.01, 0.1])
        for attack, pair in found["0.01"].items():
            assert [one.tolist() for one in pair] == [one.tolist() for one in found["0.1"][attack]]

    @pytest.mark.parametrize("phased", [True, False])
    def test_order_of_samples_changes_nothing(self, few, phased):
        cohorts = few if phased else unphased(*few)
        orders = [np.random.default_rng(i).permutation(16) for i in range(4)]
        mixed = [cohort.take(order) for cohort, order in zip(cohorts, orders, strict=True)]
        one, other = (haplotypes.scores(*both, {})[""] for both in (cohorts, mixed))
        for attack, pair in one.items():
            for i, part in enumerate(pair):
                assert part[orders[i]] == pytest.approx(other[attack][i], rel=1e-5, abs=1e-5), attack

    def test_threads_change_nothing(self, few):
        one, two = (haplotypes.scores(*few, {}, threads=threads)[""] for threads in (1, 2))
        for attack, pair in one.items():
            assert [part.tolist() for part in pair] == [part.tolist() for part in two[attack]]

    @pytest.mark.parametrize("phased", [True, False])
    def test_a_chromosome_shorter_than_a_window(self, phased):
        cohorts = [linked.real(12, seed).at(np.arange(697, 740)) for seed in range(4)]  # 3 variants of the first
        found = haplotypes.scores(*(cohorts if phased else unphased(*cohorts)), {})[""]
        assert set(found) == ATTACKS
        assert all(np.isfinite(one).all() for pair in found.values() for one in pair)

    def test_labels_that_others_lack(self, few):
        train, test, reference, synthetic = few
        found = haplotypes.scores(train, test, reference.of("A"), synthetic.of("B"), {})[""]
        assert all(np.isfinite(one).all() for pair in found.values() for one in pair)

    def test_no_allele_of_a_window_in_one_cohort(self, few):
        train, test, reference, synthetic = few
        none = [one.changed(haplotypes=np.zeros_like(one.haplotypes)) for one in (reference, synthetic)]
        found = haplotypes.scores(train, test, *none, {})[""]
        assert found["windows"][0].tolist() == [0] * len(train)

    def test_mosaics_are_of_the_label(self, few):
        """A sample of one label that is copied under the other is likelier under its own."""
        copy, other = few[0].take(np.array([0])), np.array(["B"])
        found = haplotypes.scores(*few, {"own": copy, "other": replace(copy, label=other)})
        assert found["own"]["likelihood"][0][0] > found["other"]["likelihood"][0][0]
        assert found["other"]["likelihood"][0][0] == pytest.approx(found[""]["likelihood"][0][0])

    def test_a_genetic_map_sets_the_windows_of_centimorgans(self, few):
        one = haplotypes.scores(*few, {})[""]["windows_cm"]
        dense = [replace(cohort, cm=linked.POSITION[650:750] * 1e-7) for cohort in few]
        other = haplotypes.scores(*dense, {})[""]["windows_cm"]
        assert not np.allclose(one[0], other[0])
