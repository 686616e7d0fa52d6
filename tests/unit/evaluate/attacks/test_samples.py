"""Attacks on whole samples, by hand and where the answer is known."""

import numpy as np
import pytest

from syngeno.data.cohort import Cohort
from syngeno.evaluate import membership
from syngeno.evaluate.attacks import samples


def cohort(dosages, label=None):
    dosages = np.asarray(dosages, dtype=np.int8)
    people, variants = dosages.shape
    label = np.full(people, "A") if label is None else np.asarray(label)
    return Cohort(dosages, label, np.full(variants, "1"), np.arange(variants), np.zeros(variants, np.int32))


class TestDensityRatio:
    def test_nearer_to_synthetic_is_likelier(self):
        score = samples.density_ratio(np.array([10.0, 5, 0]), np.array([10.0, 10, 10]))
        assert score[0] == 0
        assert score[1] == pytest.approx(np.log(10.5 / 5.5))
        assert score[2] == pytest.approx(np.log(10.5 / 0.5))

    def test_a_reference_twin_speaks_against_it(self):
        assert samples.density_ratio(np.array([0.0]), np.array([0.0])).item() == 0


class TestDistanceRatio:
    def test_a_copy_stands_out_and_a_crowd_does_not(self):
        score = samples.distance_ratio(np.array([[0, 100], [50, 100], [100, 100]]))
        assert score == pytest.approx([np.log(100.5 / 0.5), np.log(100.5 / 50.5), 0])

    def test_scale_hardly_matters(self):
        near, far = samples.distance_ratio(np.array([[50, 100], [5000, 10000]]))
        assert near == pytest.approx(far, abs=0.01)


class TestFrequencyRatio:
    def test_by_hand(self):
        # One label, one variant: pooled (1 + .5)/3 = .5 and (3 + .5)/5 = .7, within the label drawn to the pool by 10.
        ours, theirs = (1 + 10 * 0.5) / 12, (3 + 10 * 0.7) / 14
        score = samples.frequency_ratio(cohort([[0], [1], [2]]), cohort([[1]]), cohort([[1], [2]]))
        zero, two = 2 * np.log((1 - ours) / (1 - theirs)), 2 * np.log(ours / theirs)
        assert score == pytest.approx([zero, (zero + two) / 2, two])

    def test_labels_have_frequencies_of_their_own(self):
        synthetic = cohort([[2]] * 50 + [[0]] * 50, ["A"] * 50 + ["B"] * 50)
        reference = cohort([[1]] * 100, ["A", "B"] * 50)
        score = samples.frequency_ratio(cohort([[2], [2]], ["A", "B"]), synthetic, reference)
        assert score[0] > 0 > score[1]

    def test_a_label_that_nobody_else_has_falls_back_on_all(self):
        synthetic, reference = cohort([[2, 0], [1, 0]]), cohort([[0, 1], [1, 2]])
        known, unknown = (
            samples.frequency_ratio(cohort([[2, 1]], [label]), synthetic, reference) for label in ("A", "C")
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
        whole = samples.frequency_ratio(people, synthetic, reference)
        monkeypatch.setattr(samples, "_SAMPLES", 3)
        assert samples.frequency_ratio(people, synthetic, reference) == pytest.approx(whole)

    def test_finds_those_whose_frequencies_were_used(self):
        rng = np.random.default_rng(2)
        frequency = rng.uniform(0.1, 0.9, 2000)
        members, others, reference = (cohort(rng.binomial(2, frequency, (40, 2000))) for _ in range(3))
        drawn = cohort(rng.binomial(2, members.frequency, (200, 2000)))
        scores = [samples.frequency_ratio(people, drawn, reference) for people in (members, others)]
        assert membership.auc(*scores)[0] > 0.95


class TestScores:
    def test_each_attack_has_its_score_of_either_cohort(self):
        cohorts, synthetic, reference = (cohort([[0, 0]]), cohort([[2, 2], [1, 1]])), cohort([[0, 1]]), cohort([[2, 1]])
        to_synthetic = np.array([[1.0, 9]]), np.array([[3.0, 5], [1, 5]])
        to_reference = np.array([3.0]), np.array([1.0, 2])
        found = samples.scores(cohorts, reference, synthetic, to_synthetic, to_reference)
        assert list(found) == ["distance", "distance_ratio", "density_ratio", "frequency_ratio"]
        assert [one.tolist() for one in found["distance"]] == [[-1], [-3, -1]]
        assert found["distance_ratio"][0] == pytest.approx([np.log(9.5 / 1.5)])
        assert found["distance_ratio"][1] == pytest.approx(np.log([5.5 / 3.5, 5.5 / 1.5]))
        assert found["density_ratio"][0] == pytest.approx([np.log(3.5 / 1.5)])
        assert found["density_ratio"][1] == pytest.approx(np.log([1.5 / 3.5, 2.5 / 1.5]))
        for one, pair in zip(cohorts, found["frequency_ratio"], strict=True):
            assert pair.tolist() == samples.frequency_ratio(one, synthetic, reference).tolist()
