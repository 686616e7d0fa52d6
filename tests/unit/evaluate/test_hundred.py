import numpy as np
import pytest
from settings import run_file

from syngeno.evaluate import adversarial_accuracy, metrics

SETTINGS = run_file(evaluate={"paper": {}})["evaluate"]["paper"]["neighbours"]


def cloud(people, seed, shift=0.0):
    return np.random.default_rng(seed).normal(shift, size=(people, 10, 4)).astype(np.float32)


def found(synthetic, **change):
    sets = {"train": cloud(300, 1), "test": cloud(150, 2), "validation": cloud(60, 3)} | change
    rows = adversarial_accuracy.measure_few(synthetic, **sets, seed=1, **SETTINGS)
    table = metrics.table(rows, generator="g", fraction=100, seed=1)
    return {(row.metric, row.against): row for row in table.itertuples()}


class TestMeasure:
    def test_people_of_the_same_kind_are_near_one_half(self):
        numbers = found(cloud(300, 4))
        for metric in ("aa_truth", "aa_syn"):
            for against in ("train", "test"):
                row = numbers[metric, against]
                assert row.value == pytest.approx(0.5, abs=0.06)
                assert row.low < row.value < row.high
                assert row.real == pytest.approx(0.5, abs=0.08)
                assert row.real_low < row.real < row.real_high

    def test_copies_are_seen(self):
        """The published search skips pairs nearer than .001, and would call these people strangers."""
        train = cloud(100, 1)
        numbers = found(train, train=train)
        assert numbers["aa_truth", "train"].value == numbers["aa_syn", "train"].value == 0
        assert numbers["aa_truth", "test"].value > 0.3

    def test_far_people(self):
        numbers = found(cloud(300, 4, shift=5))
        assert min(numbers["aa_truth", "train"].value, numbers["aa_syn", "train"].value) > 0.95

    def test_length_means_nothing(self):
        one, scaled = found(cloud(300, 4)), found(3 * cloud(300, 4))
        assert one["aa_truth", "test"].value == scaled["aa_truth", "test"].value

    def test_as_many_as_the_smallest_set_has(self):
        numbers = found(cloud(300, 4))
        assert numbers["aa_truth", "train"].n == 100
        assert numbers["aa_truth", "test"].n == 60  # validation people are 60
        assert found(cloud(40, 4))["aa_truth", "train"].n == 40

    def test_too_few(self):
        with pytest.raises(ValueError, match="two samples"):
            found(cloud(1, 4))
