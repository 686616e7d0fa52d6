"""Splits of real people, and the interval of one more draw."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syngeno.data.cohort import Cohort
from syngeno.evaluate import envelope
from syngeno.evaluate.metrics import row


def cohort(people, seed=0):
    rng = np.random.default_rng(seed)
    return Cohort(
        rng.integers(0, 3, (people, 8), np.int8),
        np.where(np.arange(people) % 3 == 0, "A", "B"),
        np.full(8, "1"),
        np.arange(8),
        np.zeros(8, np.int32),
    )


class TestParts:
    @settings(max_examples=30, deadline=None)
    @given(
        st.lists(st.sampled_from("ABC"), min_size=3, max_size=60),
        st.floats(0.1, 1),
        st.sampled_from([{}, {"reference": 0.1}, {"reference": 0.7}]),
        st.integers(0, 9),
    )
    def test_everybody_once_and_halves_equal(self, label, share_test, more, seed):
        label = np.array(label)
        sets = envelope.parts(label, {"test": share_test, **more}, np.random.default_rng(seed))
        assert list(sets) == ["train", "synthetic", "test", *more]
        assert sorted(np.concatenate(list(sets.values()))) == list(range(len(label)))
        for one in np.unique(label):
            assert (label[sets["train"]] == one).sum() == (label[sets["synthetic"]] == one).sum()

    def test_sizes_are_those_of_the_real_split(self):
        sets = envelope.parts(np.full(800, "A"), {"test": 2 / 7}, np.random.default_rng(0))
        assert [len(part) for part in sets.values()] == [350, 350, 100]
        sets = envelope.parts(np.full(800, "A"), {"test": 0.2, "reference": 0.1}, np.random.default_rng(0))
        assert [len(part) for part in sets.values()] in ([348, 348, 70, 34], [348, 348, 69, 35])

    def test_small_classes_share_a_small_set(self):
        label = np.repeat([f"L{i:02d}" for i in range(20)], 10)
        for seed in range(5):
            sets = envelope.parts(label, {"test": 0.3, "reference": 0.1}, np.random.default_rng(seed))
            of_rest = len(sets["reference"]) / (len(sets["reference"]) + len(sets["test"]))
            assert of_rest == pytest.approx(0.25, abs=0.03)

    def test_a_class_of_three_is_in_all_sets(self):
        sets = envelope.parts(np.full(3, "A"), {"test": 0.1}, np.random.default_rng(0))
        assert [len(part) for part in sets.values()] == [1, 1, 1]

    @pytest.mark.parametrize("shares", [{}, {"test": 0}, {"test": 0.1, "reference": 0}])
    def test_refuses_a_set_of_nobody(self, shares):
        with pytest.raises(ValueError, match="shares"):
            envelope.parts(np.full(9, "A"), shares, np.random.default_rng(0))


class TestRealVsReal:
    def test_interval_by_hand(self):
        values = iter([0.4, 0.45, 0.5, 0.55, 0.6])

        def measure(synthetic, train, test, *, seed):
            assert len(synthetic) == len(train)
            return [row("m", next(values), n=len(synthetic))]

        table = envelope.real_vs_real(measure, cohort(30), {"test": 0.5}, 5, seed=1)
        found = table.iloc[0]
        assert (found["metric"], found["group"], found["against"], found["n"], found["splits"]) == (
            "m",
            "all",
            "",
            12,
            5,
        )
        assert found["real"] == pytest.approx(0.5)
        assert found["real_high"] - 0.5 == pytest.approx(2.776445 * 0.00625**0.5 * (1 + 1 / 5) ** 0.5)  # t(.975, 4)
        assert found["real_low"] - 0.5 == pytest.approx(0.5 - found["real_high"])

    def test_same_seed_same_numbers_whatever_the_order(self):
        def measure(synthetic, train, test, *, seed):
            return [row("m", (synthetic.dosages.astype(float) @ np.arange(8)).sum() + seed, n=1)]

        people = cohort(40)
        order = np.random.default_rng(5).permutation(40)
        one = envelope.real_vs_real(measure, people, {"test": 0.5}, 4, seed=3)
        assert one.equals(envelope.real_vs_real(measure, people.take(order), {"test": 0.5}, 4, seed=3))
        assert not one.equals(envelope.real_vs_real(measure, people, {"test": 0.5}, 4, seed=4))

    def test_a_number_that_is_sometimes_absent(self):
        calls = []

        def measure(synthetic, train, test, *, seed):
            calls.append(seed)
            return [row("often", 1, n=1)] + ([row("once", 2, n=1)] if len(calls) == 1 else [])

        table = envelope.real_vs_real(measure, cohort(30), {"test": 0.5}, 3, seed=1).set_index("metric")
        assert table.loc["often", "splits"] == 3
        assert table.loc["once", "splits"] == 1
        assert np.isnan(table.loc["once", "real_low"])
        assert calls == [1, 2, 3]

    def test_a_suite_that_has_nothing_to_say(self):
        """Utility of a cohort of one class, say: an empty table, not a crash."""
        table = envelope.real_vs_real(lambda **_: [], cohort(12), {"test": 0.5}, splits=2, seed=1)
        assert table.empty
        assert list(table.columns) == envelope.COLUMNS

    def test_a_suite_that_asks_for_a_reference(self):
        sizes = []

        def measure(synthetic, train, test, *, reference, seed):
            sizes.append([len(people) for people in (synthetic, train, test, reference)])
            return []

        envelope.real_vs_real(measure, cohort(90), {"test": 0.25, "reference": 0.25}, 2, seed=1)
        assert sizes == [[36, 36, 9, 9], [36, 36, 9, 9]]

    def test_coverage_by_hand(self):
        """Of .1 .. .9 and 5, only 5 lies outside the interval of the others."""
        values = iter([*np.arange(1, 10) / 10, 5.0])
        table = envelope.real_vs_real(
            lambda **_: [row("m", next(values), n=1), row("same", 0.1, n=1)], cohort(30), {"test": 0.5}, 10, seed=1
        ).set_index("metric")
        assert table.loc["m", "coverage"] == pytest.approx(0.9)
        assert table.loc["same", "coverage"] == 1

    @pytest.mark.parametrize(("splits", "holds"), [(2, False), (4, False), (5, True)])
    def test_few_splits_have_no_interval(self, splits, holds):
        """Two splits of which one has twice the other's AUC would hold any generator."""
        values = iter([0.4, 0.8, 0.5, 0.6, 0.7])
        table = envelope.real_vs_real(
            lambda **_: [row("membership_auc", next(values), n=1)], cohort(30), {"test": 0.5}, splits, seed=1
        )
        assert np.isfinite(table["real"].item())
        assert np.isfinite(table[["real_low", "real_high"]]).to_numpy().all() == holds

    def test_holds_nothing_that_cannot_be(self):
        """A true-positive rate of real samples of -.01, or an accuracy above 1."""
        values = iter([0.0, 0.01, 0.02, 0.0, 0.01] * 2)

        def measure(**_):
            rate = next(values)
            return [row("membership_tpr_at_1pct", rate, n=1), row("accuracy", 1 - rate, n=1)]

        table = envelope.real_vs_real(measure, cohort(30), {"test": 0.5}, 5, seed=1).set_index("metric")
        assert table.loc["membership_tpr_at_1pct", "real_low"] == 0 < table.loc["membership_tpr_at_1pct", "real_high"]
        assert table.loc["accuracy", "real_low"] < 1 == table.loc["accuracy", "real_high"]

    def test_two_splits_have_no_coverage(self):
        values = iter([1.0, 2.0])
        table = envelope.real_vs_real(lambda **_: [row("m", next(values), n=1)], cohort(30), {"test": 0.5}, 2, seed=1)
        assert np.isnan(table["coverage"].item())


class TestCoverage:
    def test_of_normal_numbers_is_what_it_promises(self):
        rng = np.random.default_rng(1)

        def measure(**_):
            return [row("m", value, group=f"{i}", n=1) for i, value in enumerate(rng.normal(3, 2, 300))]

        table = envelope.real_vs_real(measure, cohort(30), {"test": 0.5}, 20, seed=1)
        (found,) = envelope.coverage(table, "fidelity")
        assert (found["metric"], found["group"], found["n"]) == ("envelope_coverage", "fidelity", 300)
        assert found["value"] == pytest.approx(0.95, abs=0.01)

    def test_numbers_that_never_vary_do_not_count(self):
        values = iter([*np.arange(1, 10) / 10, 5.0])
        table = envelope.real_vs_real(
            lambda **_: [row("m", next(values), n=1), row("same", 0.1, n=1)], cohort(30), {"test": 0.5}, 10, seed=1
        )
        (found,) = envelope.coverage(table, "audit")
        assert (found["n"], found["value"]) == (1, pytest.approx(0.9))

    def test_nothing_to_say(self):
        table = envelope.real_vs_real(lambda **_: [], cohort(30), {"test": 0.5}, 3, seed=1)
        assert envelope.coverage(table, "utility") == []
