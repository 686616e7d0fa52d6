"""The paper's three classifiers in torch (MLP, 1-D CNN, transformer), and the one way in which they learn.

After Kenneweg et al. (Bioinformatics 2025, btaf209); a person comes as blocks by channels: the encoder's components,
or the genotypes of each window (`by_window`). Nobody but validation people chooses the epoch.

scikit-learn's classifiers beside the paper's: the same people, and validation people choose among settings.
"""

from __future__ import annotations

import copy
import itertools
import logging
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from sklearn.base import ClassifierMixin
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from torch import Tensor, nn
from torch.nn import functional

from syngeno.data.store import Store
from syngeno.models.latent import encoder, networks
from syngeno.paper.experiments import TRUTH
from syngeno.training.device import autocast, mixed_seed, pick_device

log = logging.getLogger(__name__)

KINDS = ("mlp", "cnn", "transformer")
DEFAULTS: dict[str, Any] = {
    "epochs": 30,
    "batch": 32,
    "least_steps": 600,
    "learning_rate": 3e-4,
    "width": 384,
    "layers": 6,
    "heads": 6,
}
HIDDEN = 512  # units of the MLP's layers
CHANNELS = 64  # of the CNN's layers
PATCH = 16  # blocks in a token of the transformer
WINDOW = 50  # variants; genes would have to be padded to the largest, which holds half of a cohort's variants
WARMUP = 0.1  # of the steps
LOG_EVERY = 15.0  # seconds
ASK_BATCH = 256


