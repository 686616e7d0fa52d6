"""What mosaics of founders get wrong about whole people, learnt by telling real people from mosaics.

    p(person | label) = p0(person | label) exp(g(person, label)) / Z(label)

p0 is that of mosaics.py, g a small network on the person's sketch (sketch.py). Trained to tell people from mosaics
(logistic loss), g tends to log(p / p0): noise contrastive estimation of a residual energy (Gutmann and Hyvarinen,
AISTATS 2010; Deng et al., ICLR 2020; for masked diffusion, Xu et al., ICLR 2025). Likelihood hardly sees what this
corrects, some tenths of a nat; principal coordinates and distances between people see it well.
"""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from syngeno.errors import BadInput
from syngeno.models.haplotype.features import Sketch
from syngeno.stats.intervals import placements
from syngeno.training import loop
from syngeno.training.device import pick_device

log = logging.getLogger(__name__)

FORMAT = "syngeno energy 1"
DEFAULTS: dict[str, Any] = {
    **loop.DEFAULTS,
    "epochs": 60,
    "least_steps": 3000,
    "batch": 128,
    "ema": 0.99,
    "width": 128,
    "dropout": 0.2,
}
BATCH = 1 << 16  # people that are asked at a time
LEAST_EFFECTIVE = 50  # draws that a normaliser rests on

Sketches = tuple[Tensor, Tensor, Tensor]  # coordinates, counts and label codes of people


