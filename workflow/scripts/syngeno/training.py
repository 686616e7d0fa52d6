"""Train a denoiser so that stopping and going on makes no difference.

All randomness of step i comes from (seed, i) and the order of a pass over the people from (seed, pass), so a state is
weights, moments and counters, and a run that was killed and resumed equals, bit for bit on CPU, one that was
not. States are saved by the clock and replaced atomically; a state of other data, settings or code (another
fingerprint) is left unused. Weights are averaged over time (EMA), and those of the epoch with the best
validation loss are kept.
"""

from __future__ import annotations

import contextlib
import json
import logging
import math
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from syngeno import denoiser
from syngeno.device import autocast, mixed_seed, pick_device
from syngeno.diffusion import PREDICTIONS, Diffusion, cosine_alpha_bar, loss
from syngeno.errors import BadInput

log = logging.getLogger(__name__)

FORMAT = "syngeno diffusion 1"
# The paper's own are prediction epsilon, learning_rate 2e-4 and network {cnn_base: 64, blockwise: false, chained:
# false}. With predicted noise, the error of x_0 at high noise is the network's divided by sqrt(abar), next to
# nothing there: it needs far more steps before samples are of any use.
DEFAULTS: dict[str, Any] = {
    "steps": 500,
    "prediction": "v",
    "label_dropout": 0.1,
    "epochs": 100,
    "least_steps": 0,
    "batch": 32,
    "learning_rate": 1e-3,
    "warmup_steps": 100,
    "gradient_clip": 1.0,
    "ema": 0.999,
    "patience": 20,
    "network": {},
}
VALIDATION_DRAWS = 4  # noise levels per validation person
VALIDATION_BATCH = 256
LOG_EVERY = 15.0  # seconds


def complete(config: dict[str, Any] | None) -> dict[str, Any]:
    """Fill in `DEFAULTS` here and in `network`; ValueError that names an unknown key or a bad value."""
    config = json.loads(json.dumps(config or {}))  # plain: neither tuples nor a workflow's own kinds of dict
    if unknown := sorted(set(config) - set(DEFAULTS)):
        raise ValueError(f"unknown training settings {unknown}; there are {sorted(DEFAULTS)}")
    full = {**DEFAULTS, **config}
    full["network"] = denoiser.complete(full["network"])
    if full["prediction"] not in PREDICTIONS:
        raise ValueError(f"prediction {full['prediction']!r}; there are {PREDICTIONS}")
    for key in ("steps", "epochs", "batch", "learning_rate", "gradient_clip"):
        if not full[key] > 0:
            raise ValueError(f"{key} {full[key]!r}; give a number above 0")
    for key in ("label_dropout", "ema"):
        if not 0 <= full[key] < 1:
            raise ValueError(f"{key} {full[key]!r}; give a number from 0 to below 1")
    return full


def train(
    latents: np.ndarray,
    label: np.ndarray,
    mask: np.ndarray,
    labels: list[str],
    *,
    validation: tuple[np.ndarray, np.ndarray] | None,
    config: dict[str, Any] | None,
    seed: int,
    state_path: Path,
    fingerprint: str,
    threads: int = 1,
    device: str = "auto",
    save_every: float = 120.0,
) -> tuple[dict[str, Any], list[dict[str, float]]]:
    """Train on `latents` (people, blocks, components) with label codes (people,) into `labels`.

    `validation` is (latents, label codes) or None (no early stopping, last weights kept). The setting
    `patience` is the number of epochs without a better validation loss that ends the training (0: never). Where
    the epochs make fewer than `least_steps` steps, an epoch is so many passes over the people that they make as many:
    few people would otherwise be learnt from less.
    Goes on from `state_path` if that was left by a run with the same `fingerprint`; the final state stays
    there for the caller to delete. SIGTERM saves and exits (143).

    Returns the model, a plain dict of settings and tensors for `save_model` and `sampling.draw`, and the
    history, one row per epoch: epoch, step, train_loss, validation_loss (nan without), learning_rate,
    seconds.
    """
    settings = complete(config)
    x, codes = _checked(latents, label, mask, labels)
    held = None if validation is None or not len(validation[0]) else _checked(*validation, mask, labels)
    torch.set_num_threads(threads)
    device = pick_device(device)
    x, codes = x.to(device), codes.to(device)  # all of it: encoded cohorts are small, and no step waits for data
    present = torch.from_numpy(np.asarray(mask, np.float32)).to(device)
    diffusion = Diffusion(
        cosine_alpha_bar(settings["steps"]).to(device), present, settings["prediction"], x.amin(0), x.amax(0)
    )
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []), _sigterm() as stop:
        run = _Run(settings, diffusion, x, codes, len(labels), seed)
        run.restore(state_path, fingerprint)
        run.fit(held, state_path, fingerprint, save_every, stop)
    weights = run.ema if run.best is None else run.best
    model = {
        "format": FORMAT,
        "config": settings,
        "labels": [str(name) for name in labels],  # not numpy's strings: torch refuses to load those
        "mask": torch.from_numpy(np.asarray(mask, bool)),
        "low": diffusion.low.cpu(),
        "high": diffusion.high.cpu(),
        "weights": {name: value.detach().cpu().clone() for name, value in weights.items()},
    }
    return model, run.history


