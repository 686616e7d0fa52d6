import numpy as np
import pytest

from syngeno.paper import classifiers
from syngeno.paper.classifiers import People

KINDS = ["mlp", "logistic_regression"]
SETTINGS = {"epochs": 10, "least_steps": 0, "learning_rate": 3e-3}


def people(count, seed, labels=("A", "B", "C")):
    """People whose label shows in both spaces."""
    rng = np.random.default_rng(seed)
    label = np.array(labels)[np.arange(count) % len(labels)]
    code = np.searchsorted(["A", "B", "C"], label)
    means, frequency = np.random.default_rng(0).normal(size=(3, 5, 2)), np.array([0.1, 0.5, 0.9])[code]
    latents = (means[code] + 0.3 * rng.normal(size=(count, 5, 2))).astype(np.float32)
    return People(latents, rng.binomial(2, frequency[:, None], (count, 60)).astype(np.int8), label)


def guesses(learners, validation=None, test=None, kinds=KINDS):
    validation, test = validation or people(30, 2), test or people(60, 3)
    return classifiers.guesses(learners, validation, test, seed=1, kinds=kinds, **SETTINGS)


class TestGuesses:
    def test_every_classifier_learns_in_both_spaces(self):
        found = guesses(people(150, 1))
        assert list(found) == ["label", *(f"{space}: {kind}" for space in ("latents", "genotypes") for kind in KINDS)]
        for column in found.columns[1:]:
            assert (found[column] == found["label"]).mean() > 0.9, column

    def test_in_the_order_of_the_test_people(self):
        test = people(60, 3)
        turned = People(test.latents[::-1].copy(), test.dosages[::-1].copy(), test.label[::-1].copy())
        one, other = guesses(people(150, 1), test=test), guesses(people(150, 1), test=turned)
        assert one.equals(other.iloc[::-1].reset_index(drop=True))

    @pytest.mark.parametrize("held", [("A", "B", "C"), ("A", "B")])
    def test_a_label_that_nobody_learns_is_never_said(self, held):
        found = guesses(people(100, 1, ("A", "B")), validation=people(30, 2, held))
        for column in found.columns[1:]:
            assert set(found[column]) == {"A", "B"}, column

    def test_genotypes_are_scaled_by_the_learners_alone(self):
        """One test person far from all others moves nobody else's guess."""
        test = people(60, 3)
        odd = People(test.latents, test.dosages.copy(), test.label)
        odd.dosages[0] = 100
        assert guesses(people(150, 1), test=odd).iloc[1:].equals(guesses(people(150, 1), test=test).iloc[1:])


class TestPeople:
    def test_with_others(self):
        both = people(4, 1).with_others(people(6, 2))
        assert both.latents.shape == (10, 5, 2) and both.dosages.shape == (10, 60)
        assert both.label.tolist() == [*people(4, 1).label, *people(6, 2).label]
