"""What mosaics of clusters get wrong about whole samples, learnt by distinguishing real samples from mosaics.

    p(sample | label) = p0(sample | label) exp(g(sample, label)) / Z(label)

p0 is that of prior.py, g a small network on the sample's summary features (features.py). It minimises the logistic
loss of real samples x against mosaics y of the same labels,

    1/2 E_x log(1 + exp(-g(x))) + 1/2 E_y log(1 + exp(g(y))),    y ~ p0,

whose minimum over all functions is g = log(p / p0): noise-contrastive estimation of a residual energy (Gutmann and
Hyvarinen, AISTATS 2010; Deng et al., ICLR 2020; for masked diffusion, Xu et al., ICLR 2025). Likelihood hardly shows
what this corrects, some tenths of a nat; principal coordinates and distances between samples show it well.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from syngeno.errors import BadInput
from syngeno.stats.intervals import placements
from syngeno.training import loop
from syngeno.training.device import pick_device

log = logging.getLogger(__name__)

CPU = torch.device("cpu")
BATCH = 1 << 16  # samples that are scored at a time
LEAST_EFFECTIVE = 50  # draws that a normaliser rests on

Features = tuple[Tensor, Tensor, Tensor]  # coordinates, counts and label codes of samples


class Reranker(nn.Module):
    """g of samples: coordinates (n, per_sample, k), counts (n, c) and label codes (n,) give (n,).

    The order of a sample's sequences makes no difference.
    """

    def __init__(self, components: int, counts: int, labels: int, width: int, dropout: float) -> None:
        super().__init__()
        half = max(1, width // 2)
        together = half + 2 * components + counts + 16
        self.sequence = nn.Sequential(
            nn.Linear(components, width), nn.SiLU(), nn.Dropout(dropout), nn.Linear(width, half)
        )
        self.label = nn.Embedding(labels, 16)
        self.sample = nn.Sequential(nn.Linear(together, width), nn.SiLU(), nn.Dropout(dropout), nn.Linear(width, 1))

    def forward(self, coordinates: Tensor, counts: Tensor, label: Tensor) -> Tensor:
        """See the class."""
        between = (coordinates[:, 0] - coordinates[:, -1]).square()
        parts = (self.sequence(coordinates).sum(1), coordinates.sum(1), between, counts, self.label(label))
        return self.sample(torch.cat(parts, 1)).squeeze(1)


def train(
    real: Features,
    drawn: Features,
    labels: list[str],
    *,
    validation: tuple[Features, Features] | None,
    settings: Mapping[str, Any],
    seed: int,
    checkpoint: loop.Checkpoint,
) -> tuple[dict[str, Any], list[dict[str, float]]]:
    """Learn to distinguish real samples from drawn ones: the network, a plain dict for `scores`, and its history.

    `validation` are real and drawn samples that nothing is trained on, or None: a network that does not distinguish
    these is not `used`, since all that it would choose by is chance. `settings` are those of the `reranker`
    with `max_membership_auc`, the rest as for `loop.learn`. On the CPU: a GPU would mostly wait for the next step.
    """
    if validation is None and settings["max_membership_auc"] is not None:
        raise BadInput("max_membership_auc", "there are no validation samples", "give the split some")
    shape = {"components": real[0].shape[2], "counts": real[1].shape[1], "labels": len(labels)}
    shape |= {"width": settings["width"], "dropout": settings["dropout"]}
    held = None if validation is None else tuple(_on(CPU, part) for part in validation)
    task = _Contrast(shape, _on(CPU, real), _on(CPU, drawn), held)
    weights, history = loop.learn(task, settings, seed=seed, checkpoint=checkpoint)
    trained = {"shape": shape, "labels": [str(name) for name in labels], "weights": weights}
    return trained | {"used": held is None or _distinguishes(trained, *held)}, history


def scores(trained: dict[str, Any], samples: Features, device: torch.device | str = "auto") -> Tensor:
    """g of samples, float64 (n,), where it is computed."""
    where = pick_device(device)
    with torch.random.fork_rng(devices=[]):  # the initial weights are thrown away
        network = Reranker(**trained["shape"])
    network.load_state_dict(trained["weights"])
    network = network.to(where).eval()
    with torch.inference_mode():
        batches = zip(*(part.split(BATCH) for part in _on(where, samples)), strict=True)
        return torch.cat([network(*batch).double() for batch in batches])


def log_normaliser(score: np.ndarray, code: np.ndarray, labels: int) -> np.ndarray:
    """log Z of each label (labels,) from g of samples drawn from p0 (n,) with label codes (n,), two or more of each.

    On the safe side, the mean of exp(g) and two of its standard errors: of 1,000 draws it is above log Z in 95 % of
    cases where g, normal, has a standard deviation of 1, in 85 % where it has one of 2. Where few draws decide: logged.
    """
    log_z, few = np.empty(labels), []
    for label in range(labels):
        of_label = score[code == label]
        top = of_label.max()
        ratio = np.exp(of_label - top)
        log_z[label] = top + np.log(ratio.mean() + 2 * ratio.std(ddof=1) / math.sqrt(len(of_label)))
        effective = ratio.sum() ** 2 / np.square(ratio).sum()
        if effective < LEAST_EFFECTIVE:
            few.append(effective)
    if few:
        said = "held-out nats are no bound: the normaliser of %d of %d labels rests on few draws (%.0f of %d for one)"
        log.warning(said, len(few), labels, min(few), len(score) // labels)
    return log_z


def _distinguishes(trained: dict[str, Any], real: Features, drawn: Features) -> bool:
    """Whether the logistic loss is clearly below that of a guess, by more than its standard error."""
    parts = (sign * scores(trained, samples, CPU) for sign, samples in ((-1, real), (1, drawn)))
    gains = [math.log(2) - functional.softplus(part) for part in parts]
    error = math.sqrt(sum(float(gain.var(correction=0)) / len(gain) for gain in gains))
    gain = float(sum(part.mean() for part in gains))
    log.info("nats gained by distinguishing real from drawn samples: %.4f (+- %.4f)", gain / 2, error / 2)
    return gain > error


class _Contrast:
    def __init__(
        self, shape: dict[str, Any], real: Features, drawn: Features, validation: tuple[Features, Features] | None
    ) -> None:
        self.shape, self.real, self.drawn, self.validation = shape, real, drawn, validation
        self.samples, self.device = len(real[0]), CPU

    def build(self) -> Reranker:
        return Reranker(**self.shape)

    def compiled(self, network: nn.Module, batch: int) -> nn.Module:
        return network

    def loss(self, network: nn.Module, rows: Tensor) -> Tensor:
        others = torch.randint(len(self.drawn[0]), (len(rows),))
        real, drawn = tuple(part[rows] for part in self.real), tuple(part[others] for part in self.drawn)
        return _logistic(network, real, drawn)

    def validate(self, network: Callable[..., Tensor]) -> float:
        return math.nan if self.validation is None else _logistic(network, *self.validation).item()

    def membership_auc(self, network: Callable[..., Tensor]) -> float:
        of_training, of_validation = (network(*part).cpu().numpy() for part in (self.real, self.validation[0]))
        return float(placements(of_training, of_validation).mean())


def _logistic(network: Callable[..., Tensor], real: Features, drawn: Features) -> Tensor:
    """Mean logistic loss, real and drawn samples weighing alike: log 2 where nothing distinguishes them."""
    return (functional.softplus(-network(*real)).mean() + functional.softplus(network(*drawn)).mean()) / 2


def _on(device: torch.device, samples: Features) -> Features:
    coordinates, counts, code = samples
    return coordinates.to(device), counts.to(device), code.to(device)
