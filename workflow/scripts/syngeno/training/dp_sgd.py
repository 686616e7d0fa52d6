"""Steps of a training that no single training sample can have changed by much: DP-SGD (Abadi et al., CCS 2016).

Each training sample is in a step with the same probability, by a coin of its own. The gradient of each, averaged over
several draws of noise as in Dockhorn et al. (TMLR 2023), is shortened to the length `clip`, and normal noise of the
standard deviation noise * clip is added to their sum. opacus works out how much noise gives (epsilon,
delta)-differential privacy for adding or leaving out one sample (Renyi accountant of Mironov et al., 2019). Coins,
noise and what else is drawn for a sample come from a secret of the operating system: whoever knew the seed could
subtract the noise again.
(numpy's generators are not cryptographic, and normal numbers of single precision are not safe from attacks on their
last digits.)
"""

from __future__ import annotations

import secrets
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

AT_A_TIME = 8  # training samples whose gradients are held together
COINS, DRAWS, NOISE = range(3)  # streams of random numbers from the secret


def noise(epsilon: float, delta: float, sample_rate: float, steps: int) -> float:
    """Standard deviation of the noise, in lengths of `clip`, for steps that each take a share of the samples."""
    from opacus.accountants.utils import get_noise_multiplier

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Optimal order")  # a bound that could be tighter is a bound
        multiplier = get_noise_multiplier(
            target_epsilon=epsilon, target_delta=delta, sample_rate=sample_rate, steps=steps, accountant="rdp"
        )
    return float(multiplier)


def new_secret() -> int:
    """A random seed of 128 bits that is kept secret."""
    return secrets.randbits(128)


@dataclass(frozen=True)
class PrivateSteps:
    """How gradients are computed: the share of the training samples that are in a step on average, the largest length
    of one sample's gradient, the noise in lengths of it, and the secret that all random numbers come from.
    """

    sample_rate: float
    clip: float
    noise: float
    secret: int

    def rows(self, samples: int, step: int) -> Tensor:
        """Which of so many training samples are in a step, int (n,)."""
        coin = self._rng(COINS, step).random(samples)
        return torch.from_numpy(np.flatnonzero(coin < self.sample_rate))

    def seed(self, step: int) -> int:
        """Seeds torch for what is drawn for each sample of a step."""
        return int(self._rng(DRAWS, step).integers(1 << 63))

    def gradient(self, total: dict[str, Tensor], samples: int, step: int) -> dict[str, Tensor]:
        """The gradient of a step, from the sum of clipped ones: with noise, per sample that is in it on average."""
        rng, spread = self._rng(NOISE, step), self.noise * self.clip
        return {
            name: (value + spread * torch.from_numpy(rng.standard_normal(value.shape, np.float32)).to(value))
            / (self.sample_rate * samples)
            for name, value in total.items()
        }

    def _rng(self, stream: int, step: int) -> np.random.Generator:
        return np.random.default_rng([self.secret, stream, step])


def clipped_sum(
    network: nn.Module, loss: Callable[..., Tensor], samples: tuple[Tensor, ...], clip: float
) -> dict[str, Tensor]:
    """Sum over samples of the gradient of each one's loss, none longer than `clip`, by name of the weights.

    What is not a number counts as 0. `loss(predict, *sample)` is a scalar; a sample is a row of each of `samples`,
    (n, ..) each.
    """
    weights = {name: weight.detach() for name, weight in network.named_parameters()}

    def sample_loss(weights: dict[str, Tensor], *sample: Tensor) -> Tensor:
        return loss(lambda *inputs: torch.func.functional_call(network, weights, inputs), *sample)

    gradients = torch.func.vmap(torch.func.grad(sample_loss), in_dims=(None, *[0] * len(samples)))
    total = {name: torch.zeros_like(weight) for name, weight in weights.items()}
    for part in zip(*(values.split(AT_A_TIME) for values in samples), strict=True):
        if not len(part[0]):
            continue
        each = {name: values.nan_to_num(0, 0, 0) for name, values in gradients(weights, *part).items()}
        length = sum(values.flatten(1).square().sum(1) for values in each.values()).sqrt()
        factor = (clip / length.clamp(min=1e-12)).clamp(max=1)
        for name, values in each.items():
            total[name] += torch.tensordot(factor, values, 1)
    return total
