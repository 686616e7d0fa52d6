import numpy as np
import pandas as pd
import pytest

from syngeno.paper import experiments

GROUP = "latents: mlp"


def guesses(right, samples=100):
    """The first `right` of so many samples are guessed right."""
    truth = np.array(["A", "B"] * (samples // 2))
    guess = np.where(np.arange(samples) < right, truth, "C")
    return pd.DataFrame({"label": truth, GROUP: guess})


def value(table, metric, real_fraction):
    chosen = table[(table["metric"] == metric) & (table["real_fraction"] == real_fraction)]
    assert len(chosen) == 1
    return chosen.iloc[0]


class TestOfReal:
    def test_accuracy_of_a_share(self):
        table = experiments.of_real(guesses(80), fraction=20, seed=3)
        found = value(table[table["group"] == GROUP], "accuracy", 20)
        assert found["value"] == pytest.approx(0.8)
        assert found["low"] < 0.8 < found["high"]
        assert (found["generator"], found["fraction"], found["seed"], found["protocol"]) == ("real", 20, "3", "paper")

    def test_balanced_accuracy_weighs_labels_alike(self):
        truth = np.array(["A"] * 90 + ["B"] * 10)
        table = experiments.of_real(pd.DataFrame({"label": truth, GROUP: "A"}), fraction=100, seed=1)
        assert table.set_index(["metric", "group"])["value"].to_dict() == {
            ("accuracy", GROUP): 0.9,
            ("balanced_accuracy", GROUP): 0.5,
            ("accuracy", experiments.CHANCE): 0.9,
            ("balanced_accuracy", experiments.CHANCE): 0.5,
        }


class TestOfGenerator:
    def judged(self, **change):
        given = {
            "synthetic": {0: guesses(60), 20: guesses(75)},
            "real": {100: guesses(80), 20: guesses(50)},
        } | change
        return experiments.of_generator(**given, generator="g", fraction=100, seed=1)

    def test_recovery_is_over_real_samples_of_the_generators_own_fraction(self):
        found = value(self.judged(), "recovery_rate", 0)
        assert found["value"] == pytest.approx(60 / 80)
        assert found["low"] < 0.75 < found["high"]

    def test_gain_is_over_the_same_real_samples_alone(self):
        found = value(self.judged(), "gain", 20)
        assert found["value"] == pytest.approx(0.25)
        assert 0 < found["low"] < 0.25 < found["high"]

    def test_no_gain_where_nothing_is_added_and_no_recovery_where_something_is(self):
        table = self.judged()
        accuracies = {"accuracy", "balanced_accuracy"}
        assert set(table["metric"][table["real_fraction"] == 0]) == {*accuracies, "recovery_rate"}
        assert set(table["metric"][table["real_fraction"] == 20]) == {*accuracies, "gain"}

    def test_what_is_left_of_the_gain_in_the_papers_protocol(self):
        real = {20: guesses(50)}
        table = experiments.of_generator(
            {0: guesses(40), 20: guesses(60)}, real, generator="g", fraction=20, seed=1, paper=guesses(90)
        )
        found = value(table, "gain_left", 20)
        assert found["value"] == pytest.approx(10 / 40)
        assert 0 < found["low"] < 0.25 < found["high"] < 0.5

    def test_nothing_is_left_of_no_gain(self):
        table = experiments.of_generator(
            {20: guesses(60)}, {20: guesses(50)}, generator="g", fraction=20, seed=1, paper=guesses(50)
        )
        assert "gain_left" not in set(table["metric"])

    def test_interval_is_of_pairs(self):
        """Equal guesses differ nowhere, whatever samples are drawn."""
        found = value(self.judged(synthetic={20: guesses(50)}), "gain", 20)
        assert found["low"] == found["value"] == found["high"] == 0

    def test_no_recovery_of_nothing(self):
        table = self.judged(synthetic={0: guesses(10)}, real={100: guesses(0)})
        assert set(table["metric"]) == {"accuracy", "balanced_accuracy"}

    def test_other_test_samples(self):
        other = guesses(50).iloc[::-1].reset_index(drop=True)
        with pytest.raises(ValueError, match="different test samples"):
            self.judged(real={100: other, 20: other})


class TestBetween:
    def test_each_over_each_on_the_same_samples(self):
        table = experiments.between({"a": guesses(60), "b": guesses(50)}, seed=1).set_index(["generator", "against"])
        assert set(table.index) == {("a", "b"), ("b", "a")}
        lead, lag = table.loc[("a", "b")], table.loc[("b", "a")]
        assert (lead["metric"], lead["group"], lead["fraction"], lead["n"]) == ("lead", GROUP, 100, 100)
        assert lead["value"] == pytest.approx(0.1) == pytest.approx(-lag["value"])
        # Ten samples of a hundred distinguish the two, all in favour of one: a spread of 3 in a hundred.
        assert 0.02 < lead["low"] < 0.1 < lead["high"] < 0.18

    def test_one_generator_leads_nobody(self):
        assert experiments.between({"a": guesses(60)}, seed=1).empty

    def test_other_test_samples(self):
        other = guesses(50).iloc[::-1].reset_index(drop=True)
        with pytest.raises(ValueError, match="a and b are of different test samples"):
            experiments.between({"a": guesses(50), "b": other}, seed=1)
