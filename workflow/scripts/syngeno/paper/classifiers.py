"""The paper's three classifiers in torch (MLP, 1-D CNN, transformer), their training, and scikit-learn's beside them.

After Kenneweg et al. (Bioinformatics 2025, btaf209). A sample comes as blocks by channels: the encoder's components, or
the genotypes of each window (`by_window`). Validation samples alone choose the epoch, or the setting of scikit-learn's.
Guesses are kept sample by sample, so that classifiers can be compared on the same test samples (see experiments.py).
"""

from __future__ import annotations

import copy
import itertools
import logging
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

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

from syngeno import streams
from syngeno.data import cohort
from syngeno.data.store import Store, open_store
from syngeno.models.latent import encoder, networks
from syngeno.paper.experiments import TRUTH
from syngeno.training.device import autocast, mixed_seed, pick_device

log = logging.getLogger(__name__)

KINDS = ("mlp", "cnn", "transformer")
HIDDEN = 512  # units of the MLP's layers
CHANNELS = 64  # of the CNN's layers
PATCH = 16  # blocks in a token of the transformer
WINDOW = 50  # variants; genes would have to be padded to the largest, which holds half of a cohort's variants
WARMUP = 0.1  # of the steps
LOG_EVERY = 15.0  # seconds
ASK_BATCH = 256


@dataclass(frozen=True)
class Training:
    """How the paper's classifiers are trained; `width`, `layers` and `heads` are the transformer's.

    Where the epochs make fewer steps than `least_steps`, an epoch is several passes over the samples, or a classifier
    of few samples would be trained less.
    """

    epochs: int
    batch: int
    least_steps: int
    learning_rate: float
    width: int
    layers: int
    heads: int


