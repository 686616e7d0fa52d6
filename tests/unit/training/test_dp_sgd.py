import sys

import numpy as np
import pytest
import torch
from opacus.accountants import RDPAccountant

from syngeno.errors import BadInput
from syngeno.models.latent import denoising
from syngeno.training import dp_sgd
from unit.models.latent.test_denoising import MASK, NETWORK, changed, run
from unit.training.test_loop import Interrupted, interrupt


def private(**more):
    """Settings of a training with differential privacy."""
    return changed(**{"epsilon": 4.0, **more})


def network():
    torch.manual_seed(1)
    return torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.SiLU(), torch.nn.Linear(4, 1))


def squared(predict, x, y):
    return (predict(x[None]).squeeze() - y).square()


def some_samples(n=20):
    rng = np.random.default_rng(1)
    return tuple(torch.from_numpy(values).float() for values in (rng.normal(size=(n, 3)), 9 * rng.normal(size=n)))


class TestClippedSum:
    @pytest.mark.parametrize("clip", [0.5, 5.0, 1e6])
    def test_one_sample_after_the_other(self, clip):
        net, (x, y) = network(), some_samples()
        found = dp_sgd.clipped_sum(net, squared, (x, y), clip)
        expected = {name: torch.zeros_like(weight) for name, weight in net.named_parameters()}
        for one in zip(x, y, strict=True):
            net.zero_grad()
            squared(net, *one).backward()
            length = sum(weight.grad.square().sum() for weight in net.parameters()).sqrt()
            for name, weight in net.named_parameters():
                expected[name] += weight.grad * min(1, clip / length)
        for name, one in expected.items():
            assert torch.allclose(found[name], one, rtol=1e-4, atol=1e-5), name

    def test_one_sample_more_changes_it_by_no_more_than_the_clip(self):
        net, (x, y) = network(), some_samples()
        y[-1] = 1e4  # as unlike the others as can be
        with_, without = (dp_sgd.clipped_sum(net, squared, (x[:n], y[:n]), 0.3) for n in (20, 19))
        change = sum((with_[name] - without[name]).square().sum() for name in with_).sqrt()
        assert change == pytest.approx(0.3, rel=1e-4)

    def test_what_is_no_number_counts_as_nothing(self):
        net, (x, y) = network(), some_samples()
        expected = dp_sgd.clipped_sum(net, squared, (x[1:], y[1:]), 1.0)
        y[0] = torch.nan
        found = dp_sgd.clipped_sum(net, squared, (x, y), 1.0)
        assert all(torch.allclose(found[name], one, atol=1e-5) for name, one in expected.items())

    def test_of_no_sample(self):
        found = dp_sgd.clipped_sum(network(), squared, some_samples(0), 1.0)
        assert all((one == 0).all() for one in found.values())


class TestPrivateSteps:
    def test_noise_and_coins(self):
        step = dp_sgd.PrivateSteps(sample_rate=0.2, clip=3.0, noise=2.0, secret=7)
        drawn = step.gradient({"a": torch.zeros(200, 200)}, 50, 1)["a"]
        assert drawn.std().item() == pytest.approx(2 * 3 / (0.2 * 50), rel=0.02)
        assert abs(drawn.mean().item()) < 0.02
        counts = torch.stack([torch.bincount(step.rows(1000, i), minlength=1000) for i in range(200)])
        assert counts.max() == 1
        assert counts.float().mean().item() == pytest.approx(0.2, abs=0.01)
        assert counts.sum(1).float().std().item() == pytest.approx((1000 * 0.2 * 0.8) ** 0.5, rel=0.2)

    def test_another_step_and_another_secret_have_other_noise(self):
        total = {"a": torch.zeros(5)}
        one, other = (dp_sgd.PrivateSteps(0.5, 1.0, 1.0, secret) for secret in (1, 2))
        assert torch.equal(one.gradient(total, 9, 4)["a"], one.gradient(total, 9, 4)["a"])
        assert not torch.equal(one.gradient(total, 9, 4)["a"], one.gradient(total, 9, 5)["a"])
        assert not torch.equal(one.gradient(total, 9, 4)["a"], other.gradient(total, 9, 4)["a"])