def by_window(dosages: np.ndarray) -> np.ndarray:
    """Dosages (people, variants) as float32 (people, windows, `WINDOW`), the last window ending in zeros."""
    people, variants = dosages.shape
    laid = np.zeros((people, -(-variants // WINDOW) * WINDOW), np.float32)
    laid[:, :variants] = dosages
    return laid.reshape(people, -1, WINDOW)


@dataclass(frozen=True)
class Scale:
    """Mean and standard deviation (blocks, channels) of the people whom a classifier learns from."""

    mean: np.ndarray
    std: np.ndarray

    @classmethod
    def of(cls, x: np.ndarray) -> Scale:
        """Fit on people (people, blocks, channels); what is the same in all of them tells nothing and becomes 0."""
        std = x.std(0)
        return cls(x.mean(0), np.where(std > 0, std, np.inf))

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Centred and scaled, of x's shape."""
        return (x - self.mean) / self.std


@dataclass(frozen=True)
class Classifier:
    """A network that has learnt; `accuracy` is that on the validation people after `epoch` epochs."""

    network: nn.Module
    epoch: int
    accuracy: float

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Label codes int64 (people,) of x (people, blocks, channels)."""
        device = next(self.network.parameters()).device
        return _answers(self.network, torch.from_numpy(np.asarray(x, np.float32)).to(device)).argmax(1).cpu().numpy()


def learn(
    kind: str,
    x: np.ndarray,
    codes: np.ndarray,
    *,
    validation: tuple[np.ndarray, np.ndarray],
    classes: int,
    seed: int,
    settings: dict[str, Any] | None = None,
    threads: int = 1,
    device: str = "auto",
) -> Classifier:
    """Learn label codes 0..classes-1 (people,) from x float32 (people, blocks, channels).

    AdamW with a warm-up, then half a cosine. Of all epochs the one with the best accuracy on `validation` (x, codes)
    is kept, among equals that with the lower loss. `settings` as in `DEFAULTS`: where the epochs make fewer than
    `least_steps` steps, an epoch is so many passes over the people that they make as many, or few people would be
    learnt from less; `width`, `layers` and `heads` are the transformer's. Same arguments, same weights on the same
    kind of device. Raises ValueError for an unknown kind or setting, and codes that are no classes.
    """
    settings = {**DEFAULTS, **(settings or {})}
    if kind not in KINDS or set(settings) != set(DEFAULTS):
        raise ValueError(f"classifier {kind!r} with {sorted(settings)}; there are {KINDS} with {sorted(DEFAULTS)}")
    if not 0 <= min(codes.min(), validation[1].min()) <= max(codes.max(), validation[1].max()) < classes:
        raise ValueError(f"label codes beyond the {classes} classes")
    torch.set_num_threads(threads)
    where = pick_device(device)
    x, held = (torch.from_numpy(np.asarray(one, np.float32)).to(where) for one in (x, validation[0]))
    codes, held_codes = (torch.from_numpy(np.asarray(one, np.int64)).to(where) for one in (codes, validation[1]))
    with torch.random.fork_rng(devices=[where] if where.type == "cuda" else []):
        torch.manual_seed(mixed_seed(seed, 7))
        network = build(kind, *x.shape[1:], classes, settings).to(where)
    best, best_epoch, best_score = None, 0, (-1.0, 0.0)
    logged = time.monotonic()
    for epoch in _epochs(network, x, codes, seed, settings):
        answers = _answers(network, held)
        accuracy = float((answers.argmax(1) == held_codes).double().mean())
        score = (accuracy, -float(functional.cross_entropy(answers, held_codes)))
        if score > best_score:
            best, best_epoch, best_score = copy.deepcopy(network.state_dict()), epoch, score
        if time.monotonic() - logged > LOG_EVERY:
            logged = time.monotonic()
            log.info("%s: epoch %d of %d, %.3f right of validation people", kind, epoch, settings["epochs"], accuracy)
    network.load_state_dict(best)
    log.info("%s: epoch %d is best, %.3f right of validation people", kind, best_epoch, best_score[0])
    return Classifier(network, best_epoch, best_score[0])


def build(kind: str, blocks: int, channels: int, classes: int, settings: dict[str, Any]) -> nn.Module:
    """A fresh network: (people, blocks, channels) -> logits (people, classes)."""
    if kind == "mlp":
        return MLP(blocks * channels, classes)
    if kind == "cnn":
        return CNN(blocks, channels, classes)
    return Transformer(blocks, channels, classes, settings["width"], settings["layers"], settings["heads"])


class MLP(nn.Module):
    """Three hidden layers, the last added to the first."""

    def __init__(self, size: int, classes: int) -> None:
        super().__init__()
        self.enter = nn.Linear(size, HIDDEN)
        self.inner = nn.Sequential(nn.Linear(HIDDEN, HIDDEN), nn.GELU(), nn.Linear(HIDDEN, HIDDEN), nn.GELU())
        self.leave = nn.Linear(HIDDEN, classes)

    def forward(self, x: Tensor) -> Tensor:
        """See `build`."""
        x = functional.gelu(self.enter(x.flatten(1)))
        return self.leave(x + self.inner(x))


class CNN(nn.Module):
    """Four convolutions along the blocks, each halving the length; fewer where blocks are few."""

    def __init__(self, blocks: int, channels: int, classes: int) -> None:
        super().__init__()
        layers, length = [], blocks
        for _ in range(4):
            if layers and length < 3:
                break
            layers += [nn.Conv1d(channels, CHANNELS, 3, stride=2, padding=1), nn.GELU()]
            channels, length = CHANNELS, (length + 1) // 2
        self.layers = nn.Sequential(*layers)
        self.leave = nn.Linear(CHANNELS * length, classes)

    def forward(self, x: Tensor) -> Tensor:
        """See `build`."""
        return self.leave(self.layers(x.transpose(1, 2)).flatten(1))


class Transformer(nn.Module):
    """Patches of blocks, and a token that asks them and whose answer is read."""

    def __init__(self, blocks: int, channels: int, classes: int, width: int, layers: int, heads: int) -> None:
        super().__init__()
        self.enter = networks.Patches(blocks, channels, width, PATCH, blockwise=True)
        self.asks = nn.Parameter(torch.randn(width) * 0.02)
        self.layers = networks.encoder(width, layers, heads)
        self.leave = nn.Linear(width, classes)

    def forward(self, x: Tensor) -> Tensor:
        """See `build`."""
        tokens = torch.cat([self.asks.expand(len(x), 1, -1), self.enter(x)], dim=1)
        return self.leave(self.layers(tokens)[:, 0])


def _epochs(network: nn.Module, x: Tensor, codes: Tensor, seed: int, settings: dict[str, Any]) -> Iterator[int]:
    """Train epoch by epoch; gives the number of each one when it is over."""
    size = settings["batch"]
    steps = settings["epochs"] * math.ceil(len(x) / size)
    passes = max(1, math.ceil(settings["least_steps"] / steps))
    total = passes * steps
    warmup = max(1, int(WARMUP * total))
    optimizer = torch.optim.AdamW(network.parameters(), lr=settings["learning_rate"], fused=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / warmup, 0.5 * (1 + math.cos(math.pi * step / total)))
    )
    for epoch in range(1, settings["epochs"] + 1):
        network.train()
        rng = np.random.default_rng([seed, epoch])
        orders = (torch.from_numpy(rng.permutation(len(x))).to(x.device) for _ in range(passes))
        for part in itertools.chain.from_iterable(order.split(size) for order in orders):
            with autocast(x.device):
                value = functional.cross_entropy(network(x[part]), codes[part])
            optimizer.zero_grad(set_to_none=True)
            value.backward()
            optimizer.step()
            schedule.step()
        yield epoch


@torch.no_grad()
def _answers(network: nn.Module, x: Tensor) -> Tensor:
    """Logits float32 (people, classes)."""
    network.eval()
    with autocast(x.device):
        return torch.cat([network(part).float() for part in x.split(ASK_BATCH)])


_CHOICES: dict[str, dict[float, Callable[[float, int, int], ClassifierMixin]]] = {
    # The penalty's inverse strength, for scaled entries, of which there are more than people.
    "logistic_regression": dict.fromkeys(
        (1e-4, 1e-3, 1e-2, 1e-1), lambda strength, *_: LogisticRegression(C=strength, max_iter=500)
    ),
    # People in a leaf.
    "random_forest": dict.fromkeys(
        (1, 4),
        lambda leaf, seed, threads: RandomForestClassifier(
            300, min_samples_leaf=leaf, n_jobs=threads, random_state=seed
        ),
    ),
}
CLASSICAL = tuple(_CHOICES)


def learn_classical(
    kind: str,
    x: np.ndarray,
    codes: np.ndarray,
    *,
    validation: tuple[np.ndarray, np.ndarray],
    seed: int,
    threads: int = 1,
) -> ClassifierMixin:
    """The classifier of `CLASSICAL` that learnt label codes (people,) best from x (people, blocks, channels).

    Of all settings that with the best accuracy on `validation` (x, codes) is kept, among equals that with the lower
    loss. Raises ValueError for an unknown kind.
    """
    if kind not in _CHOICES:
        raise ValueError(f"classifier {kind!r}; there are {CLASSICAL}")
    held, held_codes = validation
    best, best_setting, best_score = None, 0.0, (-1.0, 0.0)
    for setting, made in _CHOICES[kind].items():
        learner = make_pipeline(FunctionTransformer(_flat), made(setting, seed, threads)).fit(x, codes)
        score = _score(learner, held, held_codes)
        if score > best_score:
            best, best_setting, best_score = learner, setting, score
    log.info("%s: %g is best, %.3f right of validation people", kind, best_setting, best_score[0])
    return best


def _flat(x: np.ndarray) -> np.ndarray:
    return x.reshape(len(x), -1)


def _score(learner: ClassifierMixin, x: np.ndarray, codes: np.ndarray) -> tuple[float, float]:
    """Accuracy, and mean log-probability of the truth (of a label that was never seen: next to none)."""
    chances = learner.predict_proba(x)
    at = np.searchsorted(learner.classes_, codes).clip(max=len(learner.classes_) - 1)
    known = learner.classes_[at] == codes
    truth = np.where(known, chances[np.arange(len(codes)), at], 0)
    accuracy = (learner.classes_[chances.argmax(1)] == codes).mean()
    return float(accuracy), float(np.log(truth.clip(1e-12)).mean())


SPACES = ("latents", "genotypes")


@dataclass(frozen=True)
class People:
    """The same people twice: `latents` (people, blocks, components), `dosages` (people, variants); `label` (n,)."""

    latents: np.ndarray
    dosages: np.ndarray
    label: np.ndarray

    def with_others(self, others: People) -> People:
        """Both together."""
        return People(
            np.concatenate([self.latents, others.latents]),
            np.concatenate([self.dosages, others.dosages]),
            np.concatenate([self.label, others.label]),
        )


def real_people(store: Store, fitted: encoder.Encoder, table: pd.DataFrame) -> People:
    """The people of a table (indexed by sample, with a column label), encoded."""
    dosages = store.dosages(store.rows(table.index))
    return People(encoder.encode(fitted, dosages), dosages, table["label"].to_numpy(str))


def guesses(
    learners: People,
    validation: People,
    test: People,
    *,
    seed: int,
    kinds: list[str],
    threads: int = 1,
    **settings: Any,
) -> pd.DataFrame:
    """What each classifier says of the test people after learning from `learners`.

    Args:
        learners, validation, test: see `People`; validation people choose the epoch, or the setting.
        seed: of first weights and order.
        kinds: of `KINDS` and `CLASSICAL`.
        threads: that a classifier may use.
        settings: of `learn`, for its kinds.

    Returns:
        One row per test person in their order: "label", and a column "space: kind" of guessed labels for each of
        `SPACES` and kinds.
    """
    labels = np.unique(np.concatenate([learners.label, validation.label]))
    codes = np.searchsorted(labels, learners.label)
    found = {TRUTH: test.label}
    for space in SPACES:
        seen, held, asked = (_entries(people, space) for people in (learners, validation, test))
        if space == "genotypes":
            scale = Scale.of(seen)
            seen, held, asked = map(scale, (seen, held, asked))
        given = {"validation": (held, np.searchsorted(labels, validation.label)), "seed": seed, "threads": threads}
        for kind in kinds:
            if kind in CLASSICAL:
                learner = learn_classical(kind, seen, codes, **given)
            else:
                learner = learn(kind, seen, codes, classes=len(labels), settings=settings, **given)
            found[f"{space}: {kind}"] = labels[learner.predict(asked)]
    return pd.DataFrame(found)


def _entries(people: People, space: str) -> np.ndarray:
    return people.latents if space == "latents" else by_window(people.dosages)
