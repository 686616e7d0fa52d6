"""Losses of single samples, where the network is exact or memorised them, and errors of what it gives back."""

import numpy as np
import pytest
import torch
from settings import generator_settings

from syngeno.evaluate import membership
from syngeno.models.latent import ddpm, denoising, losses
from syngeno.models.latent.ddpm import Diffusion, cosine_alpha_bar
from syngeno.models.latent.denoising import restore
from syngeno.training import loop

MASK = np.array([[True, True], [True, False], [True, True]])


def samples(count, seed=0):
    rng = np.random.default_rng(seed)
    return (rng.normal(0, 1, (count, 3, 2)) * MASK).astype(np.float32), np.arange(count) % 2


def model(tmp_path, count=6, least_steps=1, prediction="v"):
    latents, label = samples(count)
    settings = generator_settings(
        "latent_diffusion",
        denoiser={"kind": "mlp", "embedding": 8, "mlp_widths": [64, 32]},
        diffusion={"steps": 20, "label_dropout": 0.0, "prediction": prediction},
        training={"epochs": 1, "least_steps": least_steps, "batch": 8, "warmup_steps": 1, "ema": 0.9},
    )
    return denoising.train(
        latents,
        label,
        MASK,
        ["a", "b"],
        validation=None,
        settings=settings,
        seed=1,
        checkpoint=loop.Checkpoint(tmp_path / f"{prediction}.state", "f"),
        device="cpu",
    )[0]


class Fixed:
    """In place of the network: predicts the same for every sample."""

    def __init__(self, raw):
        self.raw = raw

    def __call__(self, x_t, t, label):
        return self.raw.expand_as(x_t)


class TestErrorsOfV:
    @pytest.mark.parametrize("prediction", ["v", "epsilon"])
    def test_perfect_is_0_and_nothing_is_1(self, tmp_path, prediction):
        process, _ = restore(model(tmp_path, prediction=prediction), torch.device("cpu"))
        latents, _ = samples(1)
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
        x0, label = torch.from_numpy(samples(1)[0]), torch.zeros(1, dtype=torch.long)
        one, other = torch.zeros(3, 2), torch.zeros(3, 2)
        other[1, 1] = 100
        found = [ddpm.errors(process, Fixed(raw), x0, 5, label, torch.ones(3, 2)) for raw in (one, other)]
        assert torch.equal(*found)


class TestLosses:
    def test_memorised(self, tmp_path):
        """Six samples trained on for long are distinguished from others without fail."""
        trained = model(tmp_path, least_steps=1000)
        latents, label = samples(6)
        others, other_label = samples(40, seed=5)
        members = losses.losses(trained, latents, label, 1)
        strangers = losses.losses(trained, others, other_label, 1)
        assert membership.auc(-members, -strangers)[0] > 0.95

    def test_all_samples_get_the_same_noise(self, tmp_path, monkeypatch):
        trained, (latents, label) = model(tmp_path), samples(10)
        whole = losses.losses(trained, latents, label, 1)
        order = np.random.default_rng(1).permutation(10)
        monkeypatch.setattr(losses, "BATCH", 3)
        assert losses.losses(trained, latents[order], label[order], 1) == pytest.approx(whole[order], rel=1e-5)
        twins = losses.losses(trained, latents[[0, 0]], label[[0, 0]], 1)
        assert twins[0] == pytest.approx(twins[1], rel=1e-6)

    def test_same_seed_same_losses(self, tmp_path):
        trained, (latents, label) = model(tmp_path), samples(5)
        first, again, other = (losses.losses(trained, latents, label, seed) for seed in (1, 1, 2))
        assert np.array_equal(first, again)
        assert not np.array_equal(first, other)

    def test_refuses(self, tmp_path):
        trained, (latents, label) = model(tmp_path), samples(5)
        with pytest.raises(ValueError, match="do not fit"):
            losses.losses(trained, latents[:, :2], label, 1)
        with pytest.raises(ValueError, match="label codes"):
            losses.losses(trained, latents, label + 1, 1)


class Exact(torch.nn.Module):
    """Predicts v from x_0, or from 0 in its place."""

    null_label = 2

    def __init__(self, x0, alpha_bar, exact):
        super().__init__()
        self.x0, self.alpha_bar, self.exact = x0, alpha_bar, exact

    def forward(self, x, t, label):
        signal, noise = (part.sqrt()[t].float().view(-1, 1, 1) for part in (self.alpha_bar, 1 - self.alpha_bar))
        x0 = self.x0 if self.exact else 0 * self.x0
        return (signal * x - x0) / noise


@pytest.fixture
def judged(monkeypatch):
    def errors(exact, mask=None):
        x0 = np.random.default_rng(1).choice([-1, 1], size=(6, 4, 3)).astype(np.float32)
        mask = torch.ones(4, 3) if mask is None else mask
        abar, bound = cosine_alpha_bar(50), torch.full((4, 3), 9.0)
        process = Diffusion(abar, mask, "v", -bound, bound)
        network = Exact(torch.from_numpy(x0), abar, exact)
        monkeypatch.setattr(losses, "restore", lambda model, device: (process, network))
        return losses.errors({"mask": mask, "labels": ["a"]}, x0, np.zeros(6, int), 1, device="cpu")

    return errors


class TestErrors:
    def test_exact_predictions_make_none(self, judged):
        assert judged(True) == pytest.approx(0, abs=1e-6)

    def test_the_mean_makes_one(self, judged):
        assert judged(False) == pytest.approx(1, abs=1e-5)

    def test_entries_that_do_not_exist_count_nowhere(self, judged):
        mask = torch.ones(4, 3)
        mask[2:] = 0
        assert judged(False, mask) == pytest.approx(1, abs=1e-5)
