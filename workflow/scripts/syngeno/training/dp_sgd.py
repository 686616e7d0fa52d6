"""Steps of a training that no single person can have changed by much: DP-SGD (Abadi et al., CCS 2016).

Each person is in a step with the same probability, by a coin of their own; the gradient of each, averaged over several
draws of noise as in Dockhorn et al. (TMLR 2023), is shortened to the length `clip`, and to their sum comes normal noise
of the standard deviation noise * clip. How much noise gives (epsilon, delta)-differential privacy for adding or leaving
out one person is worked out by opacus (Renyi accountant of Mironov et al., 2019). Coins, noise and what else is drawn
for a person come from a secret of the operating system: with a seed that is known, they could be taken away again.
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

PEOPLE = 8  # whose gradients are held at a time


def noise(epsilon: float, delta: float, share: float, steps: int) -> float:
    """Standard deviation of the noise, in lengths of `clip`, for so many steps that see a share of the people each."""
    from opacus.accountants.utils import get_noise_multiplier

    asked = {"target_epsilon": epsilon, "target_delta": delta, "sample_rate": min(share, 1.0), "steps": steps}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Optimal order")  # a bound that could be tighter is a bound
        return float(get_noise_multiplier(**asked, accountant="rdp"))


def new_secret() -> int:
    """A seed that nobody knows, of 128 bits."""
    return secrets.randbits(128)


@dataclass(frozen=True)
class Privately:
    """How gradients are computed: `share` of the people in a step, on average; `clip` and `noise` as above."""

    share: float
    clip: float
    noise: float
    secret: int

    def chosen(self, people: int, step: int) -> Tensor:
        """Who is in a step, int (n,)."""
        coin = self._random(0, step).random(people)
        return torch.from_numpy(np.flatnonzero(coin < self.share))

    def seed(self, step: int) -> int:
        """A seed of torch's for what is drawn for each person of a step."""
        return int(self._random(1, step).integers(1 << 63))

    def gradient(self, total: dict[str, Tensor], people: int, step: int) -> dict[str, Tensor]:
        """The gradient of a step, from the sum of shortened ones: with noise, per person who is in it on average."""
        rng, spread = self._random(2, step), self.noise * self.clip
        return {
            name: (one + spread * torch.from_numpy(rng.standard_normal(one.shape, np.float32)).to(one))
            / (self.share * people)
            for name, one in total.items()
        }

    def _random(self, stream: int, step: int) -> np.random.Generator:
        return np.random.default_rng([self.secret, stream, step])


def shortened_sum(
    network: nn.Module, loss: Callable[..., Tensor], people: tuple[Tensor, ...], clip: float
) -> dict[str, Tensor]:
    """Sum over people of the gradient of each one's loss, none longer than `clip`, by name of the weights.

    What is not a number counts as 0.

    `loss(predict, *one)` is a scalar; what it is given of a person are rows of `people`, each (n, ..).
    """
    weights = {name: weight.detach() for name, weight in network.named_parameters()}

    def of_one(weights: dict[str, Tensor], *one: Tensor) -> Tensor:
        return loss(lambda *inputs: torch.func.functional_call(network, weights, inputs), *one)

    gradients = torch.func.vmap(torch.func.grad(of_one), in_dims=(None, *[0] * len(people)))
    total = {name: torch.zeros_like(weight) for name, weight in weights.items()}
    for part in zip(*(one.split(PEOPLE) for one in people), strict=True):
        if not len(part[0]):
            continue
        found = {name: one.nan_to_num(0, 0, 0) for name, one in gradients(weights, *part).items()}
        length = sum(one.flatten(1).square().sum(1) for one in found.values()).sqrt()
        factor = (clip / length.clamp(min=1e-12)).clamp(max=1)
        for name, one in found.items():
            total[name] += torch.tensordot(factor, one, 1)
    return total