def by_window(dosages: np.ndarray) -> np.ndarray:
    """Dosages (n, variants) as float32 (n, windows, `WINDOW`), the last window ending in zeros."""
    samples, variants = dosages.shape
    padded = np.zeros((samples, -(-variants // WINDOW) * WINDOW), np.float32)
    padded[:, :variants] = dosages
    return padded.reshape(samples, -1, WINDOW)


@dataclass(frozen=True)
class Scale:
    """Mean and standard deviation (blocks, channels) of the samples that a classifier is trained on."""

    mean: np.ndarray
    std: np.ndarray

    @classmethod
    def of(cls, x: np.ndarray) -> Scale:
        """Fit on samples (n, blocks, channels); what is the same in all of them becomes 0."""
        std = x.std(0)
        return cls(x.mean(0), np.where(std > 0, std, np.inf))

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Centred and scaled, of x's shape."""
        return (x - self.mean) / self.std


@dataclass(frozen=True)
class Classifier:
    """A trained network; `accuracy` is that on the validation samples after `epoch` epochs."""

    network: nn.Module
    epoch: int
    accuracy: float

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Label codes int64 (n,) of x (n, blocks, channels)."""
        device = next(self.network.parameters()).device
        return _logits(self.network, torch.from_numpy(np.asarray(x, np.float32)).to(device)).argmax(1).cpu().numpy()


def learn(
    kind: str,
    x: np.ndarray,
    codes: np.ndarray,
    training: Training,
    *,
    validation: tuple[np.ndarray, np.ndarray],
    classes: int,
    seed: int,
    threads: int = 1,
) -> Classifier:
    """Learn label codes 0..classes-1 (n,) from x float32 (n, blocks, channels).

    AdamW with a warm-up, then half a cosine. Of all epochs the one with the best accuracy on `validation` (x, codes)
    is kept, among equals that with the lower loss. Same arguments, same weights on the same kind of device.
    """
    torch.set_num_threads(threads)
    where = pick_device("auto")
    x, held = (torch.from_numpy(np.asarray(part, np.float32)).to(where) for part in (x, validation[0]))
    codes, held_codes = (torch.from_numpy(np.asarray(part, np.int64)).to(where) for part in (codes, validation[1]))
    with torch.random.fork_rng(devices=[where] if where.type == "cuda" else []):
        torch.manual_seed(mixed_seed(*streams.entropy("classifier_weights", seed)))
        network = build(kind, *x.shape[1:], classes, training).to(where)
    best, best_epoch, best_score = None, 0, (-1.0, 0.0)
    logged = time.monotonic()
    for epoch in _epochs(network, x, codes, seed, training):
        answers = _logits(network, held)
        accuracy = float((answers.argmax(1) == held_codes).double().mean())
        score = (accuracy, -float(functional.cross_entropy(answers, held_codes)))
        if score > best_score:
            best, best_epoch, best_score = copy.deepcopy(network.state_dict()), epoch, score
        if time.monotonic() - logged > LOG_EVERY:
            logged = time.monotonic()
            log.info("%s: epoch %d of %d, %.3f right of validation samples", kind, epoch, training.epochs, accuracy)
    network.load_state_dict(best)
    log.info("%s: epoch %d is best, %.3f right of validation samples", kind, best_epoch, best_score[0])
    return Classifier(network, best_epoch, best_score[0])


def build(kind: str, blocks: int, channels: int, classes: int, training: Training) -> nn.Module:
    """A fresh network: (n, blocks, channels) -> logits (n, classes)."""
    if kind == "mlp":
        return MLP(blocks * channels, classes)
    if kind == "cnn":
        return CNN(blocks, channels, classes)
    return Transformer(blocks, channels, classes, training.width, training.layers, training.heads)


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
    """Patches of blocks, and a class token that attends to them and is read."""

    def __init__(self, blocks: int, channels: int, classes: int, width: int, layers: int, heads: int) -> None:
        super().__init__()
        self.enter = networks.Patches(blocks, channels, width, PATCH, blockwise=True)
        self.token = nn.Parameter(torch.randn(width) * 0.02)
        self.layers = networks.encoder(width, layers, heads)
        self.leave = nn.Linear(width, classes)

    def forward(self, x: Tensor) -> Tensor:
        """See `build`."""
        tokens = torch.cat([self.token.expand(len(x), 1, -1), self.enter(x)], dim=1)
        return self.leave(self.layers(tokens)[:, 0])


def _epochs(network: nn.Module, x: Tensor, codes: Tensor, seed: int, training: Training) -> Iterator[int]:
    """Train epoch by epoch; gives the number of each one when it is over."""
    steps = training.epochs * math.ceil(len(x) / training.batch)
    passes = max(1, math.ceil(training.least_steps / steps))
    total = passes * steps
    warmup = max(1, int(WARMUP * total))
    optimizer = torch.optim.AdamW(network.parameters(), lr=training.learning_rate, fused=True)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min((step + 1) / warmup, 0.5 * (1 + math.cos(math.pi * step / total)))
    )
    for epoch in range(1, training.epochs + 1):
        network.train()
        rng = np.random.default_rng([seed, epoch])
        orders = (torch.from_numpy(rng.permutation(len(x))).to(x.device) for _ in range(passes))
        for part in itertools.chain.from_iterable(order.split(training.batch) for order in orders):
            with autocast(x.device):
                value = functional.cross_entropy(network(x[part]), codes[part])
            optimizer.zero_grad(set_to_none=True)
            value.backward()
            optimizer.step()
            schedule.step()
        yield epoch


@torch.no_grad()
def _logits(network: nn.Module, x: Tensor) -> Tensor:
    network.eval()
    with autocast(x.device):
        return torch.cat([network(part).float() for part in x.split(ASK_BATCH)])


_CHOICES: dict[str, dict[float, Callable[[float, int, int], ClassifierMixin]]] = {
    # The penalty's inverse strength, for scaled entries, of which there are more than samples.
    "logistic_regression": dict.fromkeys(
        (1e-4, 1e-3, 1e-2, 1e-1), lambda strength, *_: LogisticRegression(C=strength, max_iter=500)
    ),
    # Samples in a leaf.
    "random_forest": dict.fromkeys(
        (1, 4),
        lambda leaf, seed, jobs: RandomForestClassifier(300, min_samples_leaf=leaf, n_jobs=jobs, random_state=seed),
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
    """The classifier of `CLASSICAL` that learnt label codes (n,) best from x (n, blocks, channels).

    Of all settings that with the best accuracy on `validation` (x, codes) is kept, among equals that with the lower
    loss.
    """
    held, held_codes = validation
    best, best_setting, best_score = None, 0.0, (-1.0, 0.0)
    for setting, made in _CHOICES[kind].items():
        learner = make_pipeline(FunctionTransformer(_flat), made(setting, seed, threads)).fit(x, codes)
        score = _score(learner, held, held_codes)
        if score > best_score:
            best, best_setting, best_score = learner, setting, score
    log.info("%s: %g is best, %.3f right of validation samples", kind, best_setting, best_score[0])
    return best


def _flat(x: np.ndarray) -> np.ndarray:
    return x.reshape(len(x), -1)


def _score(learner: ClassifierMixin, x: np.ndarray, codes: np.ndarray) -> tuple[float, float]:
    """Accuracy, and mean log-probability of the truth (of a label without training samples: next to none)."""
    chances = learner.predict_proba(x)
    at = np.searchsorted(learner.classes_, codes).clip(max=len(learner.classes_) - 1)
    known = learner.classes_[at] == codes
    truth = np.where(known, chances[np.arange(len(codes)), at], 0)
    accuracy = (learner.classes_[chances.argmax(1)] == codes).mean()
    return float(accuracy), float(np.log(truth.clip(1e-12)).mean())


SPACES = ("latents", "genotypes")


@dataclass(frozen=True)
class Samples:
    """The same samples twice: `latents` (n, blocks, components), `dosages` (n, variants); `label` (n,)."""

    latents: np.ndarray
    dosages: np.ndarray
    label: np.ndarray


def together(*parts: Samples) -> Samples:
    """All samples of several sets, set after set."""
    return Samples(
        *map(np.concatenate, zip(*((part.latents, part.dosages, part.label) for part in parts), strict=True))
    )


def real_samples(store: Store, fitted: encoder.Encoder, table: pd.DataFrame) -> Samples:
    """The samples of a table (indexed by sample, with a column label), encoded."""
    dosages = store.dosages(store.rows(table.index))
    return Samples(encoder.encode(fitted, dosages), dosages, table["label"].to_numpy(str))


def synthetic_samples(
    path: str | Path, labels: str | Path, columns: str | list[str], store: Store, fitted: encoder.Encoder
) -> Samples:
    """A synthetic cohort (see `cohort.read_cohort`, which raises), as drawn in the encoder's space or else encoded."""
    drawn = cohort.read_cohort(path, labels, columns, store)
    with open_store(path) as file:
        latents = file.latents
    latents = encoder.encode(fitted, drawn.dosages) if latents is None else latents
    return Samples(latents, drawn.dosages, drawn.label)


def guesses(
    training: Samples,
    validation: Samples,
    test: Samples,
    *,
    seed: int,
    kinds: list[str],
    threads: int,
    **settings: int | float,
) -> pd.DataFrame:
    """The labels that each classifier gives the test samples after training on `training`.

    `kinds` are of `KINDS` and `CLASSICAL`, `settings` those of `Training`; validation samples choose the epoch, or the
    setting. Returns one row per test sample in their order: "label", and a column "space: kind" of guessed labels for
    each of `SPACES` and kinds.
    """
    labels = np.unique(np.concatenate([training.label, validation.label]))
    codes = np.searchsorted(labels, training.label)
    guessed = {TRUTH: test.label}
    for space in SPACES:
        x, held, asked = (_entries(samples, space) for samples in (training, validation, test))
        if space == "genotypes":
            scale = Scale.of(x)
            x, held, asked = map(scale, (x, held, asked))
        shared = {"validation": (held, np.searchsorted(labels, validation.label)), "seed": seed, "threads": threads}
        for kind in kinds:
            if kind in CLASSICAL:
                classifier = learn_classical(kind, x, codes, **shared)
            else:
                classifier = learn(kind, x, codes, Training(**settings), classes=len(labels), **shared)
            guessed[f"{space}: {kind}"] = labels[classifier.predict(asked)]
    return pd.DataFrame(guessed)


def _entries(samples: Samples, space: str) -> np.ndarray:
    return samples.latents if space == "latents" else by_window(samples.dosages)