def save_model(path: Path, model: dict[str, Any]) -> None:
    """Write the model, atomically."""
    _save(Path(path), model)


def load_model(path: Path, trained_on: str | None = None) -> dict[str, Any]:
    """Read what `save_model` wrote; BadInput if missing, foreign or (when given) trained on other latents."""
    remedy = "delete it and run the train stage again"
    if not Path(path).exists():
        raise BadInput(path, "no such file", "run the train stage first")
    model = _load(Path(path))
    if model is None or model.get("format") != FORMAT:
        raise BadInput(path, "not a diffusion model of this version of syngeno", remedy)
    if trained_on is not None and model.get("trained_on") != trained_on:
        raise BadInput(path, "the model was trained on other people, variants or settings", remedy)
    return model


def restore(model: dict[str, Any], device: torch.device) -> tuple[Diffusion, denoiser.Denoiser]:
    """Model dict -> what the samplers need, on `device`, the network ready for use."""
    blocks, components = model["mask"].shape
    with torch.random.fork_rng(devices=[]):  # the initial weights are thrown away
        network = denoiser.build(blocks, components, len(model["labels"]), model["config"]["network"])
    network.load_state_dict(model["weights"])
    diffusion = Diffusion(
        cosine_alpha_bar(model["config"]["steps"]).to(device),
        model["mask"].float().to(device),
        model["config"]["prediction"],
        model["low"].to(device),
        model["high"].to(device),
    )
    return diffusion, network.to(device).eval()


