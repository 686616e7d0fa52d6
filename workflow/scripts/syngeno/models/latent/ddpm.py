"""The diffusion itself: noise schedule, loss and samplers; which network predicts is no concern here.

Notation of Ho et al. (DDPM, 2020): x_t = sqrt(abar_t) x_0 + sqrt(1 - abar_t) eps for t = 1..T, with the
cosine abar of Nichol & Dhariwal (2021). Guidance without a classifier after Ho & Salimans (2022); DDIM
after Song et al. (2021). Latents are (n, blocks, components).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

Network = Callable[[Tensor, Tensor, Tensor], Tensor]  # (x_t, t (n,), label (n,)) -> raw prediction
OFFSET, LARGEST_BETA = 0.008, 0.999  # of the cosine schedule


def cosine_alpha_bar(steps: int) -> Tensor:
    """abar_0..abar_T, float64 (steps + 1,): abar_0 = 1, strictly falling (Nichol & Dhariwal, eq. 17)."""
    t = np.arange(steps + 1) / steps
    f = np.cos((t + OFFSET) / (1 + OFFSET) * np.pi / 2) ** 2
    beta = np.minimum(1 - f[1:] / f[:-1], LARGEST_BETA)
    return torch.from_numpy(np.concatenate([[1.0], np.cumprod(1 - beta)]))


@dataclass(frozen=True)
class Diffusion:
    """What the loss and the samplers have to agree on; tensors on one device.

    Attributes:
        alpha_bar: (T + 1,).
        mask: (blocks, components), 0 where a block has fewer components: no part of the loss, held at 0 in sampling.
        prediction: "epsilon" (the noise) or "v" = sqrt(abar) eps - sqrt(1 - abar) x_0 (Salimans & Ho, 2022).
        low, high: (blocks, components), bounds of the predicted x_0 in sampling.
    """

    alpha_bar: Tensor
    mask: Tensor
    prediction: str
    low: Tensor
    high: Tensor

    @property
    def steps(self) -> int:
        """T."""
        return len(self.alpha_bar) - 1

    def step(self, level: float) -> int:
        """The step at a share of the way from data to noise."""
        return max(1, round(level * self.steps))

    def coefficients(self, t: Tensor, like: Tensor) -> tuple[Tensor, Tensor]:
        """(sqrt(abar_t), sqrt(1 - abar_t)), shaped to multiply `like`."""
        abar = self.alpha_bar[t].view(-1, *[1] * (like.ndim - 1))
        return abar.sqrt().to(like.dtype), (1 - abar).sqrt().to(like.dtype)

    def noised(self, x0: Tensor, t: Tensor, eps: Tensor) -> Tensor:
        """Draw from q(x_t | x_0), given the noise; `t` (n,) in 0..T."""
        signal, noise = self.coefficients(t, x0)
        return (signal * x0 + noise * eps) * self.mask

    def denoised(self, network: Network, x: Tensor, t: int, label: Tensor) -> tuple[Tensor, Tensor]:
        """The predicted x_0, clipped, and the noise that belongs to it."""
        times = torch.full((len(x),), t, dtype=torch.long, device=x.device)
        raw = network(x, times, label).float()
        signal, noise = self.coefficients(times[:1], x)
        x0 = (x - noise * raw) / signal if self.prediction == "epsilon" else signal * x - noise * raw
        x0 = torch.clamp(x0, self.low, self.high) * self.mask
        return x0, (x - signal * x0) / noise


def loss(diffusion: Diffusion, network: Network, x0: Tensor, t: Tensor, label: Tensor, eps: Tensor) -> Tensor:
    """Mean squared error of what the network predicts, over the entries that exist, given the noise."""
    target = eps
    if diffusion.prediction == "v":
        signal, noise = diffusion.coefficients(t, x0)
        target = signal * eps - noise * x0
    predicted = network(diffusion.noised(x0, t, eps), t, label)
    squared = (predicted.float() - target).square() * diffusion.mask
    return squared.sum() / (len(target) * diffusion.mask.sum())


def errors(diffusion: Diffusion, network: Network, x0: Tensor, t: int, label: Tensor, eps: Tensor) -> Tensor:
    """Relative squared error of v of each sample at step t, the same noise `eps` for all: (n,).

    0 is perfect, 1 is what a prediction of 0 gives, whatever the network predicts.
    """
    times = torch.full((len(x0),), t, dtype=torch.long, device=x0.device)
    signal, noise = diffusion.coefficients(times, x0)
    x_t, v = diffusion.noised(x0, times, eps.expand_as(x0)), (signal * eps - noise * x0) * diffusion.mask
    predicted = network(x_t, times, label).float()
    if diffusion.prediction == "epsilon":
        predicted = (predicted - noise * x_t) / signal
    return ((predicted - v).square() * diffusion.mask).sum((1, 2)) / v.square().sum((1, 2))


def guided(network: Network, null_label: int, guidance: float) -> Network:
    """Steer towards the label: (1 + w) conditional - w unconditional; w = 0 leaves the network as it is."""
    if guidance == 0:
        return network

    def steered(x_t: Tensor, t: Tensor, label: Tensor) -> Tensor:
        no_label = torch.full_like(label, null_label)
        both = network(torch.cat([x_t, x_t]), torch.cat([t, t]), torch.cat([label, no_label]))
        conditional, unconditional = both.chunk(2)
        return (1 + guidance) * conditional - guidance * unconditional

    return steered


def ancestral(
    diffusion: Diffusion, network: Network, x: Tensor, label: Tensor, generator: torch.Generator, *, variance: str
) -> Tensor:
    """DDPM: all T steps from noise `x` to x_0.

    `variance` of a step: "posterior" (beta tilde, right for data that are a point) or "beta" (right for data
    that are standard normal); Ho et al., section 3.2.
    """
    abar = diffusion.alpha_bar.tolist()
    x = x * diffusion.mask
    for t in range(diffusion.steps, 0, -1):
        x0, _ = diffusion.denoised(network, x, t, label)
        alpha = abar[t] / abar[t - 1]
        beta, left = 1 - alpha, (1 - abar[t - 1]) / (1 - abar[t])
        x = abar[t - 1] ** 0.5 * beta / (1 - abar[t]) * x0 + alpha**0.5 * left * x
        if t > 1:
            spread = beta if variance == "beta" else beta * left
            x = (x + spread**0.5 * _noise(x, generator)) * diffusion.mask
    return x


def ddim(
    diffusion: Diffusion,
    network: Network,
    x: Tensor,
    label: Tensor,
    generator: torch.Generator,
    *,
    steps: int,
    eta: float,
) -> Tensor:
    """DDIM: `steps` of the T steps, or all; `eta` 0 is deterministic given `x`, 1 is as noisy as DDPM."""
    if steps < 1:
        raise ValueError(f"{steps} sampling steps; give 1 or more")
    steps = min(steps, diffusion.steps)
    abar = diffusion.alpha_bar.tolist()
    x = x * diffusion.mask
    times = np.linspace(diffusion.steps, 0, steps + 1).round().astype(int).tolist()
    for t, s in itertools.pairwise(times):
        x0, eps = diffusion.denoised(network, x, t, label)
        sigma = eta * ((1 - abar[s]) / (1 - abar[t]) * (1 - abar[t] / abar[s])) ** 0.5
        x = abar[s] ** 0.5 * x0 + max(1 - abar[s] - sigma**2, 0.0) ** 0.5 * eps
        if sigma > 0:
            x = (x + sigma * _noise(x, generator)) * diffusion.mask
    return x


def _noise(like: Tensor, generator: torch.Generator) -> Tensor:
    return torch.randn(like.shape, generator=generator, device=like.device, dtype=like.dtype)
