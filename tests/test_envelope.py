"""Splits of real people, and the interval of one more draw."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syngeno import envelope
from syngeno.cohort import Cohort
from syngeno.metrics import row


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
    @given(st.lists(st.sampled_from("ABC"), min_size=3, max_size=60), st.floats(0.1, 1), st.integers(0, 9))
    def test_everybody_once_and_halves_equal(self, label, share_test, seed):
        label = np.array(label)
        a, b, c = envelope.parts(label, share_test, np.random.default_rng(seed))
        assert sorted([*a, *b, *c]) == list(range(len(label)))
        for one in np.unique(label):
            assert (label[a] == one).sum() == (label[b] == one).sum()

    def test_sizes_are_those_of_the_real_split(self):
        a, b, c = envelope.parts(np.full(800, "A"), 2 / 7, np.random.default_rng(0))
        assert (len(a), len(b), len(c)) == (350, 350, 100)

    def test_a_class_of_three_is_in_all_sets(self):
        assert [len(part) for part in envelope.parts(np.full(3, "A"), 0.1, np.random.default_rng(0))] == [
            1,
            1,
            1,
        ]

    def test_refuses_no_test(self):
        with pytest.raises(ValueError, match="share_test"):
            envelope.parts(np.full(9, "A"), 0, np.random.default_rng(0))


class TestRealVsReal:
    def test_interval_by_hand(self):
        values = iter([0.4, 0.5, 0.6])

        def measure(synthetic, train, test, *, seed):
            assert len(synthetic) == len(train)
            return [row("m", next(values), n=len(synthetic))]

        table = envelope.real_vs_real(measure, cohort(30), 0.5, 3, seed=1)
        found = table.iloc[0]
        assert (found["metric"], found["group"], found["against"], found["n"], found["splits"]) == (
            "m",
            "all",
            "",
            12,
            3,
        )
        assert found["real"] == pytest.approx(0.5)
        assert found["real_high"] - 0.5 == pytest.approx(4.302653 * 0.1 * (1 + 1 / 3) ** 0.5)  # t(.975, 2)
        assert found["real_low"] - 0.5 == pytest.approx(0.5 - found["real_high"])

    def test_same_seed_same_numbers_whatever_the_order(self):
        def measure(synthetic, train, test, *, seed):
            return [row("m", (synthetic.dosages.astype(float) @ np.arange(8)).sum() + seed, n=1)]

        people = cohort(40)
        order = np.random.default_rng(5).permutation(40)
        one = envelope.real_vs_real(measure, people, 0.5, 4, seed=3)
        assert one.equals(envelope.real_vs_real(measure, people.take(order), 0.5, 4, seed=3))
        assert not one.equals(envelope.real_vs_real(measure, people, 0.5, 4, seed=4))

    def test_a_number_that_is_sometimes_absent(self):
        calls = []

        def measure(synthetic, train, test, *, seed):
            calls.append(seed)
            return [row("often", 1, n=1)] + ([row("once", 2, n=1)] if len(calls) == 1 else [])

        table = envelope.real_vs_real(measure, cohort(30), 0.5, 3, seed=1).set_index("metric")
        assert table.loc["often", "splits"] == 3
        assert table.loc["once", "splits"] == 1
        assert np.isnan(table.loc["once", "real_low"])
        assert calls == [1, 2, 3]

    def test_a_battery_that_has_nothing_to_say(self):
        """Utility of a cohort of one class, say: an empty table, not a crash."""
        table = envelope.real_vs_real(lambda **_: [], cohort(12), 0.5, splits=2, seed=1)
        assert table.empty
        assert list(table.columns) == envelope.COLUMNS
