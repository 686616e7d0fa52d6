"""AATS where the answer is known: copies, halves of one cohort, strangers, ties."""

import numpy as np
import pytest
from settings import run_file

from syngeno.data.cohort import Cohort
from syngeno.evaluate import adversarial_accuracy, neighbours

SETTINGS = run_file()["evaluate"]["privacy"] | {"components": "paper", "max_components": 8}


def people(n, variants=300, seed=0, frequency=None, label=None):
    rng = np.random.default_rng(seed)
    if frequency is None:
        frequency = np.random.default_rng(99).uniform(0.05, 0.95, variants)
    dosages = rng.binomial(2, np.broadcast_to(frequency, (n, variants))).astype(np.int8)
    return Cohort(
        dosages,
        np.full(n, "A") if label is None else label,
        np.full(variants, "1"),
        np.arange(variants),
        (np.arange(variants) // 30).astype(np.int32),
    )


def value(rows, metric, group="all", against=""):
    (found,) = [row for row in rows if (row["metric"], row["group"], row["against"]) == (metric, group, against)]
    return found["value"]


def judged(synthetic, train, test, **change):
    return adversarial_accuracy.measure(synthetic, train, test, seed=1, **SETTINGS | change)


def votes_of(cohorts, metric):
    space = adversarial_accuracy.Space(cohorts, metric, {})
    return adversarial_accuracy.full_size(space, {name: np.arange(len(rows)) for name, rows in cohorts.items()})


class TestFullSize:
    def test_by_hand(self):
        train, test = np.array([[0], [10], [20]]), np.array([[12]])
        synthetic = np.array([[1], [14], [30]])
        cohorts = {"synthetic": synthetic, "train": train, "test": test}
        votes = votes_of(cohorts, "euclidean")
        of_train, of_test, of_synthetic = votes["train"], votes["test"], votes["synthetic"]
        # 0: 1 < 10; 10: 4 < 10; 20: 6 < 10. 1: 1 < 13; 14: 4 < 13; 30: 10 < 16.
        assert of_train.tolist() == [0, 0, 0]
        assert of_synthetic.tolist() == [0, 0, 0]
        # 12: nearest synthetic 2 (14); nearest train 2 (10), a tie; without it 8 (20), in one case of three.
        assert of_test.tolist() == pytest.approx([2 / 3 * 0.5])

    def test_needs_equal_sizes(self):
        with pytest.raises(ValueError, match="thin"):
            cohorts = {"synthetic": np.zeros((3, 1)), "train": np.zeros((2, 1)), "test": np.zeros((2, 1))}
            votes_of(cohorts, "l1")


class TestYale:
    def test_by_hand(self):
        real, synthetic = np.array([[0.0], [1], [5]]), np.array([[0.5], [7], [8]])
        # 0: .5 < 1; 1: .5 < 1; 5: 2 < 4. .5: .5 < 6.5; 7: 2 > 1; 8: 3 > 1.
        space = adversarial_accuracy.Space({"synthetic": synthetic, "real": real}, "euclidean", {})
        found = adversarial_accuracy.yale(space, np.arange(3), "real", np.arange(3))
        assert found == (0, pytest.approx(2 / 3))


class TestMeasure:
    def test_verbatim_copies_are_flagrant(self):
        train, test = people(120, seed=1), people(40, seed=2)
        rows = judged(train.take(np.random.default_rng(0).permutation(120)), train, test)
        for group in ("all", "encoder_space"):
            assert value(rows, "aa_truth", group, "train") == 0
            assert value(rows, "aa_truth", group, "test") == pytest.approx(0.5, abs=0.01)
            assert value(rows, "aa_syn", group, "train") == 0
            assert value(rows, "privacy_loss", group) == pytest.approx(0.5, abs=0.01)
            assert value(rows, "aa_saturated", group) == 0

    def test_yales_form_sees_less_of_them(self):
        train, test = people(200, seed=1), people(40, seed=2)
        rows = judged(train, train, test, encoder_space=False)
        assert 0 < value(rows, "privacy_loss_yale") < 0.3

    def test_fresh_people_leak_nothing(self):
        rows = judged(people(300, seed=1), people(300, seed=2), people(150, seed=3), encoder_space=False)
        for against in ("train", "test"):
            assert value(rows, "aa_truth", "all", against) == pytest.approx(0.5, abs=0.12)
            assert value(rows, "aats_yale", "all", against) == pytest.approx(0.5, abs=0.12)
        assert value(rows, "aats", "all", "train") == pytest.approx(0.5, abs=0.1)
        loss = next(row for row in rows if row["metric"] == "privacy_loss")
        assert loss["low"] < 0 < loss["high"]

    def test_strangers_saturate(self):
        strangers = people(60, seed=1, frequency=np.tile([0.02, 0.98], 150))
        rows = judged(strangers, people(60, seed=2), people(30, seed=3), encoder_space=False)
        assert value(rows, "aa_truth", "all", "train") == 1
        assert value(rows, "aa_truth", "all", "test") == 1
        assert value(rows, "privacy_loss") == 0
        assert value(rows, "aa_saturated") == 1

    def test_ties_are_halves(self):
        same = people(20, frequency=np.zeros(300))
        rows = judged(same, same, same, encoder_space=False)
        for metric, against in (("aa_truth", "train"), ("aa_truth", "test"), ("aa_syn", "train")):
            assert value(rows, metric, "all", against) == 0.5

    def test_labels_average_to_all(self):
        label = np.repeat(["A", "B"], [30, 50])
        train, test = people(80, seed=1, label=label), people(40, seed=2, label=label[10:50])
        rows = judged(people(80, seed=3, label=label), train, test, encoder_space=False)
        mean = (30 * value(rows, "aa_syn", "A", "train") + 50 * value(rows, "aa_syn", "B", "train")) / 80
        assert mean == pytest.approx(value(rows, "aa_syn", "all", "train"))

    def test_sizes_are_made_equal(self):
        train, test = people(60, seed=1), people(20, seed=2)
        for asked, used in ((100, 60), (30, 30)):
            rows = judged(people(asked, seed=3), train, test, encoder_space=False)
            for row in rows:
                if row["metric"] == "aa_truth":
                    assert row["n"] == (used if row["against"] == "train" else 20)

    def test_order_of_people_changes_nothing(self):
        label = np.repeat(["A", "B"], 25)
        cohorts = [people(50, seed=seed, label=label) for seed in range(3)]
        mixed = [cohort.take(np.random.default_rng(4).permutation(50)) for cohort in cohorts]
        assert judged(*cohorts) == judged(*mixed)

    @pytest.mark.parametrize("drawn", [40, 60, 90])
    def test_what_is_known_of_real_samples_and_neighbours_may_be_given(self, drawn):
        label = np.repeat(["A", "B"], [60, 30])
        synthetic, train, test = (
            people(drawn, seed=1, label=label[:drawn]),
            people(60, seed=2, label=label[20:80]),
            people(25, seed=3),
        )
        given = {
            "real": adversarial_accuracy.reference(train, test, **SETTINGS),
            "among_real": neighbours.reference(train, test),
            "to_real": neighbours.measure(synthetic, train, test),
        }
        afresh = [judged(synthetic, train, test), judged(synthetic, train, test, **given)]
        assert afresh[0] == afresh[1]
        # And what is known is not searched again but for what thinning takes away.
        cohorts = dict(zip(("synthetic", "train", "test"), (synthetic, train, test), strict=True))
        if drawn == 60:
            votes = votes_of({k: c.in_canonical_order().dosages for k, c in cohorts.items()}, "l1")
            assert value(afresh[0], "aa_truth", "all", "train") == votes["train"].mean()
            assert value(afresh[0], "aa_syn", "all", "train") == votes["synthetic"].mean()

    def test_intervals_hold_the_value(self):
        rows = judged(people(50, seed=1), people(50, seed=2), people(25, seed=3))
        assert all(row["low"] <= row["value"] <= row["high"] for row in rows if not np.isnan(row["low"]))

    def test_refuses_other_variants_and_too_few(self):
        with pytest.raises(ValueError, match="same variants"):
            judged(people(5), people(5), people(5, variants=200))
        with pytest.raises(ValueError, match="two samples"):
            judged(people(5), people(5), people(1))
