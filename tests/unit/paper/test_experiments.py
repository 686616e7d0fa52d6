import numpy as np
import pytest

from syngeno.paper import classifiers
from syngeno.paper.classifiers import Samples, together

KINDS = ["mlp", "logistic_regression"]
SETTINGS = {
    "epochs": 10, "batch": 32, "least_steps": 0, "learning_rate": 3e-3, "width": 384, "layers": 6, "heads": 6,
}  # fmt: skip


def samples(count, seed, labels=("A", "B", "C")):
    """Samples whose label shows in both spaces."""
    rng = np.random.default_rng(seed)
    label = np.array(labels)[np.arange(count) % len(labels)]
    code = np.searchsorted(["A", "B", "C"], label)
    means, frequency = np.random.default_rng(0).normal(size=(3, 5, 2)), np.array([0.1, 0.5, 0.9])[code]
    latents = (means[code] + 0.3 * rng.normal(size=(count, 5, 2))).astype(np.float32)
    return Samples(latents, rng.binomial(2, frequency[:, None], (count, 60)).astype(np.int8), label)


def guesses(training, validation=None, test=None, kinds=KINDS):
    validation, test = validation or samples(30, 2), test or samples(60, 3)
    return classifiers.guesses(training, validation, test, seed=1, kinds=kinds, threads=1, **SETTINGS)


class TestGuesses:
    def test_every_classifier_learns_in_both_spaces(self):
        found = guesses(samples(150, 1))
        assert list(found) == ["label", *(f"{space}: {kind}" for space in ("latents", "genotypes") for kind in KINDS)]
        for column in found.columns[1:]:
            assert (found[column] == found["label"]).mean() > 0.9, column

    def test_in_the_order_of_the_test_samples(self):
        test = samples(60, 3)
        turned = Samples(test.latents[::-1].copy(), test.dosages[::-1].copy(), test.label[::-1].copy())
        one, other = guesses(samples(150, 1), test=test), guesses(samples(150, 1), test=turned)
        assert one.equals(other.iloc[::-1].reset_index(drop=True))

    @pytest.mark.parametrize("held", [("A", "B", "C"), ("A", "B")])
    def test_a_label_without_training_samples_is_never_guessed(self, held):
        found = guesses(samples(100, 1, ("A", "B")), validation=samples(30, 2, held))
        for column in found.columns[1:]:
            assert set(found[column]) == {"A", "B"}, column

    def test_genotypes_are_scaled_by_the_training_samples_alone(self):
        """One test sample far from all others moves no other guess."""
        test = samples(60, 3)
        odd = Samples(test.latents, test.dosages.copy(), test.label)
        odd.dosages[0] = 100
        assert guesses(samples(150, 1), test=odd).iloc[1:].equals(guesses(samples(150, 1), test=test).iloc[1:])


class TestTogether:
    def test_set_after_set(self):
        both = together(samples(4, 1), samples(6, 2))
        assert both.latents.shape == (10, 5, 2) and both.dosages.shape == (10, 60)
        assert both.label.tolist() == [*samples(4, 1).label, *samples(6, 2).label]
