import numpy as np
import pytest

from syngeno.models.haplotype import subpopulations


def samples(of, variants=60, seed=0):
    """Dosages of samples of these origins, whose frequencies are far apart: (samples, variants)."""
    rng = np.random.default_rng(seed)
    frequency = rng.uniform(0.05, 0.95, (max(of) + 1, variants))
    return rng.binomial(2, frequency[of]).astype(np.int8)


class TestDivide:
    def test_finds_the_origins_within_a_label(self):
        origin = np.repeat([0, 1, 2], 60)
        label = np.where(origin == 2, "one", "other")
        found = subpopulations.divide(samples(origin), label, 60, 1)
        assert found.label.tolist() == ["one", "other", "other"]
        assert found.share.tolist() == [1, 0.5, 0.5]
        assert len(np.unique(found.of_sample[origin == 0])) == len(np.unique(found.of_sample[origin == 1])) == 1
        assert set(found.of_sample[origin == 2]) == {0}

    def test_a_small_label_is_one_class(self):
        found = subpopulations.divide(samples(np.repeat([0, 1], 40)), np.repeat("a", 80), 60, 1)
        assert found.label.tolist() == ["a"]

    def test_makes_no_class_that_is_as_small_as_a_family(self):
        origin = np.repeat([0, 1], [120, 6])  # six samples apart from all others
        found = subpopulations.divide(samples(origin), np.repeat("a", 126), 42, 1)
        assert np.bincount(found.of_sample).min() >= subpopulations.LEAST
        assert found.share.sum() == pytest.approx(1)

    def test_samples_who_are_all_alike_are_one_class(self):
        found = subpopulations.divide(np.zeros((100, 5), np.int8), np.repeat("a", 100), 30, 1)
        assert found.label.tolist() == ["a"]

    def test_does_not_depend_on_which_allele_is_counted(self):
        dosages, label = samples(np.repeat([0, 1], 60)), np.repeat("a", 120)
        swapped = np.where(np.arange(60) % 2, dosages, 2 - dosages)
        one, other = (subpopulations.divide(x, label, 60, 1).of_sample for x in (dosages, swapped))
        assert len(np.unique(one)) == 2
        assert len(set(zip(one.tolist(), other.tolist(), strict=True))) == 2
