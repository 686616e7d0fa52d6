from dataclasses import replace

import numpy as np
import pytest
import torch

from syngeno.data.store import StoreWriter, open_store, write_like
from syngeno.models.latent import encoder
from syngeno.paper import classifiers

SMALL = classifiers.Training(
    epochs=6, batch=32, least_steps=0, width=16, layers=1, heads=2, learning_rate=3e-3
)  # fmt: skip


def clusters(samples, seed, blocks=12, channels=3, classes=3, spread=1.0):
    """Samples around the mean of their class."""
    means = np.random.default_rng(0).normal(size=(classes, blocks, channels))
    rng = np.random.default_rng(seed)
    codes = np.arange(samples) % classes
    return (means[codes] + spread * rng.normal(size=(samples, blocks, channels))).astype(np.float32), codes


class TestByWindow:
    def test_the_last_window_ends_in_zeros(self):
        dosages = np.random.default_rng(1).integers(0, 3, (4, classifiers.WINDOW + 3)).astype(np.int8)
        laid = classifiers.by_window(dosages)
        assert laid.shape == (4, 2, classifiers.WINDOW)
        assert (laid.reshape(4, -1)[:, : dosages.shape[1]] == dosages).all() and not laid[:, 1, 3:].any()


class TestScale:
    def test_fitted_on_some_applied_to_others(self):
        scale = classifiers.Scale.of(np.array([[[0.0, 1]], [[2, 1]]]))
        assert scale(np.array([[[3.0, 5]]])).tolist() == [[[2, 0]]]  # mean 1, deviation 1; a constant is nothing


class TestLearn:
    @pytest.mark.parametrize("kind", classifiers.KINDS)
    def test_learns(self, kind):
        x, codes = clusters(300, 1)
        test, truth = clusters(300, 2)
        found = classifiers.learn(kind, x, codes, SMALL, validation=clusters(60, 3), classes=3, seed=1)
        assert (found.predict(test) == truth).mean() > 0.9

    @pytest.mark.parametrize("kind", classifiers.KINDS)
    @pytest.mark.parametrize("blocks", [1, 2, 9])
    def test_any_number_of_blocks(self, kind, blocks):
        x, codes = clusters(12, 1, blocks)
        brief = replace(SMALL, epochs=1)
        found = classifiers.learn(kind, x, codes, brief, validation=(x, codes), classes=4, seed=1)
        assert found.predict(x).shape == (12,)

    @pytest.mark.parametrize("kind", classifiers.KINDS)
    def test_same_seed_same_answers(self, kind):
        x, codes = clusters(60, 1, spread=4)
        test, _ = clusters(100, 2, spread=4)
        one, same, other = (
            classifiers.learn(kind, x, codes, SMALL, validation=clusters(30, 3, spread=4), classes=3, seed=s)
            for s in (1, 1, 2)
        )
        asked = torch.from_numpy(test)
        torch.testing.assert_close(one.network(asked), same.network(asked), rtol=0, atol=0)
        assert not torch.allclose(one.network(asked), other.network(asked))

    def test_validation_chooses_the_epoch(self):
        """Validation samples whose labels contradict the training samples': the less is learnt, the better."""
        x, codes = clusters(300, 1, spread=0.1)
        chosen = {}
        for name, shift in (("honest", 0), ("contrary", 1)):
            held = (x[:60], (codes[:60] + shift) % 3)
            found = classifiers.learn("mlp", x, codes, SMALL, validation=held, classes=3, seed=1)
            chosen[name] = found.epoch, found.accuracy
        assert chosen["honest"][1] == 1
        assert chosen["contrary"][0] < 3

    @pytest.mark.parametrize(("samples", "steps"), [(20, 40), (400, 78)])
    def test_few_samples_are_learnt_in_as_many_steps(self, samples, steps, monkeypatch):
        """20 samples are 6 steps in 6 epochs, so an epoch is 7 passes; 400 samples are 78 steps, more than asked."""
        taken = []
        step = torch.optim.AdamW.step
        monkeypatch.setattr(torch.optim.AdamW, "step", lambda self, *a, **k: taken.append(1) or step(self, *a, **k))
        training = replace(SMALL, least_steps=40)
        classifiers.learn("mlp", *clusters(samples, 1), training, validation=clusters(9, 2), classes=3, seed=1)
        assert steps <= len(taken) < steps + 6

    def test_refuses_a_setting_that_it_does_not_know(self):
        with pytest.raises(TypeError, match="depth"):
            replace(SMALL, depth=2)


class TestSyntheticSamples:
    @pytest.fixture
    def cohort(self, tmp_path):
        """A prepared cohort in a store, an encoder fitted on it, and two synthetic samples of the same variants."""
        rng = np.random.default_rng(1)
        calls, variants = rng.integers(0, 2, (20, 30, 2)).astype(np.int8), np.arange(20)
        samples = [f"s{i}" for i in range(30)]
        with StoreWriter(tmp_path / "real.zarr.zip", samples, {"1": 0}, block_names=["w"]) as writer:
            allele = np.full(20, "A"), np.full(20, "C")
            writer.append(variants + 1, np.full(20, "."), *allele, calls, block=np.zeros(20, int))
        (tmp_path / "labels.tsv").write_text("sample\tlabel\nSYN1\tA\nSYN2\tB\n")
        with open_store(tmp_path / "real.zarr.zip") as store:
            fitted = encoder.fit(store.dosages(), store.block, "paper", 8)
            yield tmp_path, store, fitted, calls[:, :2]

    @pytest.mark.parametrize("in_space", [True, False])
    def test_as_drawn_in_the_space_of_the_encoder_or_else_encoded(self, cohort, in_space):
        folder, store, fitted, calls = cohort
        latents = np.full((2, *fitted.shape), 0.5, np.float32) if in_space else None
        write_like(folder / "drawn.zarr.zip", store.sites(), ["SYN1", "SYN2"], [calls], phased=True, latents=latents)
        found = classifiers.synthetic_samples(folder / "drawn.zarr.zip", folder / "labels.tsv", "label", store, fitted)
        np.testing.assert_array_equal(found.dosages, calls.sum(2).T)
        assert found.label.tolist() == ["A", "B"]
        expected = latents if in_space else encoder.encode(fitted, found.dosages)
        np.testing.assert_array_equal(found.latents, expected)