class _Run:
    """A training that is under way: all that a state has to hold, and how to take a step."""

    def __init__(
        self, settings: dict[str, Any], diffusion: Diffusion, x: Tensor, codes: Tensor, labels: int, seed: int
    ) -> None:
        self.settings, self.diffusion, self.x, self.codes, self.seed = settings, diffusion, x, codes, seed
        torch.manual_seed(mixed_seed(seed, 0))
        self.network = denoiser.build(*x.shape[1:], labels, settings["network"]).to(x.device)
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=settings["learning_rate"], fused=True)
        self.ema = {name: value.detach().clone() for name, value in self.network.state_dict().items()}
        self.per_pass = math.ceil(len(x) / settings["batch"])
        passes = max(1, math.ceil(settings["least_steps"] / (self.per_pass * settings["epochs"])))
        self.per_epoch = passes * self.per_pass
        self.total = settings["epochs"] * self.per_epoch
        # The compiled function shares the network's weights, whose names in states and models stay plain.
        first = slice(settings["batch"])
        self.predict = _compiled(self.network, x[first], codes[first]) if x.device.type == "cuda" else self.network
        self.step, self.stale, self.seconds = 0, 0, 0.0
        self.best, self.best_loss = None, math.inf
        self.running = torch.zeros((), dtype=torch.float64, device=x.device)
        self.history: list[dict[str, float]] = []

    def fit(
        self,
        held: tuple[Tensor, Tensor] | None,
        state_path: Path,
        fingerprint: str,
        save_every: float,
        stop: threading.Event,
    ) -> None:
        """Steps until the epochs are over or the validation loss has stopped to fall."""
        began = saved = logged = time.monotonic()
        before, first = self.seconds, self.step
        patience = self.settings["patience"]
        while self.step < self.total and not (patience and self.stale >= patience):
            self.learn()
            self.seconds = before + time.monotonic() - began
            if self.step % self.per_epoch == 0:
                self.close_epoch(held)
                if time.monotonic() - logged > LOG_EVERY:
                    logged = time.monotonic()
                    self.report((logged - began) / (self.step - first) * (self.total - self.step))
            if stop.is_set() or time.monotonic() - saved >= save_every:
                self.save(state_path, fingerprint)
                saved = time.monotonic()
            if stop.is_set():
                log.warning("asked to stop: state saved at step %d of %d", self.step, self.total)
                raise SystemExit(128 + signal.SIGTERM)
        self.save(state_path, fingerprint)
        log.info("done after %d of %d epochs", len(self.history), self.settings["epochs"])

    def learn(self) -> None:
        """One step; its randomness comes from the seed and the number of the step alone."""
        settings, size = self.settings, self.settings["batch"]
        one_pass, part = divmod(self.step, self.per_pass)
        order = np.random.default_rng([self.seed, one_pass]).permutation(len(self.x))[part * size : (part + 1) * size]
        people = torch.from_numpy(order).to(self.x.device)
        torch.manual_seed(mixed_seed(self.seed, 1, self.step))
        x0, label = self.x[people], self.codes[people]
        t = _levels(len(x0), self.diffusion.steps, x0.device)
        eps = torch.randn_like(x0)
        nobody = torch.rand(len(x0), device=x0.device) < settings["label_dropout"]
        label = torch.where(nobody, self.network.null_label, label)
        for group in self.optimizer.param_groups:
            group["lr"] = self.learning_rate()
        with autocast(x0.device):
            value = loss(self.diffusion, self.predict, x0, t, label, eps)
        self.optimizer.zero_grad(set_to_none=True)
        value.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), settings["gradient_clip"])
        self.optimizer.step()
        keep = min(settings["ema"], (1 + self.step) / (10 + self.step))  # young averages forget faster
        with torch.no_grad():
            for name, weight in self.network.state_dict().items():
                self.ema[name].lerp_(weight, 1 - keep)
        self.running += value.detach().double()
        self.step += 1

    def learning_rate(self) -> float:
        """Linear warm-up, then half a cosine down to zero."""
        warmup = min(self.settings["warmup_steps"], self.total // 2)
        if self.step < warmup:
            return self.settings["learning_rate"] * (self.step + 1) / warmup
        done = (self.step - warmup) / max(1, self.total - warmup)
        return self.settings["learning_rate"] * 0.5 * (1 + math.cos(math.pi * done))

    def close_epoch(self, held: tuple[Tensor, Tensor] | None) -> None:
        """Judge the averaged weights, keep them if they are the best yet, write the history."""
        validation = math.nan if held is None else self.validate(*held)
        if not math.isfinite(self.running.item()):
            raise ValueError(f"the training diverged at step {self.step}; give a smaller learning_rate")
        if validation < self.best_loss:
            self.best_loss, self.stale = validation, 0
            self.best = {name: value.clone() for name, value in self.ema.items()}
        elif held is not None:
            self.stale += 1
        row = {
            "epoch": self.step // self.per_epoch,
            "step": self.step,
            "train_loss": self.running.item() / self.per_epoch,
            "validation_loss": validation,
            "learning_rate": self.learning_rate(),
            "seconds": round(self.seconds, 3),
        }
        self.history.append(row)
        self.running.zero_()

    @torch.no_grad()
    def validate(self, x: Tensor, codes: Tensor) -> float:
        """Loss of the averaged weights, with the same noise and noise levels every time."""
        present = self.diffusion.mask

        def network(x_t: Tensor, t: Tensor, label: Tensor) -> Tensor:
            return torch.func.functional_call(self.network, self.ema, (x_t, t, label))

        torch.manual_seed(mixed_seed(self.seed, 2))
        device, total = present.device, 0.0
        for _ in range(VALIDATION_DRAWS):
            levels = _levels(len(x), self.diffusion.steps, device)
            for start in range(0, len(x), VALIDATION_BATCH):
                part = slice(start, start + VALIDATION_BATCH)
                x0, label = x[part].to(device), codes[part].to(device)
                with autocast(device):
                    eps = torch.randn_like(x0)
                    total += loss(self.diffusion, network, x0, levels[part], label, eps).item() * len(x0)
        return total / (VALIDATION_DRAWS * len(x))

    def report(self, left: float) -> None:
        """One line of progress; `left` in seconds."""
        row = self.history[-1]
        log.info(
            "epoch %d of %d: loss %.4f, validation %.4f; at most %d min %02d s left",
            row["epoch"],
            self.settings["epochs"],
            row["train_loss"],
            row["validation_loss"],
            *divmod(int(left), 60),
        )

    def save(self, path: Path, fingerprint: str) -> None:
        """Write the state, atomically."""
        state = {name: getattr(self, name) for name in STATE}
        state |= {"network": self.network.state_dict(), "optimizer": self.optimizer.state_dict()}
        _save(Path(path), {"fingerprint": fingerprint, **state})

    def restore(self, path: Path, fingerprint: str) -> None:
        """Go on from a state of the same fingerprint, if there is one."""
        if not Path(path).exists():
            return
        state = _load(Path(path), self.x.device)
        if state is None or state.get("fingerprint") != fingerprint:
            log.warning("%s belongs to other data, settings or code, or is broken: starting afresh", path)
            return
        self.network.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
        for name in STATE:
            setattr(self, name, state[name])
        log.info("going on from step %d of %d", self.step, self.total)


def _compiled(network: torch.nn.Module, x: Tensor, codes: Tensor) -> torch.nn.Module:
    """The network compiled for people like these; where that fails, the network as it is."""
    compiled = torch.compile(network, dynamic=False)
    try:
        with autocast(x.device):
            compiled(x, torch.ones(len(x), dtype=torch.long, device=x.device), codes).sum().backward()
    except Exception as error:  # a compiler has many ways to be missing
        log.warning("not compiled, which is slower: %s", (str(error) or type(error).__name__).splitlines()[0])
        return network
    network.zero_grad(set_to_none=True)
    log.info("compiled")
    return compiled


STATE = ("step", "stale", "seconds", "best", "best_loss", "running", "history", "ema")


def _checked(latents: np.ndarray, label: np.ndarray, mask: np.ndarray, labels: list[str]) -> tuple[Tensor, Tensor]:
    latents, label, mask = np.asarray(latents, np.float32), np.asarray(label, np.int64), np.asarray(mask)
    if latents.ndim != 3 or latents.shape[1:] != mask.shape or len(label) != len(latents) or not len(latents):
        raise ValueError(f"latents {latents.shape}, labels {label.shape} and mask {mask.shape} do not fit together")
    if not np.isfinite(latents).all():
        raise ValueError("latents hold values that are not finite")
    if not mask.any():
        raise ValueError("the mask leaves nothing to learn: every site is monomorphic")
    if label.min() < 0 or label.max() >= len(labels):
        raise ValueError(f"label codes reach from {label.min()} to {label.max()}; there are {len(labels)} labels")
    return torch.from_numpy(latents), torch.from_numpy(label)


def _levels(people: int, steps: int, device: torch.device) -> Tensor:
    """Noise levels 1..steps, one per person, spread evenly over the batch (Kingma et al., 2021)."""
    order = torch.randperm(people, device=device)
    uniform = (order + torch.rand((), device=device)) / people
    return 1 + (uniform * steps).long().clamp(0, steps - 1)


@contextlib.contextmanager
def _sigterm() -> Iterator[threading.Event]:
    """An event that SIGTERM sets, while inside; without effect outside the main thread."""
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    former = signal.signal(signal.SIGTERM, lambda *_: stop.set())
    try:
        yield stop
    finally:
        signal.signal(signal.SIGTERM, former)


def _save(path: Path, content: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".part")
    with open(temporary, "wb") as file:
        torch.save(content, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)


def _load(path: Path, device: torch.device | str = "cpu") -> dict[str, Any] | None:
    """The dict in the file; None if it is not one of ours."""
    try:
        content = torch.load(path, map_location=device, weights_only=True)
    except Exception as error:  # torch raises whatever its unpickler met
        log.warning("%s cannot be read: %s", path, str(error).splitlines()[0] if str(error) else error)
        return None
    return content if isinstance(content, dict) else None