class TestNoise:
    @pytest.mark.parametrize(("epsilon", "steps"), [(1.0, 50), (8.0, 400)])
    def test_keeps_within_epsilon_and_is_not_wasted(self, epsilon, steps):
        noise = dp_sgd.noise(epsilon, 1e-5, 0.05, steps)
        accountant = RDPAccountant()
        accountant.history = [(noise, 0.05, steps)]
        assert 0.9 * epsilon < accountant.get_epsilon(1e-5) <= epsilon


class TestTrain:
    def test_is_secret_and_records_no_training_loss(self, tmp_path):
        (one, history), (other, _) = (run(tmp_path / name, private()) for name in "ab")
        assert all(np.isnan(row["train_loss"]) and np.isfinite(row["validation_loss"]) for row in history)
        assert not all(torch.equal(one["weights"][name], other["weights"][name]) for name in one["weights"])
        assert (one["low"] == -denoising.EXTREME).all() and (one["high"] == denoising.EXTREME).all()

    def test_goes_on_with_the_same_secret(self, tmp_path, monkeypatch):
        monkeypatch.setattr(dp_sgd, "new_secret", iter([5, 5, 6]).__next__)
        whole, _ = run(tmp_path / "whole", private())
        with monkeypatch.context() as patch:
            interrupt(patch, 9)
            with pytest.raises(Interrupted):
                run(tmp_path / "two", private(), every=0)
        assert (tmp_path / "two" / "state.pt").stat().st_mode & 0o077 == 0  # it holds the secret
        resumed, _ = run(tmp_path / "two", private())
        for name, weight in whole["weights"].items():
            assert torch.equal(weight, resumed["weights"][name]), name

    def test_with_hardly_any_privacy_it_learns(self, tmp_path):
        def settings(epsilon):
            return private(epochs=30, learning_rate=3e-3, epsilon=epsilon, denoiser={"kind": "mlp", "mlp_widths": [32]})

        losses = [
            min(row["validation_loss"] for row in run(tmp_path / str(epsilon), settings(epsilon))[1])
            for epsilon in (0.5, 1000.0)
        ]
        assert losses[1] < 0.8 * losses[0]

    def test_what_is_drawn_for_samples_is_secret_and_of_another_step_another(self, tmp_path, monkeypatch):
        drawn, per_sample = [], denoising._Denoising.per_sample
        monkeypatch.setattr(
            denoising._Denoising, "per_sample", lambda *given: drawn.append(per_sample(*given)) or drawn[-1]
        )
        for name in "ab":
            run(tmp_path / name, private(epochs=1))
        eps = [parts[3][0, 0] for parts in drawn if len(parts[3])]
        assert len({one.sum().item() for one in eps}) == len(eps)
        x0, t, label, noise = drawn[0]
        assert len(x0) == len(t) == len(label) == len(noise)
        assert noise.shape[1:] == (denoising.NOISES, *MASK.shape)
        assert noise.std().item() == pytest.approx(1, abs=0.3)

    def test_one_that_diverges_says_so(self, tmp_path):
        with pytest.raises(ValueError, match="the training diverged"):
            run(tmp_path, private(learning_rate=float("inf")))

    @pytest.mark.filterwarnings("ignore")
    def test_any_denoiser_learns_so(self, tmp_path):
        transformer = {"kind": "transformer", "transformer_width": 16, "transformer_layers": 1, "transformer_heads": 2}
        for kind in ({"kind": "cnn"}, {"kind": "mlp+cnn"}, transformer):
            _, history = run(tmp_path / kind["kind"], private(epochs=1, denoiser={**NETWORK, **kind}))
            assert np.isfinite(history[0]["validation_loss"])

    def test_opacus_is_read_only_where_it_is_asked_for(self, tmp_path, monkeypatch):
        monkeypatch.setitem(sys.modules, "opacus.accountants.utils", None)
        run(tmp_path / "one")
        with pytest.raises(ImportError):
            run(tmp_path / "two", private())

    def test_a_limit_of_the_membership_auc_as_well(self, tmp_path):
        with pytest.raises(BadInput, match="max_membership_auc: epsilon and max_membership_auc exclude each other"):
            run(tmp_path, private(max_membership_auc=0.6))

    def test_a_delta_that_allows_one_sample_to_be_revealed(self, tmp_path):
        with pytest.raises(
            BadInput, match=r"delta: 0\.01 is no less than 1 over 100 training samples; give a smaller one"
        ):
            run(tmp_path, private(delta=0.01))