class Energy(nn.Module):
    """g of people: coordinates (n, copies, k), counts (n, c) and label codes (n,) give (n,).

    The order of a person's sequences makes no difference.
    """

    def __init__(self, components: int, counts: int, labels: int, width: int, dropout: float) -> None:
        super().__init__()
        half = max(1, width // 2)
        self.sequence = nn.Sequential(
            nn.Linear(components, width), nn.SiLU(), nn.Dropout(dropout), nn.Linear(width, half)
        )
        self.label = nn.Embedding(labels, 16)
        self.person = nn.Sequential(
            nn.Linear(half + 2 * components + counts + 16, width),
            nn.SiLU(),
            nn.Dropout(dropout),
            nn.Linear(width, 1),
        )

    def forward(self, coordinates: Tensor, counts: Tensor, label: Tensor) -> Tensor:
        """See the class."""
        between = (coordinates[:, 0] - coordinates[:, -1]).square()
        parts = (self.sequence(coordinates).sum(1), coordinates.sum(1), between, counts, self.label(label))
        return self.person(torch.cat(parts, 1)).squeeze(1)


def complete(config: dict[str, Any] | None) -> dict[str, Any]:
    """Fill in `DEFAULTS`; ValueError that names an unknown key or a bad value."""
    config = json.loads(json.dumps(config or {}))
    if unknown := sorted(set(config) - set(DEFAULTS)):
        raise ValueError(f"unknown training settings {unknown}; there are {sorted(DEFAULTS)}")
    full = {**DEFAULTS, **config}
    loop.check(full)
    if full["width"] < 1:
        raise ValueError(f"width {full['width']!r}; give 1 or more")
    if not 0 <= full["dropout"] < 1:
        raise ValueError(f"dropout {full['dropout']!r}; give a number from 0 to below 1")
    return full


def train(
    real: Sketches,
    drawn: Sketches,
    labels: list[str],
    *,
    validation: tuple[Sketches, Sketches] | None,
    config: dict[str, Any] | None,
    seed: int,
    saving: loop.Saving,
    threads: int = 1,
    device: str = "auto",
) -> tuple[dict[str, Any], list[dict[str, float]]]:
    """Tell real people from drawn ones, as often of each label as there are; the model and its history.

    `validation` are real and drawn people on whom nothing is trained, or None. Settings as `DEFAULTS`, the rest as
    for `loop.learn`. The model is a plain dict for `scores`.
    """
    settings = complete(config)
    torch.set_num_threads(threads)
    where = pick_device(device)
    task = _Contrast(settings, _on(where, real), _on(where, drawn), len(labels))
    if settings["membership"] is not None and (validation is None or not len(validation[0][0])):
        raise BadInput("membership", "there are no validation people", "give the split some")
    if validation is not None and len(validation[0][0]):
        task.held = tuple(_on(where, part) for part in validation)
    weights, history = loop.learn(task, settings, seed=seed, saving=saving)
    shape = {"components": real[0].shape[2], "counts": real[1].shape[1], "labels": len(labels)}
    names = [str(name) for name in labels]
    return {"format": FORMAT, "config": settings, "shape": shape, "labels": names, "weights": weights}, history


def scores(model: dict[str, Any], people: Sketches, device: torch.device | str = "auto") -> Tensor:
    """g of people, float64 (n,), where it is computed."""
    where = pick_device(device)
    network = restore(model, where)
    with torch.inference_mode():
        parts = zip(*(one.split(BATCH) for one in _on(where, people)), strict=True)
        return torch.cat([network(*part).double() for part in parts])


def restore(model: dict[str, Any], device: torch.device) -> Energy:
    """The network of a model, ready for use."""
    with torch.random.fork_rng(devices=[]):  # the initial weights are thrown away
        network = Energy(**model["shape"], width=model["config"]["width"], dropout=model["config"]["dropout"])
    network.load_state_dict(model["weights"])
    return network.to(device).eval()


def log_normaliser(score: np.ndarray, code: np.ndarray, labels: int) -> np.ndarray:
    """log Z of each label (labels,) from g of people drawn from p0 (n,) with label codes (n,), two or more of each.

    On the safe side: the mean of exp(g) and two of its standard errors, so that what comes of it bounds the
    probability, too. Of 1,000 draws it is above log Z in 95 % of cases where g, normal, has a standard deviation of 1,
    in 85 % where it has one of 2; where g varies more, a few draws decide, and a warning is logged.
    """
    found = np.empty(labels)
    for one in range(labels):
        own = score[code == one]
        top = own.max()
        ratio = np.exp(own - top)
        found[one] = top + np.log(ratio.mean() + 2 * ratio.std(ddof=1) / math.sqrt(len(own)))
        effective = ratio.sum() ** 2 / np.square(ratio).sum()
        if effective < LEAST_EFFECTIVE:
            log.warning("the normaliser of a label rests on %.0f of %d draws: no bound", effective, len(own))
    return found


def save_model(path: Path, model: dict[str, Any], sketch: Sketch) -> None:
    """Write the model and the sketch that goes with it, atomically."""
    loop.save(Path(path), {**model, "sketch": vars(sketch.to(torch.device("cpu")))})


def load_model(path: Path, trained_on: str | None = None) -> tuple[dict[str, Any], Sketch]:
    """Read what `save_model` wrote; BadInput if missing, foreign or (when given) trained on other founders."""
    remedy = "delete it and run the train stage again"
    path = Path(path)
    if not path.exists():
        raise BadInput(path, "no such file", "run the train stage first")
    model = loop.load(path)
    if model is None or model.get("format") != FORMAT:
        raise BadInput(path, "holds no energy of this version of syngeno", remedy)
    if trained_on is not None and model.get("trained_on") != trained_on:
        raise BadInput(path, "was trained on other founders", remedy)
    return model, Sketch(**model["sketch"])


class _Contrast:
    """The task: tell real people from drawn ones."""

    held: tuple[tuple[Tensor, ...], tuple[Tensor, ...]] | None = None

    def __init__(
        self, settings: dict[str, Any], real: tuple[Tensor, ...], drawn: tuple[Tensor, ...], labels: int
    ) -> None:
        self.settings, self.real, self.drawn, self.labels = settings, real, drawn, labels
        self.people, self.device = len(real[0]), real[0].device

    def build(self) -> Energy:
        sizes = self.real[0].shape[2], self.real[1].shape[1], self.labels
        return Energy(*sizes, self.settings["width"], self.settings["dropout"]).to(self.device)

    def compiled(self, network: nn.Module, batch: int) -> nn.Module:
        return network

    def loss(self, network: nn.Module, rows: Tensor) -> Tensor:
        others = torch.randint(len(self.drawn[0]), (len(rows),), device=self.device)
        real, drawn = (tuple(one[part] for one in of) for of, part in ((self.real, rows), (self.drawn, others)))
        return _logistic(network, real, drawn)

    def validate(self, network: Callable[..., Tensor]) -> float:
        return math.nan if self.held is None else _logistic(network, *self.held).item()

    def told(self, network: Callable[..., Tensor]) -> float:
        return float(placements(*(network(*one).cpu().numpy() for one in (self.real, self.held[0]))).mean())


def _logistic(network: Callable[..., Tensor], real: tuple[Tensor, ...], drawn: tuple[Tensor, ...]) -> Tensor:
    """Mean logistic loss, real and drawn people weighing alike: log 2 where nothing tells them apart."""
    return (functional.softplus(-network(*real)).mean() + functional.softplus(network(*drawn)).mean()) / 2


def _on(device: torch.device, people: Sketches) -> Sketches:
    coordinates, counts, code = people
    return coordinates.to(device), counts.to(device), code.to(device)
