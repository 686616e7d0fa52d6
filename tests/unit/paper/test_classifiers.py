import numpy as np
import pytest
import torch

from syngeno.paper import classifiers

SMALL = {"epochs": 6, "least_steps": 0, "width": 16, "layers": 1, "heads": 2, "learning_rate": 3e-3}


def clusters(people, seed, blocks=12, channels=3, classes=3, spread=1.0):
    """People around the mean of their class."""
    means = np.random.default_rng(0).normal(size=(classes, blocks, channels))
    rng = np.random.default_rng(seed)
    codes = np.arange(people) % classes
    return (means[codes] + spread * rng.normal(size=(people, blocks, channels))).astype(np.float32), codes


class TestByWindow:
    def test_the_last_window_ends_in_zeros(self):
        dosages = np.random.default_rng(1).integers(0, 3, (4, classifiers.WINDOW + 3)).astype(np.int8)
        laid = classifiers.by_window(dosages)
        assert laid.shape == (4, 2, classifiers.WINDOW)
        assert (laid.reshape(4, -1)[:, : dosages.shape[1]] == dosages).all() and not laid[:, 1, 3:].any()


class TestScale:
    def test_fitted_on_learners_applied_to_others(self):
        scale = classifiers.Scale.of(np.array([[[0.0, 1]], [[2, 1]]]))
        assert scale(np.array([[[3.0, 5]]])).tolist() == [[[2, 0]]]  # mean 1, deviation 1; a constant is nothing


class TestLearn:
    @pytest.mark.parametrize("kind", classifiers.KINDS)
    def test_learns(self, kind):
        x, codes = clusters(300, 1)
        test, truth = clusters(300, 2)
        found = classifiers.learn(kind, x, codes, validation=clusters(60, 3), classes=3, seed=1, settings=SMALL)
        assert (found.predict(test) == truth).mean() > 0.9

    @pytest.mark.parametrize("kind", classifiers.KINDS)
    @pytest.mark.parametrize("blocks", [1, 2, 9])
    def test_any_number_of_blocks(self, kind, blocks):
        x, codes = clusters(12, 1, blocks)
        brief = {**SMALL, "epochs": 1}
        found = classifiers.learn(kind, x, codes, validation=(x, codes), classes=4, seed=1, settings=brief)
        assert found.predict(x).shape == (12,)

    @pytest.mark.parametrize("kind", classifiers.KINDS)
    def test_same_seed_same_answers(self, kind):
        x, codes = clusters(60, 1, spread=4)
        test, _ = clusters(100, 2, spread=4)
        one, same, other = (
            classifiers.learn(kind, x, codes, validation=clusters(30, 3, spread=4), classes=3, seed=s, settings=SMALL)
            for s in (1, 1, 2)
        )
        asked = torch.from_numpy(test)
        torch.testing.assert_close(one.network(asked), same.network(asked), rtol=0, atol=0)
        assert not torch.allclose(one.network(asked), other.network(asked))

    def test_validation_chooses_the_epoch(self):
        """Validation people whose labels contradict the learners': the less is learnt, the better."""
        x, codes = clusters(300, 1, spread=0.1)
        chosen = {}
        for name, shift in (("honest", 0), ("contrary", 1)):
            held = (x[:60], (codes[:60] + shift) % 3)
            found = classifiers.learn("mlp", x, codes, validation=held, classes=3, seed=1, settings=SMALL)
            chosen[name] = found.epoch, found.accuracy
        assert chosen["honest"][1] == 1
        assert chosen["contrary"][0] < 3

    @pytest.mark.parametrize(("people", "steps"), [(20, 40), (400, 78)])
    def test_few_people_are_learnt_from_in_as_many_steps(self, people, steps, monkeypatch):
        """20 people are 6 steps in 6 epochs, so an epoch is 7 passes; 400 people are 78 steps, more than asked."""
        taken = []
        step = torch.optim.AdamW.step
        monkeypatch.setattr(torch.optim.AdamW, "step", lambda self, *a, **k: taken.append(1) or step(self, *a, **k))
        settings = {**SMALL, "least_steps": 40}
        classifiers.learn("mlp", *clusters(people, 1), validation=clusters(9, 2), classes=3, seed=1, settings=settings)
        assert steps <= len(taken) < steps + 6

    def test_refuses_what_it_does_not_know(self):
        x, codes = clusters(12, 1)
        for kind, settings, classes in (("svm", {}, 3), ("mlp", {"depth": 2}, 3), ("mlp", {}, 2)):
            with pytest.raises(ValueError, match=r"there are|beyond"):
                classifiers.learn(kind, x, codes, validation=(x, codes), classes=classes, seed=1, settings=settings)
