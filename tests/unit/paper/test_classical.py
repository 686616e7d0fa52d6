import numpy as np
import pytest

from syngeno.paper import classifiers


def clusters(samples, seed, classes=3, shape=(6, 2)):
    """Samples around the mean of their class, distinguished by many entries."""
    means = np.random.default_rng(0).normal(size=(classes, *shape))
    codes = np.arange(samples) % classes
    noise = np.random.default_rng(seed).normal(size=(samples, *shape))
    return (means[codes] + 0.7 * noise).astype(np.float32), codes


class TestLearn:
    @pytest.mark.parametrize("kind", classifiers.CLASSICAL)
    def test_learns(self, kind):
        test, truth = clusters(300, 2)
        found = classifiers.learn_classical(kind, *clusters(150, 1), validation=clusters(60, 3), seed=1)
        assert (found.predict(test) == truth).mean() > 0.9

    def test_validation_chooses_the_setting(self):
        """Noise that trees of one sample per leaf learn, and validation samples contradict."""
        rng = np.random.default_rng(5)
        x = np.arange(400.0).reshape(400, 1, 1)
        truth = (x[:, 0, 0] >= 200).astype(int)
        noisy = np.where(rng.random(400) < 0.3, 1 - truth, truth)
        for held, leaf in ((truth, 4), (noisy, 1)):
            found = classifiers.learn_classical("random_forest", x, noisy, validation=(x, held), seed=1)
            assert found[-1].min_samples_leaf == leaf

    def test_same_seed_same_answers(self):
        test, _ = clusters(100, 2)
        one, same = (
            classifiers.learn_classical("random_forest", *clusters(60, 1), validation=clusters(30, 3), seed=4)
            for _ in range(2)
        )
        np.testing.assert_array_equal(one.predict_proba(test), same.predict_proba(test))

    @pytest.mark.parametrize("kind", classifiers.CLASSICAL)
    def test_labels_that_only_validation_samples_have(self, kind):
        x, codes = clusters(90, 1)
        known = codes != 1
        found = classifiers.learn_classical(kind, x[known], codes[known], validation=(x, codes), seed=1)
        assert set(found.predict(x)) == {0, 2}
