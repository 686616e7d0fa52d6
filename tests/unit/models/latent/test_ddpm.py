import numpy as np
import pytest
import torch

from syngeno.models.latent import ddpm
from syngeno.models.latent.ddpm import Diffusion, cosine_alpha_bar

MASK = torch.tensor([[1.0, 1.0], [1.0, 0.0]])  # two blocks, the second with one component
NOBODY = torch.zeros(0, dtype=torch.long)


def process(prediction="epsilon", steps=100, bound=50.0):
    wide = torch.full((2, 2), bound)
    return Diffusion(cosine_alpha_bar(steps), MASK, prediction, -wide, wide)


def gaussian_oracle(made, mean, std):
    """The best possible prediction, in closed form, for people who are N(mean, std^2) in every entry."""

    def network(x, t, label):
        signal, noise = made.coefficients(t, x)
        x0 = mean + signal * std**2 / (signal**2 * std**2 + noise**2) * (x - signal * mean)
        eps = (x - signal * x0) / noise
        return eps if made.prediction == "epsilon" else signal * eps - noise * x0

    return network


def start(people=4000, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn((people, 2, 2), generator=generator), torch.zeros(people, dtype=torch.long), generator


class TestCosineAlphaBar:
    def test_golden_values(self):
        # Nichol & Dhariwal (2021), eq. 17 with s = .008, evaluated by hand at t = T / 2
        abar = cosine_alpha_bar(500)
        f = [np.cos((x + 0.008) / 1.008 * np.pi / 2) ** 2 for x in (0, 0.5)]
        assert abar[250].item() == pytest.approx(f[1] / f[0], rel=1e-9)
        assert abar[250].item() == pytest.approx(0.4938, abs=1e-4)

    @pytest.mark.parametrize("steps", [2, 10, 500, 1000])
    def test_falls_from_one_to_next_to_nothing(self, steps):
        abar = cosine_alpha_bar(steps)
        assert abar.shape == (steps + 1,)
        assert abar[0] == 1
        assert (abar.diff() < 0).all()
        assert 0 < abar[-1] < 1e-3


class TestNoised:
    def test_nothing_at_zero_and_unit_variance_throughout(self):
        x, _, generator = start()
        eps = torch.randn(x.shape, generator=generator)
        made = process()
        assert torch.equal(made.noised(x, torch.zeros(len(x), dtype=torch.long), eps), x * MASK)
        for t in (1, 30, 70, 100):
            there = made.noised(x, torch.full((len(x),), t), eps)
            assert there[:, 0].std().item() == pytest.approx(1, abs=0.03)
            assert (there[:, 1, 1] == 0).all()


class TestDenoised:
    @pytest.mark.parametrize("prediction", ["epsilon", "v"])
    def test_finds_what_was_noised(self, prediction):
        x0, label, generator = start(50)
        eps = torch.randn(x0.shape, generator=generator)
        made = process(prediction)
        t = torch.full((50,), 40)
        signal, noise = made.coefficients(t, x0)
        truth = eps if prediction == "epsilon" else signal * eps - noise * x0
        found, noise_found = made.denoised(lambda *_: truth, made.noised(x0, t, eps), 40, label)
        torch.testing.assert_close(found, x0 * MASK, atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(noise_found, eps * MASK, atol=1e-4, rtol=1e-4)

    def test_clips_to_the_training_range(self):
        x, label, _ = start(50)
        found, _ = process(bound=0.5).denoised(lambda x, t, label: -9 * torch.ones_like(x), x, 90, label)
        assert found.abs().max() <= 0.5


class TestLoss:
    def test_by_hand(self):
        prediction, target = torch.zeros(2, 2, 2), torch.full((2, 2, 2), 3.0)
        prediction[:, 1, 1] = 1e9  # no part of it
        prediction[0, 0, 0] = 3.0
        t = torch.tensor([3, 4])
        found = ddpm.loss(process(), lambda *_: prediction, torch.ones(2, 2, 2), t, NOBODY, target)
        assert found.item() == pytest.approx(9 * 5 / 6)

    @pytest.mark.parametrize("prediction", ["epsilon", "v"])
    def test_zero_for_a_network_that_knows_and_one_for_one_that_says_nothing(self, prediction):
        x0, label, generator = start()
        eps = torch.randn(x0.shape, generator=generator)
        t = torch.randint(1, 101, (len(x0),), generator=generator)
        made = process(prediction)
        signal, noise = made.coefficients(t, x0)
        truth = eps if prediction == "epsilon" else signal * eps - noise * x0
        assert ddpm.loss(made, lambda *_: truth, x0, t, label, eps).item() == pytest.approx(0, abs=1e-10)
        silent = ddpm.loss(made, lambda x, *_: torch.zeros_like(x), x0, t, label, eps)
        assert silent.item() == pytest.approx(1, abs=0.05)


class TestGuided:
    def test_extrapolates_away_from_the_null_class(self):
        def network(x, t, label):
            return label[:, None, None].float().expand_as(x)

        x, label, _ = start(3)
        steered = ddpm.guided(network, 5, 0.5)
        assert torch.allclose(steered(x, label, label + 2), torch.full_like(x, 1.5 * 2 - 0.5 * 5))
        assert ddpm.guided(network, 5, 0) is network


class TestSamplers:
    @pytest.mark.parametrize("prediction", ["epsilon", "v"])
    @pytest.mark.parametrize("how", ["ancestral", "ddim", "noisy ddim"])
    def test_draws_the_gaussian_that_the_network_knows(self, prediction, how):
        made = process(prediction)
        network = gaussian_oracle(made, 1.5, 0.6)
        x, label, generator = start()
        if how == "ancestral":
            drawn = ddpm.ancestral(made, network, x, label, generator, variance="posterior")
        else:
            eta = 0.0 if how == "ddim" else 1.0
            drawn = ddpm.ddim(made, network, x, label, generator, steps=50, eta=eta)
        real = drawn[:, MASK.bool()]
        assert real.mean().item() == pytest.approx(1.5, abs=0.04)
        assert real.std().item() == pytest.approx(0.6, abs=0.04)
        assert (drawn[:, 1, 1] == 0).all()

    def test_wide_variance_suits_standard_normal_data(self):
        made = process(steps=20)  # few steps, so that the two choices differ
        network = gaussian_oracle(made, 0.0, 1.0)
        wide, narrow = (
            ddpm.ancestral(made, network, *start(), variance=name)[:, 0].std().item() for name in ("beta", "posterior")
        )
        assert wide == pytest.approx(1, abs=0.04)
        assert narrow < 0.97

    def test_stays_within_the_training_range(self):
        made = process(bound=1.0)
        network = gaussian_oracle(made, 0.9, 1.0)
        assert ddpm.ancestral(made, network, *start(200), variance="posterior").abs().max() <= 1
        assert ddpm.ddim(made, network, *start(200), steps=10, eta=0.0).abs().max() <= 1

    def test_plain_ddim_needs_no_noise(self):
        made = process()
        network = gaussian_oracle(made, 0.0, 1.0)
        x, label, generator = start(10)
        state = generator.get_state()
        ddpm.ddim(made, network, x, label, generator, steps=5, eta=0.0)
        assert torch.equal(generator.get_state(), state)

    def test_bad_settings(self):
        made = process()
        network = gaussian_oracle(made, 0.0, 1.0)
        with pytest.raises(ValueError, match="0 sampling steps"):
            ddpm.ddim(made, network, *start(2), steps=0, eta=0.0)

    def test_no_more_steps_than_there_are(self):
        made = process()
        network = gaussian_oracle(made, 0.0, 1.0)
        most = ddpm.ddim(made, network, *start(2), steps=made.steps, eta=0.0)
        assert torch.equal(ddpm.ddim(made, network, *start(2), steps=made.steps + 1, eta=0.0), most)
