"""Classifiers that learn from good, useless and lacking synthetic people."""

import numpy as np
import pytest
from settings import run_file

from syngeno.data.cohort import Cohort
from syngeno.evaluate import utility

CLASSIFIERS = run_file()["evaluate"]["utility"]["classifiers"]


def people(n, seed, labels="ABC", variants=300, informative=True):
    rng = np.random.default_rng(seed)
    frequency = np.random.default_rng(9).beta(2, 2, (len(labels), variants))
    code = np.arange(n) % len(labels)
    dosages = rng.binomial(2, frequency[code] if informative else frequency[rng.permutation(code)])
    return Cohort(
        dosages.astype(np.int8),
        np.array(list(labels))[code],
        np.full(variants, "1"),
        np.arange(variants),
        np.zeros(variants, np.int32),
    )


def measure(synthetic, train, test, classifiers=("logistic_regression",), **settings):
    rows = utility.measure(synthetic, train, test, seed=1, components=10, classifiers=classifiers, **settings)
    return {(row["metric"], row["group"]): row for row in rows}


class TestMeasure:
    train, test = people(90, 1), people(60, 2)

    def test_good_people_recover_all(self):
        rows = measure(people(90, 3), self.train, self.test, classifiers=CLASSIFIERS)
        for group in ("all", *CLASSIFIERS):
            assert rows["accuracy_real", group]["value"] > 0.9
            assert rows["recovery_rate", group]["value"] == pytest.approx(1, abs=0.1)
            assert rows["recovery_rate", group]["against"] == "test"

    def test_copies_recover_exactly_all(self):
        row = measure(self.train, self.train, self.test)["recovery_rate", "all"]
        assert (row["low"], row["value"], row["high"]) == (1, 1, 1)

    def test_useless_people_do_not(self):
        rows = measure(people(90, 3, informative=False), self.train, self.test)
        assert rows["accuracy", "all"]["value"] < 0.7
        recovery = rows["recovery_rate", "all"]
        assert recovery["low"] < recovery["value"] < recovery["high"] < 0.8

    def test_by_hand(self):
        """Of ten samples, six of one label, real ones get nine right and synthetic ones eight."""
        label = np.array(list("AAAAAABBBB"))
        right = {"synthetic": np.arange(10) < 8, "real": np.arange(10) < 9}
        rows = {row["metric"]: row for row in utility._numbers(**right, label=label, name="c", seed=1)}
        assert rows["accuracy_chance"]["value"] == 0.6
        assert rows["accuracy_ratio"]["value"] == pytest.approx(8 / 9)
        assert "recovery_rate" not in rows  # ten samples cannot tell .9 from .6
        many = {name: np.tile(one, 20) for name, one in right.items()}
        rows = {row["metric"]: row for row in utility._numbers(**many, label=np.tile(label, 20), name="c", seed=1)}
        recovery = rows["recovery_rate"]
        assert recovery["value"] == pytest.approx((0.8 - 0.6) / (0.9 - 0.6))
        assert recovery["low"] < recovery["value"] < recovery["high"] < 1

    def test_guessing_recovers_nothing(self):
        """Who always says the largest label has a plain ratio of .67 here, and no recovery at all."""
        label = np.repeat(list("AB"), [60, 40])
        numbers = utility._numbers(label == "A", np.arange(100) % 10 > 0, label, "c", 1)
        rows = {row["metric"]: row["value"] for row in numbers}
        assert rows["accuracy_ratio"] == pytest.approx(0.6 / 0.9)
        assert rows["recovery_rate"] == pytest.approx(0)

    def test_a_label_that_cannot_be_learnt_has_no_recovery(self):
        """The plain ratio of one guess to another is near 1."""
        train, test, synthetic = (people(n, k, informative=False) for k, n in ((1, 90), (2, 60), (3, 90)))
        rows = measure(synthetic, train, test)
        assert ("recovery_rate", "all") not in rows
        assert rows["accuracy_ratio", "all"]["value"] > 0.7
        assert rows["accuracy_chance", "all"]["value"] == pytest.approx(1 / 3)

    def test_a_class_that_is_missing(self):
        lacking = people(90, 3)
        rows = measure(lacking.take(lacking.label != "C"), self.train, self.test)
        assert rows["balanced_accuracy", "all"]["value"] == pytest.approx(2 / 3, abs=0.05)
        assert rows["recall", "C"]["value"] == 0
        assert rows["recall_real", "C"]["value"] > 0.9

    def test_recalls_are_what_balanced_accuracy_is_the_mean_of(self):
        rows = measure(people(90, 3, informative=False), self.train, self.test)
        for suffix in ("", "_real"):
            recalls = [rows[f"recall{suffix}", label] for label in "ABC"]
            mean = np.mean([row["value"] for row in recalls])
            assert mean == pytest.approx(rows[f"balanced_accuracy{suffix}", "all"]["value"])
            assert all(row["low"] < row["high"] <= 1 and row["n"] == 20 for row in recalls)

    def test_recalls_are_the_headlines_only(self):
        rows = measure(self.train, self.train, self.test, classifiers=("random_forest",))
        assert not [row for row in rows if row[0].startswith("recall")]

    def test_effects_of_an_association_scan_are_among_the_rows(self):
        rows = measure(people(90, 3), self.train, self.test)
        assert rows["association_r", "all"]["value"] > 0.9
        assert rows["association_slope", "B"]["against"] == "train"

    def test_one_class_only_is_always_guessed(self):
        lacking = people(90, 3).of("A")
        assert measure(lacking, self.train, self.test)["accuracy", "all"]["value"] == pytest.approx(1 / 3)

    def test_nothing_to_tell_without_classes(self):
        same = people(30, 1, labels="A")
        assert measure(same, same, same) == {}

    def test_a_class_of_one(self):
        label = self.train.label.copy()
        label[0] = "D"
        train = Cohort(self.train.dosages, label, self.train.contig, self.train.position, self.train.block)
        rows = measure(train, train, self.test, classifiers=CLASSIFIERS)
        assert rows["accuracy", "all"]["value"] > 0.8

    def test_what_depends_on_real_samples_alone_may_be_given(self):
        settings = {"components": 10, "classifiers": ("logistic_regression",)}
        real = utility.reference(self.train, self.test, seed=1, **settings)
        synthetic = people(60, 3)
        assert measure(synthetic, self.train, self.test, real=real) == measure(synthetic, self.train, self.test)

    def test_order_of_people_changes_nothing(self):
        synthetic = people(60, 3)
        mixed = synthetic.take(np.random.default_rng(4).permutation(60))
        assert measure(synthetic, self.train, self.test) == measure(mixed, self.train, self.test)

    def test_refuses(self):
        with pytest.raises(ValueError, match="no classifier 'oracle'"):
            measure(self.train, self.train, self.test, classifiers=("oracle",))


class TestFeatures:
    def test_takes_out_what_a_person_adds(self):
        """Without structure, people lie far out on axes that they helped to fit, until corrected."""
        p = np.full(4000, 0.5)
        noise = people(80, 1, labels="A", variants=4000)
        noise.dosages[:] = np.random.default_rng(5).binomial(2, p, (80, 4000))
        axes, x = utility.features(noise, 5)
        fresh = axes.coordinates(np.random.default_rng(6).binomial(2, p, (200, 4000)))
        fitted = axes.coordinates(noise.dosages)
        assert fitted.std() > 5 * fresh.std()
        assert x.std() < 3 * fresh.std()

    def test_leaves_real_structure(self):
        two = people(200, 1, labels="AB")
        axes, x = utility.features(two, 1)
        fitted = axes.coordinates(two.dosages)
        assert np.corrcoef(x[:, 0], fitted[:, 0])[0, 1] > 0.99
        assert x.std() > 0.8 * fitted.std()


class TestBalancedAccuracy:
    def test_by_hand(self):
        right = np.array([True, True, True, False])
        assert utility.balanced_accuracy(right, np.array(["A", "A", "A", "B"])) == 0.5
