"""The denoising loss of single people, against the training's own loss and where a model knows its people by heart."""

import numpy as np
import pytest
import torch

from syngeno.evaluate import membership
from syngeno.models.latent import ddpm, losses
from syngeno.models.latent import model as latent_model
from syngeno.models.latent.model import restore
from syngeno.training import loop

NETWORK = {"kind": "mlp", "embedding": 8, "mlp_widths": [64, 32]}
MASK = np.array([[True, True], [True, False], [True, True]])


def people(count, seed=0):
    rng = np.random.default_rng(seed)
    return (rng.normal(0, 1, (count, 3, 2)) * MASK).astype(np.float32), np.arange(count) % 2


def model(tmp_path, count=6, epochs=1, prediction="v"):
    latents, label = people(count)
    config = {
        "steps": 20,
        "epochs": epochs,
        "batch": 8,
        "warmup_steps": 1,
        "label_dropout": 0.0,
        "prediction": prediction,
        "ema": 0.9,
        "network": NETWORK,
    }
    return latent_model.train(
        latents,
        label,
        MASK,
        ["a", "b"],
        validation=None,
        config=config,
        seed=1,
        saving=loop.Saving(tmp_path / f"{prediction}.state", "f"),
        device="cpu",
    )[0]


class Fixed:
    """In place of the network: says the same of everybody."""

    def __init__(self, raw):
        self.raw = raw

    def __call__(self, x_t, t, label):
        return self.raw.expand_as(x_t)


class TestErrors:
    @pytest.mark.parametrize("prediction", ["v", "epsilon"])
    def test_perfect_is_0_and_nothing_is_1(self, tmp_path, prediction):
        process, _ = restore(model(tmp_path, prediction=prediction), torch.device("cpu"))
        latents, _ = people(1)
        x0, eps, t = torch.from_numpy(latents), torch.ones(3, 2), 10
        signal, noise = process.alpha_bar[t].sqrt().float(), (1 - process.alpha_bar[t]).sqrt().float()
        v = signal * eps - noise * x0[0]
        x_t = signal * x0[0] + noise * eps
        label = torch.zeros(1, dtype=torch.long)
        for said, expected in ((v, 0), (torch.zeros_like(v), 1), (3 * v, 4)):
            raw = said if prediction == "v" else signal * said + noise * x_t
            found = ddpm.errors(process, Fixed(raw), x0, t, label, eps)
            assert found.tolist() == pytest.approx([expected], abs=1e-5)

    def test_padded_entries_do_not_count(self, tmp_path):
        process, _ = restore(model(tmp_path), torch.device("cpu"))
        x0, label = torch.from_numpy(people(1)[0]), torch.zeros(1, dtype=torch.long)
        one, other = torch.zeros(3, 2), torch.zeros(3, 2)
        other[1, 1] = 100
        found = [ddpm.errors(process, Fixed(raw), x0, 5, label, torch.ones(3, 2)) for raw in (one, other)]
        assert torch.equal(*found)


class TestLosses:
    def test_known_by_heart(self, tmp_path):
        """Six people trained on for long are told from others without fail."""
        trained = model(tmp_path, epochs=250)
        latents, label = people(6)
        others, other_label = people(40, seed=5)
        members = losses.losses(trained, latents, label, 1)
        strangers = losses.losses(trained, others, other_label, 1)
        assert membership.auc(-members, -strangers)[0] > 0.95

    def test_everybody_meets_the_same_noise(self, tmp_path, monkeypatch):
        trained, (latents, label) = model(tmp_path), people(10)
        whole = losses.losses(trained, latents, label, 1, draws=2)
        order = np.random.default_rng(1).permutation(10)
        monkeypatch.setattr(losses, "BATCH", 3)
        assert losses.losses(trained, latents[order], label[order], 1, draws=2) == pytest.approx(whole[order], rel=1e-5)
        twins = losses.losses(trained, latents[[0, 0]], label[[0, 0]], 1)
        assert twins[0] == pytest.approx(twins[1], rel=1e-6)

    def test_same_seed_same_losses(self, tmp_path):
        trained, (latents, label) = model(tmp_path), people(5)
        first, again, other = (losses.losses(trained, latents, label, seed) for seed in (1, 1, 2))
        assert np.array_equal(first, again)
        assert not np.array_equal(first, other)

    def test_levels_average(self, tmp_path):
        trained, (latents, label) = model(tmp_path), people(5)
        both = losses.losses(trained, latents, label, 1, levels=(0.2, 0.8), draws=1)
        low = losses.losses(trained, latents, label, 1, levels=(0.2,), draws=1)
        assert low.mean() > 0
        assert not np.allclose(both, low)

    def test_refuses(self, tmp_path):
        trained, (latents, label) = model(tmp_path), people(5)
        with pytest.raises(ValueError, match="do not fit"):
            losses.losses(trained, latents[:, :2], label, 1)
        with pytest.raises(ValueError, match="label codes"):
            losses.losses(trained, latents, label + 1, 1)
        with pytest.raises(ValueError, match="levels"):
            losses.losses(trained, latents, label, 1, levels=(0.0, 0.5))
